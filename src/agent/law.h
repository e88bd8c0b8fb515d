/*
 * The law before each call of a tool: what it says is on record before anything is done, what is
 * to be asked is asked, what is refused becomes words for the model. And taint: what a call
 * brought back.
 */
#ifndef SPK_AGENT_LAW_H
#define SPK_AGENT_LAW_H

#include "agent/agent.h"
#include "tool/tool.h"

/* Of one run; in SpkRun. */
typedef struct RunLaw RunLaw;
RunLaw *run_law_new(SpkRun *run);
void run_law_free(RunLaw *law);
/* What the journal says of taint and of hosts that were opened; for each entry, in order. */
void run_law_recall(SpkRun *run, const SpkJournalEntry *entry);

/* What a call of a tool may do, decided. */
typedef struct {
	json_t *record; /* docs/journal.md, `law` of `tool.intent`; NULL: there is nothing to say */
	char *refusal; /* words for the model; NULL: it may be done */
	SpkWayOut *
		way; /* for this call, with hosts that were allowed for it; NULL: the run's */
} LawDone;
void law_done_clear(LawDone *done);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LawDone, law_done_clear)
/* `tool`: NULL when there is none of that name. The private copy is there, if the tool needs one.
 * FALSE and APPROVAL: a question stands open, nothing was done. */
gboolean run_law_call(SpkRun *run, const SpkTool *tool, const json_t *call,
		      const char *key, LawDone *ret_done, GError **error);

/* The model is about to be told what the call said: its taint rises first. `way`: that of the
 * call, NULL: the run's; `brings`: of the result. */
gboolean run_law_brought(SpkRun *run, const SpkTool *tool, const json_t *call,
			 SpkWayOut *way, SpkTaint brings, GError **error);
/* What text of the task's repository is: OUTSIDE where it is declared untrusted. */
SpkTaint run_law_of_repository(SpkRun *run);
/* The same of words that come from anywhere else. */
gboolean run_taint(SpkRun *run, SpkTaint taint, const char *source, GError **error);

#endif
