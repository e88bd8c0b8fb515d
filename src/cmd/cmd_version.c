/* `sparks version`: the version, in words or as JSON. */
#include <stdio.h>

#include "base/json.h"
#include "cmd/cmd_all.h"

static int run(const SpkArgs *args)
{
	g_autoptr(json_t) object = NULL;

	if (!spk_args_flag(args, "json")) {
		puts("sparks " SPK_VERSION);
		return 0;
	}
	object = json_pack("{s:s, s:s}", "name", "sparks", "version", SPK_VERSION);
	spk_cmd_print_json(object);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "json", .type = SPK_CMD_FLAG, .sentence = "print one JSON object" },
	{ NULL },
};

const SpkCmd spk_cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "Show the version.",
	.example = "sparks version --json",
	.options = options,
	.run = run,
};
