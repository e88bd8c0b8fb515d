/*
 * What a task is told of the memory before the first answer of its model: found once and on record
 * as `recall` (docs/journal.md), so that a task that is taken up again, or replayed, is told the
 * same. Where the memory holds nothing, nothing is looked for, recorded or told.
 */
#ifndef SPK_AGENT_RECALL_H
#define SPK_AGENT_RECALL_H

#include "agent/agent.h"
#include "tool/tool.h"

/* Scopes of this run; in SpkRun. */
typedef struct RunMemory RunMemory;
RunMemory *run_memory_new(SpkRun *run);
void run_memory_free(RunMemory *memory);

/* The task was begun without it, or told to be. */
gboolean run_memory_is_off(SpkRun *run);
/* Whether the built-in sparks have its tools: where there is something to find. */
gboolean run_memory_offers(SpkRun *run, gboolean *ret_offers, GError **error);
/* For a call of a tool; NULL: without memory. Filled into *room. */
const SpkToolMemory *run_memory_of_call(SpkRun *run, SpkToolMemory *room);
/* Counts the notes of the spark; for each result of a call, in order. */
void run_memory_count(SpkRun *run, const json_t *result);
/* Scope of the task's repository. Borrowed. */
const char *run_memory_repo(SpkRun *run);

/* The list for the model, "" when there is none; borrowed from the record. What it brings has
 * raised the taint before. */
gboolean run_recall(SpkRun *run, const char **ret_text, GError **error);

#endif
