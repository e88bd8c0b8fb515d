/* `sparks tasks …`: what has been done, is being done, and what becomes of it. */
#include "cmd/cmd_all.h"
#include "cmd/tasks/tasks_all.h"

static const SpkCmd *const subs[] = {
	&spk_tasks_apply,  &spk_tasks_cancel,
	&spk_tasks_diff,   &spk_tasks_explain,
	&spk_tasks_export, &spk_tasks_list,
	&spk_tasks_log,	   &spk_tasks_pause,
	&spk_tasks_prune,  &spk_tasks_replay,
	&spk_tasks_resume, &spk_tasks_show,
	&spk_tasks_undo,   NULL,
};

const SpkCmd spk_cmd_tasks = {
	.name = "tasks",
	.summary = "Look at tasks, apply or undo their changes, go on with them.",
	.details = "ID is the id of a task or a beginning of it that only one task has.",
	.example = "sparks tasks list",
	.subs = subs,
};
