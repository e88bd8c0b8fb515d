/*
 * The prompt scanner on what a tool brings back: what is found is on record with the result, the
 * model gets the text with a warning or, in block mode, the reason why it is withheld. With as
 * many points as block mode would withhold it for, taint rises to `outside`: text that plainly
 * gives orders is trusted no more than a stranger's.
 */
#ifndef SPK_AGENT_SCAN_H
#define SPK_AGENT_SCAN_H

#include "agent/agent.h"
#include "tool/tool.h"

/* Replaces result->text where something was found; *ret_scan is then spk_scan_to_json(), else
 * NULL. Before the result is recorded, so that a replay does not look again. */
gboolean run_scan_result(SpkRun *run, const json_t *call, SpkToolResult *result,
			 json_t **ret_scan, GError **error);
/* Output of a check, as the model gets it. */
char *run_scan_output(SpkRun *run, const char *text);

#endif
