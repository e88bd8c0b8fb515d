/* `sparks memory undo TASK`: what a task has taught the memory is taken back. */
#include <stdio.h>

#include "base/json.h"
#include "cmd/memory/memory_all.h"
#include "cmd/session.h"

static json_t *ids_of(const GPtrArray *ids)
{
	json_t *list = json_array();

	for (guint i = 0; i < ids->len; i++)
		json_array_append_new(list, spk_json_text(ids->pdata[i]));
	return list;
}

static void print(const SpkSession *session, const SpkUnlearned *done)
{
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = json_pack("{s:s,s:o,s:o}", "task", session->task->id,
				   "forgotten", ids_of(done->forgotten), "revived",
				   ids_of(done->revived));
		spk_cmd_print_json(object);
	} else if (!done->forgotten->len) {
		printf("task %s has left nothing in the memory\n", session->task->id);
	} else {
		printf("forgotten: %u of task %s%s\n", done->forgotten->len,
		       session->task->id,
		       done->revived->len ? "; what they took the place of is back in use"
					  : "");
	}
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_auto(SpkUnlearned) done = { 0 };
	g_autoptr(GError) error = NULL;
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_core_unlearn(session.core, session.task->id, &done, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	print(&session, &done);
	return 0;
}

const SpkCmd spk_memory_cmd_undo = {
	.name = "undo",
	.usage = "TASK",
	.min_args = 1,
	.max_args = 1,
	.summary = "Forget what a task has taught the memory.",
	.details =
		"What it remembered at its end and what its spark noted are removed; what these "
		"took the place of is back in use. `sparks memory list --task ID` shows them "
		"first.\n"
		"--json: {\"task\",\"forgotten\":[ID,…],\"revived\":[ID,…]}",
	.example = "sparks memory undo 01hq2x",
	.options = spk_only_json,
	.run = run,
};
