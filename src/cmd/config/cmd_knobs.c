/*
 * `sparks knobs`: options that may change while a daemon runs. Set, they hold until that
 * daemon ends; with --keep until they are reset.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd_all.h"
#include "cmd/config/optdoc.h"
#include "cmd/config/config_all.h"
#include "cmd/session.h"
#include "cmd/ui.h"
#include "conf/knob.h"
#include "core/knobs.h"
#include "store/knobs.h"

enum { HISTORY = 50, HISTORY_MAX = SPK_EVENTS_MAX };

static const SpkOpt *option_of(const SpkKnob *knob)
{
	return knob->option ? &spk_conf_options()[spk_conf_find(knob->option)] : NULL;
}

static char *takes_text(const SpkKnob *knob)
{
	const SpkOpt *opt = option_of(knob);

	return opt ? spk_optdoc_range(opt) : g_strdup(knob->takes);
}

/* ---- list ---- */
static json_t *knob_to_json(const SpkConf *conf, const SpkKnob *knob)
{
	const SpkOpt *opt = option_of(knob);
	g_autofree char *takes = takes_text(knob);
	g_autofree char *value = opt ? spk_config_value_text(conf, opt) : NULL;

	return json_pack("{s:s,s:o,s:o,s:o,s:s,s:s,s:b}", "name", knob->name, "value",
			 spk_json_text(value), "origin",
			 spk_json_text(opt ? spk_conf_origin(conf, opt->name) : NULL),
			 "default", spk_json_text(opt ? opt->fallback : NULL), "takes",
			 takes, "meaning", opt ? opt->sentence : knob->sentence, "built",
			 opt != NULL);
}

static void print_knob(const SpkConf *conf, const SpkKnob *knob)
{
	const SpkOpt *opt = option_of(knob);
	g_autofree char *takes = takes_text(knob);
	g_autofree char *value = opt ? spk_config_value_text(conf, opt) : NULL;
	g_autofree char *line =
		opt ? g_strdup_printf("%-36s %-10s %-12s %s", knob->name, value,
				      spk_conf_origin(conf, opt->name), takes)
		    : g_strdup_printf("%-36s %s", knob->name, takes);
	g_autofree char *clipped = spk_ui_clip(line, spk_ui_columns(STDOUT_FILENO));

	puts(clipped);
}

static int run_list(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	int code = 0;
	g_autoptr(SpkConf) loaded = spk_cmd_conf(args, json, &code);
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(json_t) all = json_array();

	if (!loaded)
		return code;
	conf = spk_core_peek(loaded);
	for (int built = 1; built >= 0; built--) {
		if (!built && !json)
			puts("\nnot in this version:");
		for (const SpkKnob *knob = spk_knobs(); knob->name; knob++) {
			if ((knob->option != NULL) != built)
				continue;
			if (json)
				json_array_append_new(all, knob_to_json(conf, knob));
			else
				print_knob(conf, knob);
		}
	}
	if (json)
		spk_cmd_print_json(all);
	return 0;
}

/* ---- set, reset ---- */
static void say_now(const SpkSession *session, const char *name, const char *how)
{
	g_autoptr(SpkConf) conf = spk_core_peek(session->conf);
	const SpkKnob *knob = spk_knob_find(name, NULL);
	g_autofree char *value = spk_config_value_text(conf, option_of(knob));
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = knob_to_json(conf, knob);
		spk_cmd_print_json(object);
	} else {
		printf("%s is %s %s\n", name, value, how);
	}
}

static int run_set(const SpkArgs *args)
{
	const char *const *rest = spk_args_rest(args);
	gboolean keep = spk_args_flag(args, "keep");
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_core_knob_set(session.core, rest[0], rest[1], keep, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	say_now(&session, rest[0],
		keep ? "until it is reset"
		     : "until the daemon ends; --keep lets it stay");
	return 0;
}

static int run_reset(const SpkArgs *args)
{
	const char *name = spk_args_rest(args)[0];
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	gboolean was = FALSE;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_core_knob_reset(session.core, name, &was, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	say_now(&session, name,
		was ? "again, as configured" : "as before: it was not set");
	return 0;
}

/* ---- history ---- */
static json_t *event_to_json(const SpkEvent *event)
{
	g_autofree char *time = spk_ui_time(event->at_us);

	return json_pack("{s:I,s:s,s:s,s:o,s:o}", "at_us", (json_int_t)event->at_us,
			 "time", time, "category", event->category, "message",
			 spk_json_text(event->message), "details",
			 event->details ? json_incref(event->details) : json_null());
}

static void print_event(const SpkEvent *event)
{
	g_autofree char *time = spk_ui_time(event->at_us);
	g_autofree char *line = spk_ui_line(event->message, 200);

	printf("%s  %s\n", time, line);
}

static int run_history(const SpkArgs *args)
{
	const char *name = spk_args_rest(args)[0];
	gint64 limit = spk_args_int(args, "limit", HISTORY);
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) events = NULL;
	g_autoptr(json_t) all = json_array();
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (name && !spk_knob_find(name, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	events = spk_event_list(session.store, "KnobChange", HISTORY_MAX, &error);
	if (!events)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	for (guint i = 0; i < events->len && limit > 0; i++) {
		const SpkEvent *event = events->pdata[i];

		if (name && g_strcmp0(spk_json_str(event->details, "knob"), name) != 0)
			continue;
		limit--;
		if (session.json)
			json_array_append_new(all, event_to_json(event));
		else
			print_event(event);
	}
	if (session.json)
		spk_cmd_print_json(all);
	return 0;
}

/* ---- the table ---- */
static const SpkCmdOpt set_options[] = {
	SPK_OPT_JSON,
	{ "keep", .type = SPK_CMD_FLAG,
	  .sentence = "until it is reset, daemon or not; else until the daemon ends" },
	{ NULL },
};

static const SpkCmdOpt history_options[] = {
	SPK_OPT_JSON,
	{ "limit", .letter = 'n', .type = SPK_CMD_INT, .value = "N", .min = 1,
	  .max = HISTORY_MAX, .sentence = "at most so many (default: 50)" },
	{ NULL },
};

static const SpkCmd list = {
	.name = "list",
	.usage = "",
	.summary = "List the knobs: value, where that comes from, what it takes.",
	.example = "sparks knobs list --json",
	.options = spk_only_json,
	.run = run_list,
};

static const SpkCmd set = {
	.name = "set",
	.usage = "NAME VALUE",
	.summary = "Change what the running daemon works with, at once.",
	.details =
		"Tasks that run already keep what they began with. What was given on the "
		"daemon's command line cannot be changed.",
	.example = "sparks knobs set up.workers 4 --keep",
	.options = set_options,
	.min_args = 2,
	.max_args = 2,
	.run = run_set,
};

static const SpkCmd reset = {
	.name = "reset",
	.usage = "NAME",
	.summary = "Let the configured value hold again.",
	.example = "sparks knobs reset up.workers",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run_reset,
};

static const SpkCmd history = {
	.name = "history",
	.usage = "[NAME]",
	.summary = "Show what was changed and when, newest first.",
	.example = "sparks knobs history manager.max_steps",
	.options = history_options,
	.max_args = 1,
	.run = run_history,
};

static const SpkCmd *const subs[] = { &history, &list, &reset, &set, NULL };

const SpkCmd spk_cmd_knobs = {
	.name = "knobs",
	.summary = "Change options while a daemon runs.",
	.details =
		"A knob wins over environment and files, and yields to a command line.",
	.example = "sparks knobs set manager.max_steps 30",
	.subs = subs,
};
