/*
 * shell: a command line for /bin/sh in the box.
 */
#include "tool/tool_priv.h"

#include "base/json.h"

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c", spk_json_str(args, "command"), NULL };
	gint64 most = spk_conf_int(ctx->conf, "box.timeout_secs");
	gint64 secs = MIN(spk_json_int(args, "timeout_secs", most), most);

	return boxed_run(ctx, argv, secs * 1000, cancel, ret_result, error);
}

const SpkTool tool_shell = {
	.name = "shell",
	.sentence =
		"Runs a command line with /bin/sh in the sandbox, in the folder you work in, "
		"and returns exit code and output (stdout and stderr together). There is no "
		"network, no terminal and no input; processes left behind are killed.",
	.args =
		(const SpkToolArg[]){
			{ "command", SPK_ARG_STRING, TRUE, 0, 100000,
			  "the command line" },
			{ "timeout_secs", SPK_ARG_INT, FALSE, 1, 86400,
			  "stop it after so many seconds; the sandbox has a limit of its own" },
			{ NULL },
		},
	.effect = SPK_EFFECT_UNSAFE,
	.writes = TRUE,
	.restores = TRUE,
	.deed = SPK_DEED_COMMAND,
	.subject = "command",
	.run = run,
};
