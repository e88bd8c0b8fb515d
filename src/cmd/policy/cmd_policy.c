/* `sparks policy …`: what the law says of a call before anybody makes it, and saved rules. */
#include "cmd/cmd_all.h"
#include "cmd/policy/policy_all.h"

static const SpkCmd *const subs[] = {
	&spk_policy_add,    &spk_policy_check, &spk_policy_lex,
	&spk_policy_remove, &spk_policy_rules, NULL,
};

const SpkCmd spk_cmd_policy = {
	.name = "policy",
	.summary = "Ask what a spark may run, read or reach, and keep rules.",
	.details =
		"A rule is a regular expression, tried on the normalised line of a call and on "
		"each simple command in it (`sparks policy lex` shows both). One that denies "
		"wins, and finds any part of any command; one that allows must match each "
		"command of a line as a whole. A denying or sensitive pattern that begins with "
		"a word (`rm\\s`) is tried where a command begins, one of a path (`\\.env`, "
		"`/etc/`) on words that may be files, any other everywhere.",
	.example = "sparks policy check -- 'make && sudo make install'",
	.subs = subs,
};
