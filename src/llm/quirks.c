#include "llm/quirks_priv.h"

#include <string.h>

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

guint spk_quirks_of_model(const char *model)
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

guint spk_quirks_of_fault(const SpkFault *fault)
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
