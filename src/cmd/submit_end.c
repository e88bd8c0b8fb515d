/* What is printed of a task when the waiting for it is over. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/show/summary.h"
#include "cmd/submit.h"

/* What ended the waiting counts only while the task itself has no end of its own. */
static int exit_code(const SpkTask *task, gboolean strict, const GError *stop)
{
	if (!stop || spk_state_is_terminal(task->status))
		return spk_core_exit_code(task, strict);
	return spk_err_info(spk_error_code(stop))->exit_code;
}

static gboolean print_end(SpkSession *session, const SpkTask *task, const GError *stop,
			  GError **error)
{
	g_autoptr(json_t) report = NULL;

	if (stop && !(spk_state_is_terminal(task->status) && task->error))
		spk_cmd_say_error(stop);
	if (!session->json)
		return spk_summary_print(session->core, task, error);
	report = spk_core_report(session->core, task, FALSE, error);
	if (!report)
		return FALSE;
	if (stop && json_is_null(json_object_get(report, "error")))
		spk_json_set(report, "error", spk_cmd_error_to_json(stop));
	spk_cmd_print_json(report);
	return TRUE;
}

int spk_submit_close(SpkSession *session, const char *id, gboolean strict,
		     GError *take_error)
{
	g_autoptr(GError) stop = take_error;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = spk_task_get(session->store, id, &error);

	if (!task || !print_end(session, task, stop, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	return exit_code(task, strict, stop);
}

int spk_submit_detached(SpkSession *session, const char *id)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(json_t) report = NULL;

	if (!session->json) {
		puts(id);
		return 0;
	}
	task = spk_task_get(session->store, id, &error);
	report = task ? spk_core_report(session->core, task, FALSE, &error) : NULL;
	if (!report)
		return spk_cmd_fail(g_steal_pointer(&error), TRUE);
	spk_cmd_print_json(report);
	return 0;
}
