/* `sparks tasks show ID`: status, verdict, evidence and result of one task. */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/session.h"
#include "cmd/show/summary.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/ui.h"

static void print_head(const SpkTask *task)
{
	g_autofree char *goal = spk_ui_line(task->goal, 400);
	g_autofree char *repo = spk_ui_line(task->repo, 400);
	g_autofree char *time = spk_ui_time(task->created_us);

	printf("%s\n  by %s in %s, %s\n", goal, task->spark, repo, time);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) report = NULL;
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (session.json) {
		report = spk_core_report(session.core, session.task, FALSE, &error);
		if (report)
			spk_cmd_print_json(report);
	} else {
		print_head(session.task);
		(void)spk_summary_print(session.core, session.task,
					&error); /* error says it */
	}
	return error ? spk_cmd_fail(g_steal_pointer(&error), session.json) : 0;
}

const SpkCmd spk_tasks_show = {
	.name = "show",
	SPK_TAKES_ID,
	.summary = "Show one task: status, verdict, evidence, result.",
	.example = "sparks tasks show 01hq2x",
	.options = spk_only_json,
	.run = run,
};
