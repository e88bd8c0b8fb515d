#include "llm/quirks_priv.h"

#include <string.h>

#define THINKS (SPK_QUIRK_COMPLETION_TOKENS | SPK_QUIRK_NO_TEMPERATURE)

/* The first row whose start fits, so longer ones come first; as their makers publish them.
 * Models that think before they answer take other parameters. */
/* clang-format off */
static const SpkKnownModel models[] = {
	{ "o1-mini",		THINKS,	 128000,  65536 },
	{ "o1",			THINKS,	 200000, 100000 },
	{ "o3",			THINKS,	 200000, 100000 },
	{ "o4",			THINKS,	 200000, 100000 },
	{ "gpt-5-chat",		0,	 128000,  16384 },
	{ "gpt-5",		THINKS,	 400000, 128000 },
	{ "gpt-4.1",		0,	1047576,  32768 },
	{ "gpt-4o",		0,	 128000,  16384 },
	{ "gpt-4-turbo",	0,	 128000,   4096 },
	{ "gpt-4-32k",		0,	  32768,  32768 },
	{ "gpt-4",		0,	   8192,   8192 },
	{ "gpt-3.5-turbo",	0,	  16385,   4096 },
	{ "claude-3-5",		0,	 200000,   8192 },
	{ "claude-3-7",		0,	 200000,  64000 },
	{ "claude-3",		0,	 200000,   4096 },
	{ "claude-opus-4-0",	0,	 200000,  32000 },
	{ "claude-opus-4-1",	0,	 200000,  32000 },
	{ "claude-",		0,	 200000,  64000 },
	{ "deepseek-chat",	0,	 128000,   8192 },
	{ "",			0,	      0,      0 },
};
/* clang-format on */

/* Named in a refusal, each asks for a change. Words that a sentence may well hold by chance
 * must stand as a parameter does, in quotes or before a colon. */
static const struct {
	const char *param;
	guint quirk;
	gboolean plain; /* need not */
} params_refused[] = {
	{ "max_tokens", SPK_QUIRK_COMPLETION_TOKENS, TRUE },
	{ "temperature", SPK_QUIRK_NO_TEMPERATURE, TRUE },
	{ "stream_options", SPK_QUIRK_NO_STREAM_OPTIONS, TRUE },
	{ "max_output_tokens", SPK_QUIRK_NO_LIMIT, TRUE },
	{ "cache_control", SPK_QUIRK_NO_CACHE, TRUE },
	{ "reasoning_effort", SPK_QUIRK_NO_EFFORT, TRUE },
	{ "reasoning.effort", SPK_QUIRK_NO_EFFORT, TRUE },
	{ "reasoning.summary", SPK_QUIRK_NO_EFFORT, TRUE },
	{ "reasoning", SPK_QUIRK_NO_EFFORT, FALSE },
	{ "store", SPK_QUIRK_NO_STORE, FALSE },
};

static const char *const refusal_words[] = {
	"unsupported", "not supported", "unrecognized",	    "unknown",	 "not permitted",
	"extra",       "unexpected",	"does not support", "deprecated"
};

const SpkKnownModel *spk_known_model(const char *model)
{
	const char *slash = strrchr(model, '/'); /* "openai/o3" */
	const char *name = slash ? slash + 1 : model;
	gsize i = 0;

	while (!g_str_has_prefix(name, models[i].start))
		i++;
	return &models[i];
}

static gboolean names_it(const char *text, const char *param, gboolean plain)
{
	static const char *const ways[] = { "'%s'", "`%s`", "\"%s\"", "%s:" };
	gboolean found = plain && strstr(text, param);

	for (gsize i = 0; !found && i < G_N_ELEMENTS(ways); i++) {
		g_auto(GStrv) around = g_strsplit(ways[i], "%s", 2);
		g_autofree char *way = g_strjoinv(param, around);

		found = strstr(text, way) != NULL;
	}
	return found;
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
		if (names_it(lower, params_refused[i].param, params_refused[i].plain))
			return params_refused[i].quirk;
	return 0;
}
