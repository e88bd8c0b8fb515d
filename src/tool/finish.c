/*
 * finish: the model says that it is done. Whether that is so, the checks decide.
 */
#include "tool/tool_priv.h"

#include "base/json.h"

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	result_say(ret_result, "%s", spk_json_str(args, "summary"));
	ret_result->finished = TRUE;
	return TRUE;
}

const SpkTool tool_finish = {
	.name = "finish",
	.sentence =
		"Ends the work. Call it once everything that was asked for is done; the checks "
		"of the task run afterwards and decide.",
	.args =
		(const SpkToolArg[]){
			{ "summary", SPK_ARG_STRING, TRUE, 0, 10000,
			  "what was done and why, and what remains open, in a few sentences" },
			{ NULL },
		},
	.effect = SPK_EFFECT_PURE,
	.talks = TRUE,
	.trusted = TRUE,
	.run = run,
};
