/* `sparks tasks diff ID`: what the task changed, as a unified diff or counted per file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/show/changes.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"

/* A terminal gets clean, coloured lines; a pipe the very bytes, to be fed to `git apply`. */
static void print_diff(const char *diff)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (spk_term_is_tty(STDOUT_FILENO))
		spk_ui_diff(out, STDOUT_FILENO, diff);
	fputs(out->len ? out->str : diff, stdout);
}

static json_t *stat_to_json(const GPtrArray *counts)
{
	json_t *files = json_array();

	for (guint i = 0; i < counts->len; i++) {
		const SpkFileCount *count = counts->pdata[i];
		const char status[] = { count->status, '\0' };

		json_array_append_new(files,
				      json_pack("{s:o,s:s,s:i,s:i}", "path",
						spk_json_text(count->path), "status",
						status, "added", (int)count->added,
						"removed", (int)count->removed));
	}
	return files;
}

static void print_stat(const GPtrArray *counts)
{
	for (guint i = 0; i < counts->len; i++) {
		const SpkFileCount *count = counts->pdata[i];
		g_autofree char *path = spk_ui_line(count->path, 300);

		printf("%c  +%-5u -%-5u %s\n", count->status, count->added,
		       count->removed, path);
	}
}

static void warn_unfinished(const SpkTask *task)
{
	if (task->status != SPK_STATE_DONE)
		fprintf(stderr,
			"sparks: task %s is %s: this is the state after its last step\n",
			task->id, spk_state_name(task->status));
}

static gboolean print(SpkSession *session, const SpkTask *task, gboolean stat,
		      GError **error)
{
	g_autoptr(SpkTrail) trail = spk_trail_read(session->store, task->id, error);
	g_autoptr(GPtrArray) counts =
		trail && stat ? spk_changes_count(session->core, task, trail, error)
			      : NULL;
	g_autofree char *diff =
		trail && !stat ? spk_changes_diff(session->core, task, trail, error)
			       : NULL;
	g_autoptr(json_t) object = NULL;

	if (!diff && !counts)
		return FALSE;
	warn_unfinished(task);
	if (session->json) {
		object = json_pack("{s:s,s:o*,s:o*}", "task", task->id, "diff",
				   diff ? spk_json_text(diff) : NULL, "files",
				   counts ? stat_to_json(counts) : NULL);
		spk_cmd_print_json(object);
	} else if (counts) {
		print_stat(counts);
	} else {
		print_diff(diff);
	}
	return TRUE;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!print(&session, session.task, spk_args_flag(args, "stat"), &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	return 0;
}

static const SpkCmdOpt options[] = {
	SPK_OPT_JSON,
	{ "stat", .type = SPK_CMD_FLAG, .sentence = "only names and counted lines" },
	{ NULL },
};

const SpkCmd spk_tasks_diff = {
	.name = "diff",
	SPK_TAKES_ID,
	.summary = "Show what a task changed.",
	.example = "sparks tasks diff 01hq2x | git apply --check",
	.options = options,
	.run = run,
};
