/*
 * `sparks tasks resume ID`: goes on with a task that was paused, interrupted or is still
 * queued. Runs it in this process unless a daemon does.
 */
#include "base/error.h"
#include "base/json.h"
#include "cmd/session.h"
#include "cmd/submit.h"
#include "cmd/tasks/tasks_all.h"
#include "conf/prices.h"

/* What the task goes on with: other limits, another model. */
static gboolean change_options(const SpkSession *session, const SpkArgs *args,
			       GError **error)
{
	g_autoptr(json_t) changed = json_object();
	g_autofree char *model = NULL;

	if (!spk_submit_budget(args, changed, error) ||
	    !spk_submit_model(spk_args_str(args, "model"), &model, error))
		return FALSE;
	if (model)
		spk_json_set(changed, "model", spk_json_text(model));
	if (spk_args_yes(args))
		spk_json_set(changed, "yes", spk_json_text(g_get_user_name()));
	if (spk_args_has(args, "max-tokens"))
		spk_json_set(changed, "max_tokens",
			     json_integer(spk_args_int(args, "max-tokens", 0)));
	if (!json_object_size(changed))
		return TRUE;
	json_object_update(session->task->options, changed);
	return spk_task_raise(session->store, session->task->id, changed, error);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	SpkFollow how = { .detach = spk_args_flag(args, "detach") };
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!change_options(&session, args, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	return spk_submit_resume(&session, args, session.task->id, &how,
				 spk_args_flag(args, "strict"));
}

static const SpkCmdOpt options[] = {
	{ "budget-usd", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "dollars that the task may cost in all" },
	{ "detach", .type = SPK_CMD_FLAG, .sentence = "print the id and return at once" },
	{ "max-tokens", .type = SPK_CMD_INT, .value = "N", .min = 1,
	  .max = G_GINT64_CONSTANT(1000000000000),
	  .sentence = "tokens that the task may use in all" },
	{ "model", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "model that goes on with it" },
	{ "strict", .type = SPK_CMD_FLAG,
	  .sentence = "exit with 3 unless the verdict is `verified`" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_tasks_resume = {
	.name = "resume",
	SPK_TAKES_ID,
	.summary = "Go on with a paused, interrupted or queued task.",
	.example = "sparks tasks resume 01hq2x",
	.options = options,
	.run = run,
};
