/* `sparks approvals …`: what tasks ask a person for, and the answers. */
#include "cmd/approvals/approvals_all.h"
#include "cmd/cmd_all.h"

static const SpkCmd *const subs[] = {
	&spk_approvals_allow,
	&spk_approvals_deny,
	&spk_approvals_list_cmd,
	&spk_approvals_show,
	NULL,
};

const SpkCmd spk_cmd_approvals = {
	.name = "approvals",
	.summary = "See what tasks ask for, allow it or refuse it.",
	.details =
		"A call that the law asks about stops its task, which then waits and costs "
		"nothing. The answer holds for exactly that call: its tool and arguments are "
		"hashed, and a changed call asks again. What nobody answers within "
		"approvals.timeout_secs counts as refused. ID is the id of a question or a "
		"beginning of it that only one has.",
	.example = "sparks approvals list",
	.subs = subs,
};
