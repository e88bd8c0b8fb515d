/*
 * The second judge of a text (guard/judge.h) is asked: a question aside, booked under the purpose
 * `judge`, on record as `judge` under the text's hash, so that no text of a task is asked about
 * twice. Where it can't be asked, or says nothing that is of the form, the rules' verdict stands.
 */
#ifndef SPK_AGENT_JUDGE_H
#define SPK_AGENT_JUDGE_H

#include "agent/agent.h"
#include "guard/scan.h"

typedef struct RunJudge {
	SpkLlm *llm;   /* opened for the first question */
	guint asked;   /* questions of the task that are on record */
	gint64 tokens; /* that they took */
	gboolean
		rests; /* for this run: nobody is there, or there is nothing to pay with */
} RunJudge;

RunJudge *run_judge_new(void);
void run_judge_free(RunJudge *judge);
void run_judge_count(RunJudge *judge, const json_t *payload);
/* An entry of the journal, while a run begins. */
void run_judge_recall(SpkRun *run, const SpkJournalEntry *entry);

#endif
