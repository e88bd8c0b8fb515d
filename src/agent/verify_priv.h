/* Running checks, for the file that judges what they say. */
#ifndef SPK_AGENT_VERIFY_PRIV_H
#define SPK_AGENT_VERIFY_PRIV_H

#include "agent/run_priv.h"

/* What a phase found: which check failed first, or none. */
typedef struct {
	guint failed;
	const json_t *first_failure; /* borrowed from the record */
} VerifyResult;

/* Runs the checks of a phase in one clean checkout of the tree `raw`, unless all of them are on
 * record. */
gboolean verify_phase(SpkRun *run, const char *name, guint round, const char *raw,
		      char *const *checks, VerifyResult *ret_result, GError **error);
/* FALSE and USAGE when phase `before` has found that a check's program is not there. */
gboolean verify_can_run(SpkRun *run, char *const *checks, GError **error);

#endif
