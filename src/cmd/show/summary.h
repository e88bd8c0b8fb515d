/*
 * What a person reads when a task has ended (or is looked at): status and verdict in words,
 * files, evidence, what it took, what to type next. Made from the report (spk_core_report)
 * and, when at hand, the journal and the files.
 */
#ifndef SPK_CMD_SUMMARY_H
#define SPK_CMD_SUMMARY_H

#include "cmd/show/trail.h"
#include "core/core.h"

typedef struct {
	const SpkTask *task;
	const json_t *report; /* spk_core_report(), not brief */
	const SpkTrail *trail;
	const GPtrArray *counts; /* SpkFileCount; NULL: names only */
	gboolean stranded;	 /* spk_task_is_stranded() */
} SpkSummary;

/* The text, coloured as fd shows it. */
void spk_summary_format(const SpkSummary *summary, int fd, GString *out);
/* Only the runs of the checks, one row each. */
void spk_summary_evidence(const json_t *report, int fd, GString *out);
/* Collects and prints on stdout; FALSE only when the store fails. */
gboolean spk_summary_print(SpkCore *core, const SpkTask *task, GError **error);

#endif
