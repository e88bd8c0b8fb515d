#include "conf/knob.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "conf/conf_priv.h"

#define OURS(name)                     \
	{                              \
		name, name, NULL, NULL \
	}
#define SWITCH(name, sentence)                    \
	{                                         \
		name, NULL, "on or off", sentence \
	}
#define PART(name, sentence)                                 \
	{                                                    \
		name, NULL, "a number from 0 to 1", sentence \
	}
#define SECONDS(name, least, sentence)                            \
	{                                                         \
		name, NULL, "seconds, at least " #least, sentence \
	}

/* clang-format off */
static const SpkKnob knobs[] = {
	SWITCH("all", "every switch at once"),
	{ "cli_model", "cli.model", NULL, NULL },
	{ "cli_tool", "cli.tool", NULL, NULL },
	SWITCH("code_indexer", "index code from time to time"),
	SECONDS("code_indexer.interval", 1, "time between two runs"),
	SWITCH("conversation_reentry", "come back to a conversation by itself"),
	SWITCH("cron", "run jobs at their time"),
	SWITCH("heartbeat", "think from time to time"),
	SECONDS("heartbeat.interval", 10, "time between two beats"),
	PART("heartbeat.jitter", "how much that time varies"),
	SWITCH("idle_musings", "speak when nothing happens"),
	SECONDS("idle_threshold", 60, "time until nothing happens"),
	SWITCH("langfuse", "send traces to Langfuse"),
	OURS("llm.connect_timeout_secs"),
	OURS("llm.first_byte_timeout_secs"),
	OURS("llm.idle_timeout_secs"),
	OURS("llm.max_retries"),
	OURS("manager.loop_guard.enabled"),
	OURS("manager.loop_guard.repeat_threshold"),
	OURS("manager.loop_guard.window_size"),
	OURS("manager.max_steps"),
	SWITCH("memory_scan", "look through memories"),
	SECONDS("memory_scan.interval", 60, "time between two looks"),
	SECONDS("metrics.interval", 1, "time between two measurements"),
	SWITCH("mood", "have a mood"),
	SECONDS("mood.drift_interval", 60, "time until the mood moves"),
	SWITCH("mood_injection", "let the mood colour answers"),
	{ "quiet_hours", NULL, "hours as in 22-8, or off", "when not to speak unasked" },
	SECONDS("reentry.delay", 60, "time until a conversation is taken up again"),
	PART("reentry.jitter", "how much that time varies"),
	SWITCH("refactoring_scan", "look for code to tidy up"),
	SECONDS("refactoring_scan.interval", 1, "time between two looks"),
	SWITCH("relationship_tracking", "remember who said what"),
	SWITCH("self_dev", "work on itself"),
	PART("spontaneity", "how often to speak unasked"),
	OURS("task.heal_attempts"),
	OURS("task.max_tokens"),
	OURS("task.output_chars"),
	OURS("task.timeout_secs"),
	SWITCH("ticket_intake", "take tickets as tasks"),
	SECONDS("ticket_intake.interval", 30, "time between two looks"),
	{ "timezone_offset", NULL, "a whole number from -12 to 14", "hours from UTC" },
	PART("tolerance", "how much disturbance is fine"),
	OURS("up.workers"),
	{ NULL },
};
/* clang-format on */

const SpkKnob *spk_knobs(void)
{
	return knobs;
}

const SpkKnob *spk_knob_find(const char *name, GError **error)
{
	const char *names[G_N_ELEMENTS(knobs)];
	g_autofree char *nearest = NULL;
	g_autofree char *shown = spk_text_clip(name, 100);

	for (gsize i = 0; knobs[i].name; i++) {
		if (!strcmp(knobs[i].name, name) && knobs[i].option)
			return &knobs[i];
		if (!strcmp(knobs[i].name, name)) {
			spk_error_set(error, SPK_ERR_USAGE,
				      "`sparks knobs list` shows those that work",
				      "the knob %s is known, but its part is not in this "
				      "version",
				      name);
			return NULL;
		}
	}
	for (gsize i = 0; i < G_N_ELEMENTS(knobs); i++)
		names[i] = knobs[i].name;
	nearest = spk_text_did_you_mean(name, names);
	if (spk_conf_find(name) >= 0)
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "put it into the config file, and start the daemon anew",
			      "%s is an option, but not one that changes at run time",
			      name);
	else
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "`sparks knobs list` shows them all",
			      "there is no knob %s%s", shown, nearest);
	return NULL;
}

static const SpkOpt *option_of(const SpkKnob *knob)
{
	int index = spk_conf_find(knob->option);

	g_assert(index >= 0);
	return &spk_conf_options()[index];
}

gboolean spk_knob_check(const SpkKnob *knob, const char *text, GError **error)
{
	g_autofree char *why = spk_conf_unfit(option_of(knob), text);
	g_autofree char *hint = NULL;

	if (!why)
		return TRUE;
	hint = g_strdup_printf("`sparks config explain %s` says what it takes",
			       knob->option);
	spk_error_set(error, SPK_ERR_BAD_INPUT, hint, "%s %s", knob->name, why);
	return FALSE;
}

/* ---- a configuration with knobs ---- */
static void put(SpkConf *conf, const char *name, const char *text)
{
	int index = spk_conf_find(name);
	g_autofree char *why = NULL;
	SpkConfValue value;

	if (index < 0 || !strcmp(conf->values[index].origin, "command line") ||
	    !spk_conf_value_parse(&spk_conf_options()[index], text, &value, &why))
		return;
	value.origin = "knob";
	value.line = 0;
	g_free(conf->values[index].text);
	conf->values[index] = value;
}

SpkConf *spk_conf_with_knobs(SpkConf *base, GHashTable *values)
{
	SpkConf *loaded = base->base ? base->base : base;
	SpkConf *conf;

	if (!g_hash_table_size(values))
		return spk_conf_ref(loaded);
	conf = g_new0(SpkConf, 1);
	g_atomic_ref_count_init(&conf->refs);
	conf->base = spk_conf_ref(loaded);
	conf->values = g_memdup2(conf->base->values,
				 spk_conf_n_options() * sizeof(*conf->values));
	for (guint i = 0; i < spk_conf_n_options(); i++)
		conf->values[i].text = g_strdup(conf->values[i].text);
	conf->path = g_strdup(base->path);
	conf->folder = g_strdup(base->folder);
	conf->cwd = g_strdup(base->cwd);
	conf->trusted = base->trusted;
	conf->tables = g_ptr_array_ref(base->tables);
	conf->modes = g_ptr_array_ref(base->modes);
	conf->warnings = g_ptr_array_ref(base->warnings);
	conf->store_path = g_strdup(base->store_path);
	for (const SpkKnob *knob = knobs; knob->name; knob++) {
		const char *text = g_hash_table_lookup(values, knob->name);

		if (text && knob->option)
			put(conf, knob->option, text);
	}
	return conf;
}
