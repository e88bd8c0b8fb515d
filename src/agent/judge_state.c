/* What a run keeps of the second judge: below run.c, which begins and ends it. */
#include <string.h>

#include "agent/judge.h"
#include "agent/run_priv.h"
#include "base/json.h"

RunJudge *run_judge_new(void)
{
	return g_new0(RunJudge, 1);
}

void run_judge_free(RunJudge *judge)
{
	g_clear_pointer(&judge->llm, spk_llm_free);
	g_free(judge);
}

void run_judge_count(RunJudge *judge, const json_t *payload)
{
	judge->asked++;
	judge->tokens += spk_json_int(payload, "tokens", 0);
}

void run_judge_recall(SpkRun *run, const SpkJournalEntry *entry)
{
	if (!strcmp(entry->kind, "judge"))
		run_judge_count(run->judge, entry->payload);
}
