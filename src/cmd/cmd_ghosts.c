/*
 * `sparks ghosts`: who can work on a task and where each comes from, one line each. Reads the configuration and opens
 * nothing else, unless --stats asks the store how their tasks ended.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd_all.h"
#include "cmd/ghosts_all.h"
#include "cmd/session.h"
#include "cmd/ui.h"

#define GHOST_INDENT 8	   /* of what is folded on a terminal */
#define STATS_TASKS  10000 /* the latest tasks that --stats counts */

typedef struct {
	guint tasks, done, verified;
} Stats;

static json_t *spark_to_json(const SpkSpark *spark, const Stats *stats)
{
	json_t *object = spk_ghosts_to_json(spark);

	if (stats)
		spk_json_set(object, "stats",
			     json_pack("{s:i,s:i,s:i}", "tasks", (int)stats->tasks,
				       "done", (int)stats->done, "verified",
				       (int)stats->verified));
	return object;
}

static void print_line(const SpkSpark *spark, const Stats *stats)
{
	g_autofree char *tools = g_strjoinv(", ", (char **)spark->tools);
	g_autoptr(GString) line = g_string_new(NULL);
	g_autoptr(GString) folded = g_string_new(NULL);
	g_autofree char *clean = NULL;

	g_string_append_printf(line, "%s — %s [%s] · %s", spark->name, spark->description,
			       tools, spark->origin);
	if (stats)
		g_string_append_printf(line, " · %u tasks, %u done, %u verified",
				       stats->tasks, stats->done, stats->verified);
	clean = spk_text_clean(line->str, -1, SPK_CLEAN_LINE);
	if (!spk_term_is_tty(STDOUT_FILENO)) {
		puts(clean); /* one line each, for scripts */
		return;
	}
	spk_ui_fold(folded, clean, GHOST_INDENT, spk_ui_columns(STDOUT_FILENO), 8);
	fputs(folded->str + GHOST_INDENT, stdout);
}

static void count(const SpkSpark *spark, const GPtrArray *tasks, Stats *stats)
{
	for (guint i = 0; i < tasks->len; i++) {
		const SpkTask *task = tasks->pdata[i];

		if (g_strcmp0(task->spark, spark->name) != 0)
			continue;
		stats->tasks++;
		stats->done += task->status == SPK_STATE_DONE;
		stats->verified += task->verdict == SPK_VERDICT_VERIFIED;
	}
}

/* tasks NULL: without statistics. */
static int print(const SpkConf *conf, gboolean json, const GPtrArray *tasks)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sparks = spk_sparks(conf, &error);
	g_autoptr(json_t) all = json_array();

	if (!sparks)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	for (guint i = 0; i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		Stats stats = { 0 };

		if (tasks)
			count(spark, tasks, &stats);
		if (json)
			json_array_append_new(all, spark_to_json(spark,
								 tasks ? &stats : NULL));
		else
			print_line(spark, tasks ? &stats : NULL);
	}
	if (json)
		spk_cmd_print_json(all);
	return 0;
}

static int run_with_stats(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) tasks = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	tasks = spk_task_list(session.store, -1, STATS_TASKS, &error);
	if (!tasks)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	return print(session.conf, session.json, tasks);
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkConf) conf = NULL;
	int code;

	if (spk_args_flag(args, "stats"))
		return run_with_stats(args);
	conf = spk_cmd_conf(args, json, &code); /* for its warnings */
	if (!conf)
		return code;
	return print(conf, json, NULL);
}

static const SpkCmdOpt options[] = {
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ "stats", .type = SPK_CMD_FLAG, .sentence = "with the number of their tasks" },
	{ NULL },
};

static const SpkCmd *const subs[] = { &spk_cmd_ghosts_show, NULL };

const SpkCmd spk_cmd_ghosts = {
	.name = "ghosts",
	.usage = "",
	.summary = "List the sparks that can work on a task, or show one.",
	.example = "sparks ghosts\nsparks ghosts show coder",
	.subs = subs,
	.options = options,
	.run = run,
};
