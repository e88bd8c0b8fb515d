/*
 * The prompt scanner on what a tool brings back, and on what checks and the setup print: what is found is on record with the result, the
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
/* Of a check or the setup: `payload` is what is about to be on record of it, with `command` and
 * `tail`; it gets `scan` where something was found in the tail. */
gboolean run_scan_printed(SpkRun *run, json_t *payload, GError **error);
/* A model is about to be told what it printed, or works with what it left: taint rises as with a
 * tool's result. `what`: "the check". */
gboolean run_scan_heard(SpkRun *run, const json_t *payload, const char *what,
			GError **error);
/* `text`, a part of the tail, as the model gets it: by the record, also when the configuration has
 * become another one. */
char *run_scan_told(const json_t *payload, const char *text);

#endif
