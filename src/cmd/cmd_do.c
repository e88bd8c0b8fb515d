/* `sparks do GOAL`: gives a task to a spark and waits for its verified result. */
#include "cmd/cmd_all.h"
#include "cmd/submit.h"

const SpkCmd spk_cmd_do = {
	.name = "do",
	.usage = "GOAL",
	.summary = "Give a goal, get a verified change.",
	.details =
		"A spark works on a private copy of the repository, in a sandbox without "
		"network. The checks (--check, else the repository's own test command) run "
		"before and after. Your files change only by `sparks tasks apply`, or with "
		"--apply.\n\n"
		"Exit code: 0 done and its checks pass; 1 failed; 3 done but nothing shows that "
		"it works (or anything but verified under --strict); 4 not finished; 130 "
		"cancelled.",
	.example = "sparks do \"make the tests pass\" --check \"make test\"",
	.options = spk_submit_options,
	.min_args = 0,
	.max_args = 1,
	.run = spk_submit,
};
