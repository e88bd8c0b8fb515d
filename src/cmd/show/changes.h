/*
 * The changes of a task against the user's files: counted, shown, applied, undone. Apply and
 * undo are journalled before the first file is written and after the last.
 */
#ifndef SPK_CMD_CHANGES_H
#define SPK_CMD_CHANGES_H

#include "box/tree.h"
#include "cmd/show/trail.h"
#include "core/core.h"

typedef struct {
	char *path;	      /* as in the tree; clean it before showing */
	char status;	      /* as SpkTreeChange */
	guint added, removed; /* lines; both 0 for what is no text */
} SpkFileCount;

/* Changes from the base to the task's final tree, sorted by path; GPtrArray of SpkFileCount.
 * NULL when the private copy is gone or never was (NOT_FOUND). */
GPtrArray *spk_changes_count(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			     GError **error);
/* Unified diff from the base to the final tree, not cleaned. */
char *spk_changes_diff(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
		       GError **error);

/* Writes the task's changes into the user's folder. `law`: what spk_consent_to_apply() decided, for
 * the record (not looked at by a dry run). CONFLICT when the task isn't done, has
 * nothing to apply, is applied already, or the files have moved (conflicts in *ret). */
gboolean spk_changes_apply(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			   const SpkTreeApply *how, json_t *law, SpkCancel *cancel,
			   SpkTreeApplied *ret, GError **error);
/* Takes back the last apply that isn't undone. */
gboolean spk_changes_undo(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			  SpkCancel *cancel, SpkTreeApplied *ret, GError **error);

/* {"task","action","written":[…],"merged":[…],"conflicts":[…],"commit","error":null} */
json_t *spk_changes_to_json(const SpkTask *task, const char *action,
			    const SpkTreeApplied *applied);

/* A commit message for `tasks apply --commit`, with the trailers of interface.md. */
char *spk_changes_message(const SpkTask *task);

#endif
