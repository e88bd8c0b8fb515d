/* What requests and replies have in common for all providers. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "llm/llm_impl.h"

void spk_llm_reply_clear(SpkLlmReply *reply)
{
	g_clear_pointer(&reply->text, g_free);
	g_clear_pointer(&reply->finish, g_free);
	g_clear_pointer(&reply->model, g_free);
	g_clear_pointer(&reply->tool_calls, json_decref);
	g_clear_pointer(&reply->explained, json_decref);
}

void spk_provider_state_clear(SpkProviderState *state)
{
	g_clear_pointer(&state->url, g_free);
}

void spk_model_entry_free(SpkModelEntry *entry)
{
	g_free(entry->id);
	g_free(entry);
}

char *spk_llm_prefix_hash(const SpkLlmRequest *request)
{
	g_autofree char *system = spk_json_canon(json_array_get(request->messages, 0));
	g_autofree char *tools = spk_json_canon(request->tools);
	g_autofree char *both = g_strconcat(system, "\n", tools, NULL);

	return spk_text_sha256(both, strlen(both));
}

gint64 spk_llm_estimate_tokens(const json_t *messages)
{
	if (!messages)
		return 0;
	return (json_dumpb(messages, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) + 3) / 4;
}
