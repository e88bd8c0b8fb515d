/*
 * Housekeeping: what finished tasks leave behind goes after a time, or when it is too much.
 * Four kinds of thing: the private copy of a task, its spilled outputs, the steps of its
 * journal, its branch in the user's repository. Evidence, verdict, commit and the record of
 * apply and undo always stay, and so does the only copy of a result. Of unfinished tasks
 * nothing is touched. Each thing that goes is an entry `pruned` in the task's journal.
 */
#ifndef SPK_CORE_PRUNE_H
#define SPK_CORE_PRUNE_H

#include "core/core.h"

typedef enum {
	SPK_PRUNE_COPY = 1 << 0,  /* trees/ID: needed for diff, apply and undo */
	SPK_PRUNE_SPILL = 1 << 1, /* spill/ID: outputs too long for the model */
	SPK_PRUNE_STEPS = 1 << 2, /* what the model and the tools said: for log, export */
	SPK_PRUNE_BRANCHES = 1 << 3, /* sparks/ID, when another branch holds the commit */
} SpkPruneWhat;
#define SPK_PRUNE_OWN (SPK_PRUNE_COPY | SPK_PRUNE_SPILL | SPK_PRUNE_STEPS)
const char *
spk_prune_name(SpkPruneWhat what); /* "copies", "spill", "steps", "branches" */

typedef struct {
	guint what; /* SpkPruneWhat */
	const char *const
		*tasks; /* only these ids, whatever their age; NULL: by the rules */
	gint64 older_than_days;	 /* instead of the [keep] options; -1: these */
	gboolean even_unmerged;	 /* branches that nothing else holds, too */
	gboolean even_only_copy; /* results that are nowhere else, too */
	gboolean dry_run;
} SpkPrune;

typedef struct {
	char *task;
	SpkPruneWhat what;
	gint64 bytes;	  /* -1: not known (a branch) */
	gboolean dropped; /* FALSE: it was due, but stays */
	char *why;	  /* in words, either way */
} SpkPruned;
void spk_pruned_free(SpkPruned *pruned);

/* What was dropped, or with dry_run would be, and what was due but stays; oldest first.
 * CANCELLED ends it in the middle; what went so far is on record. NULL on failure. */
GPtrArray *spk_core_prune(SpkCore *core, const SpkPrune *how, SpkCancel *cancel,
			  GError **error);

/* The same by the [keep] options, at most once a day, for at most `limit_ms`: a sentence that
 * says what went, or NULL. For whoever has just finished a task; failures are logged. */
char *spk_core_tidy(SpkCore *core, gint64 limit_ms, SpkCancel *cancel);

/* "12 private copies (3.2 GB), 3 branches" of what was dropped; "" when nothing was. */
char *spk_prune_summary(const GPtrArray *pruned);

#endif
