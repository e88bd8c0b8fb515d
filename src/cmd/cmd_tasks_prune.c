/* `sparks tasks prune`: not in this version; says what can be done by hand. */
#include "base/error.h"
#include "cmd/session.h"
#include "cmd/tasks_all.h"

static int run(const SpkArgs *args)
{
	GError *error = NULL;

	spk_error_set(
		&error, SPK_ERR_USAGE,
		"private copies of finished tasks lie in ~/.sparks/trees/ID and may be removed "
		"by hand; diff, apply and undo of that task need them",
		"`tasks prune` is not in this version");
	return spk_cmd_fail(error, spk_args_flag(args, "json"));
}

static const SpkCmdOpt options[] = { SPK_OPT_JSON, { NULL } };

const SpkCmd spk_tasks_prune = {
	.name = "prune",
	.usage = "",
	.summary = "Not in this version.",
	.example = "sparks tasks list",
	.options = options,
	.max_args = -1,
	.run = run,
};
