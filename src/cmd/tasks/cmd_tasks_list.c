/* `sparks tasks list`: the latest tasks, newest first, one line each. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"
#include "store/halt.h"

#define REASON_INDENT 14 /* below what follows the id */

static gboolean parse_state(const char *name, int *ret_state, GError **error)
{
	SpkState state;

	*ret_state = -1;
	if (!name)
		return TRUE;
	if (!spk_state_parse(name, &state)) {
		spk_error_set(
			error, SPK_ERR_USAGE,
			"one of queued scanned routed running waiting paused verifying done "
			"failed rolled_back cancelled",
			"there is no state \"%s\"", name);
		return FALSE;
	}
	*ret_state = state;
	return TRUE;
}

static int print_json(SpkSession *session, const GPtrArray *tasks)
{
	g_autoptr(json_t) all = json_array();
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < tasks->len; i++) {
		json_t *report =
			spk_core_report(session->core, tasks->pdata[i], TRUE, &error);

		if (!report)
			return spk_cmd_fail(g_steal_pointer(&error), TRUE);
		json_array_append_new(all, report);
	}
	spk_cmd_print_json(all);
	return 0;
}

static const char *role_of(const SpkTask *task)
{
	if (task->status == SPK_STATE_DONE)
		return spk_ui_verdict_role(task->verdict);
	return spk_state_is_terminal(task->status) ? "bad" : "warn";
}

static void print_task(const SpkTask *task, gboolean daemon_alive)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *time = spk_ui_time(task->created_us);
	gboolean stranded = spk_task_is_stranded(task, daemon_alive);
	const char *word = stranded ? "interrupted"
			   : task->status == SPK_STATE_DONE && task->verdict
				   ? spk_verdict_name(task->verdict)
				   : spk_state_name(task->status);
	g_autofree char *padded = g_strdelimit(g_strdup_printf("%-15s", word), "_", ' ');
	int columns = spk_ui_columns(STDOUT_FILENO);
	gboolean narrow = columns < SPK_UI_NARROW;
	g_autofree char *goal =
		spk_ui_line(task->goal, MAX(8, columns - (narrow ? 31 : 52)));

	g_string_append_printf(out, "%s  ", task->id);
	if (!narrow) {
		spk_ui_paint(out, STDOUT_FILENO, "dim", time);
		g_string_append(out, "  ");
	}
	spk_ui_paint(out, STDOUT_FILENO, role_of(task), padded);
	g_string_append_printf(out, " %s\n", goal);
	if (task->status == SPK_STATE_WAITING) {
		g_autofree char *what =
			spk_ui_line(task->reason, MAX(8, columns - REASON_INDENT));

		g_string_append_printf(out, "%*s%s\n", REASON_INDENT, "", what);
	}
	fputs(out->str, stdout);
}

static void print_lines(SpkSession *session, const GPtrArray *tasks)
{
	g_autofree char *daemon = spk_worker_find(session->store, NULL);
	g_autoptr(GError) stopped = NULL;
	guint stranded = 0;

	for (guint i = 0; i < tasks->len; i++) {
		print_task(tasks->pdata[i], daemon != NULL);
		stranded += spk_task_is_stranded(tasks->pdata[i], daemon != NULL);
	}
	if (!spk_halt_check(session->store, &stopped))
		fprintf(stderr, "%s; %s\n", stopped->message, spk_error_hint(stopped));
	if (stranded)
		fputs("go on with an interrupted one: sparks tasks resume ID\n", stderr);
	if (!tasks->len)
		fputs("no tasks yet; `sparks do \"GOAL\"` starts one\n", stderr);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) tasks = NULL;
	g_autoptr(GError) error = NULL;
	gboolean json = spk_args_flag(args, "json");
	int state, code;

	if (!parse_state(spk_args_str(args, "state"), &state, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!spk_session_open(&session, args, json, &code))
		return code;
	tasks = spk_task_list(session.store, state, spk_args_int(args, "limit", 20),
			      &error);
	if (!tasks)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (json)
		return print_json(&session, tasks);
	print_lines(&session, tasks);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ "limit", .letter = 'n', .type = SPK_CMD_INT, .value = "N", .min = 1,
	  .max = 10000, .sentence = "at most N tasks (default 20)" },
	{ "state", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "only those in this state" },
	{ NULL },
};

const SpkCmd spk_tasks_list = {
	.name = "list",
	.usage = "",
	.summary = "List the latest tasks, newest first.",
	.example = "sparks tasks list --state failed",
	.options = options,
	.run = run,
};
