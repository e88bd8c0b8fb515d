#include "llm/openai_request_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Models that think before they answer take other parameters; by the start of the name. */
static const struct {
	const char *start;
	guint quirks;
} models[] = {
	{ "o1", SPK_QUIRK_COMPLETION_TOKENS | SPK_QUIRK_NO_TEMPERATURE },
	{ "o3", SPK_QUIRK_COMPLETION_TOKENS | SPK_QUIRK_NO_TEMPERATURE },
	{ "o4", SPK_QUIRK_COMPLETION_TOKENS | SPK_QUIRK_NO_TEMPERATURE },
	{ "gpt-5", SPK_QUIRK_COMPLETION_TOKENS | SPK_QUIRK_NO_TEMPERATURE },
};

/* Named in a refusal (as its parameter, or in its words), each asks for a change. */
static const struct {
	const char *param;
	guint quirk;
} params_refused[] = {
	{ "max_tokens", SPK_QUIRK_COMPLETION_TOKENS },
	{ "temperature", SPK_QUIRK_NO_TEMPERATURE },
	{ "stream_options", SPK_QUIRK_NO_STREAM_OPTIONS },
};

static const char *const refusal_words[] = { "unsupported",   "not supported",
					     "unrecognized",  "unknown",
					     "not permitted", "extra",
					     "unexpected",    "does not support" };

guint spk_openai_model_quirks(const char *model)
{
	const char *slash = strrchr(model, '/'); /* "openai/o3" */
	const char *name = slash ? slash + 1 : model;

	for (gsize i = 0; i < G_N_ELEMENTS(models); i++)
		if (g_str_has_prefix(name, models[i].start))
			return models[i].quirks;
	return 0;
}

static gboolean is_refusal(const char *text)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refusal_words); i++)
		if (strstr(text, refusal_words[i]))
			return TRUE;
	return FALSE;
}

guint spk_openai_fault_quirks(const SpkChatFault *fault)
{
	g_autofree char *all =
		g_strjoin(" ", fault->code ? fault->code : "", fault->message, NULL);
	g_autofree char *lower = g_ascii_strdown(all, -1);

	if ((fault->status != 400 && fault->status != 422) || !is_refusal(lower))
		return 0;
	for (gsize i = 0; i < G_N_ELEMENTS(params_refused); i++)
		if (g_strcmp0(fault->param, params_refused[i].param) == 0)
			return params_refused[i].quirk;
	for (gsize i = 0; !fault->param && i < G_N_ELEMENTS(params_refused); i++)
		if (strstr(lower, params_refused[i].param))
			return params_refused[i].quirk;
	return 0;
}

char *spk_openai_body(const SpkOpenaiParams *params, const SpkLlmRequest *request)
{
	g_autoptr(json_t) body = json_object();
	char *text, *copy;
	const char *limit = params->quirks & SPK_QUIRK_COMPLETION_TOKENS
				    ? "max_completion_tokens"
				    : "max_tokens";

	spk_json_set(body, "model", spk_json_text(params->model));
	if (!(params->quirks & SPK_QUIRK_NO_TEMPERATURE))
		spk_json_set(body, "temperature", json_real(params->temperature));
	if (params->max_tokens > 0)
		spk_json_set(body, limit, json_integer(params->max_tokens));
	spk_json_set(body, "stream", json_true());
	if (!(params->quirks & SPK_QUIRK_NO_STREAM_OPTIONS))
		spk_json_set(body, "stream_options",
			     json_pack("{s:b}", "include_usage", 1));
	if (json_array_size(request->tools))
		spk_json_set(body, "tools", json_incref(request->tools));
	spk_json_set(body, "messages", json_incref(request->messages));
	text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(6)); /* 0.3 as 0.3 */
	copy = g_strdup(text);
	free(text);
	return copy;
}
