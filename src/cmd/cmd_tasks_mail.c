/* `sparks tasks cancel ID` and `sparks tasks pause ID`: asks whoever runs the task. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/session.h"
#include "cmd/tasks_all.h"

typedef gboolean (*AskFn)(SpkCore *core, const char *id, GError **error);

static void print(const SpkSession *session, const SpkTask *task, const char *word)
{
	g_autoptr(json_t) object = NULL;

	if (!session->json) {
		printf("task %s: %s (now %s)\n", task->id, word,
		       spk_state_name(task->status));
		return;
	}
	object = json_pack("{s:s,s:s,s:s,s:n}", "task", task->id, "action", word,
			   "status", spk_state_name(task->status), "error");
	spk_cmd_print_json(object);
}

static int ask(const SpkArgs *args, AskFn fn, const char *word)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkTask) task = NULL, after = NULL;
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	task = spk_session_task(&session, args, &code);
	if (!task)
		return code;
	if (fn(session.core, task->id, &error))
		after = spk_task_get(session.store, task->id, &error);
	if (!after)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	print(&session, after, word);
	return 0;
}

static int run_cancel(const SpkArgs *args)
{
	return ask(args, spk_core_cancel, "cancel");
}

static int run_pause(const SpkArgs *args)
{
	return ask(args, spk_core_pause, "pause");
}

static const SpkCmdOpt options[] = { SPK_OPT_JSON, { NULL } };

const SpkCmd spk_tasks_cancel = {
	.name = "cancel",
	.usage = "ID",
	.summary = "End a task; its steps stay on record.",
	.example = "sparks tasks cancel 01hq2x",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run_cancel,
};

const SpkCmd spk_tasks_pause = {
	.name = "pause",
	.usage = "ID",
	.summary = "Let a task rest after its present step; `resume` goes on.",
	.example = "sparks tasks pause 01hq2x",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run_pause,
};
