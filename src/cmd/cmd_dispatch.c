/* `sparks dispatch --goal TEXT`: the reference's name for `do`; same flags, same result. */
#include "cmd/cmd_all.h"
#include "cmd/submit.h"

const SpkCmd spk_cmd_dispatch = {
	.name = "dispatch",
	.usage = "--goal TEXT",
	.summary = "The same as `do`, under its older name.",
	.example =
		"sparks dispatch --goal \"make the tests pass\" --ghost coder --wait-secs 120",
	.options = spk_submit_options,
	.min_args = 0,
	.max_args = 1,
	.run = spk_submit,
};
