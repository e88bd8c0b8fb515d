/* Who pays for the agent programs that a run's tools start (tool/cli.c). */
#ifndef SPK_AGENT_PURSE_PRIV_H
#define SPK_AGENT_PURSE_PRIV_H

#include "agent/booking_priv.h"
#include "tool/tool.h"

/* Valid while the run is. */
SpkToolPurse run_purse(SpkRun *run);
/* Adds the tokens that such programs took, as the payload of a `tool.result` has them; FALSE: it
 * is of another tool. */
gboolean run_count_cli(SpkRun *run, const json_t *result);

#endif
