#include <string.h>

#include "llm/llm_all_priv.h"
#include "llm/wire_priv.h"

/* OpenCode Zen passes each maker's own API on. */
static const SpkWireOf of_zen[] = {
	{ "gpt-oss", &spk_wire_chat },
	{ "gpt-", &spk_wire_responses },
	{ "claude-", &spk_wire_messages },
	{ "gemini-", NULL },
	{ NULL },
};

const SpkProvider spk_providers[] = {
	{ "openai", &spk_server_impl, "https://api.openai.com/v1", "OPENAI_API_KEY",
	  NULL },
	{ "anthropic", &spk_server_impl, "https://api.anthropic.com/v1",
	  "ANTHROPIC_API_KEY", &spk_wire_messages },
	{ "ollama", &spk_server_impl, "http://localhost:11434", NULL, &spk_wire_ollama },
	{ "openrouter", &spk_server_impl, "https://openrouter.ai/api/v1",
	  "OPENROUTER_API_KEY", &spk_wire_chat, .tells_cost = TRUE },
	{ "zen", &spk_server_impl, "https://opencode.ai/zen/v1", "OPENCODE_API_KEY",
	  &spk_wire_chat, of_zen },
	{ "script", &spk_script_impl },
	{ NULL },
};

const SpkProvider *spk_provider_find(const char *name, gsize len)
{
	for (const SpkProvider *row = spk_providers; row->name; row++)
		if (strlen(row->name) == len && strncmp(row->name, name, len) == 0)
			return row;
	return NULL;
}
