/* `sparks tasks cancel ID` and `sparks tasks pause ID`: asks whoever runs the task. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/session.h"
#include "cmd/tasks/tasks_all.h"

typedef struct {
	gboolean (*fn)(SpkCore *core, const char *id, GError **error);
	const char *name;
	SpkState to;
	const char *asked; /* said while it is not there yet */
} Ask;

static const Ask cancel = { spk_core_cancel, "cancel", SPK_STATE_CANCELLED,
			    "asked to stop" };
static const Ask pause_it = { spk_core_pause, "pause", SPK_STATE_PAUSED,
			      "will pause after its present step" };

static void print(const SpkSession *session, const SpkTask *task, const Ask *ask)
{
	const char *status = spk_state_name(task->status);
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = json_pack("{s:s,s:s,s:s,s:n}", "task", task->id, "action",
				   ask->name, "status", status, "error");
		spk_cmd_print_json(object);
	} else if (task->status == ask->to) {
		printf("task %s is %s\n", task->id, status);
	} else {
		printf("task %s %s\n", task->id, ask->asked);
	}
}

static int run(const SpkArgs *args, const Ask *ask)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkTask) after = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (ask->fn(session.core, session.task->id, &error))
		after = spk_task_get(session.store, session.task->id, &error);
	if (!after)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	print(&session, after, ask);
	return 0;
}

static int run_cancel(const SpkArgs *args)
{
	return run(args, &cancel);
}

static int run_pause(const SpkArgs *args)
{
	return run(args, &pause_it);
}

const SpkCmd spk_tasks_cancel = {
	.name = "cancel",
	SPK_TAKES_ID,
	.summary = "End a task; its steps stay on record.",
	.example = "sparks tasks cancel 01hq2x",
	.options = spk_only_json,
	.run = run_cancel,
};

const SpkCmd spk_tasks_pause = {
	.name = "pause",
	SPK_TAKES_ID,
	.summary = "Let a task rest after its present step; `resume` goes on.",
	.example = "sparks tasks pause 01hq2x",
	.options = spk_only_json,
	.run = run_pause,
};
