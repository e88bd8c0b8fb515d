/* What the calls of a run cost: put aside before, booked after (store/ledger.h). */
#ifndef SPK_AGENT_BOOKING_PRIV_H
#define SPK_AGENT_BOOKING_PRIV_H

#include "agent/run_priv.h"

/* Sets the worst case of the run's next call aside, on top of what the call has `spent`. FALSE:
 * LIMIT, and run->at_budget, where a budget has no room for it or can't be kept. */
gboolean run_reserve(SpkRun *run, const SpkLlmWho *who, const SpkUsage *spent,
		     GError **error);
/* Instead of an answer: see SpkLlmGate. */
void run_book_failure(SpkRun *run, const SpkLlmWho *who, const SpkUsage *spent,
		      const GError *why);
/* Puts the answer on record (`payload`, of model.result) and books it, both or neither. */
gboolean run_book_reply(SpkRun *run, const SpkLlmReply *reply, json_t *payload,
			GError **error);

/* What the server says was used; where it doesn't, by the bytes that went and came. */
SpkUsage run_usage_of(SpkRun *run, const SpkLlmReply *reply);

#endif
