/*
 * Apply and undo, inside. Everything is an edit: a path, what is there before and what is
 * there after. Edits are planned, recorded (trees/ID/apply.json and the caller's journal),
 * then carried out in an order that works; carrying them out twice, or backwards, is the
 * same function with the same checks.
 */
#ifndef SPK_BOX_TREE_APPLY_PRIV_H
#define SPK_BOX_TREE_APPLY_PRIV_H

#include "box/tree_priv.h"

#define TREE_MODE_DIR	0040000
#define TREE_MODE_OTHER 1 /* a device, or what cannot be looked at */

typedef struct {	/* what is at a path of the user's folder */
	guint mode;	/* git's; 0: nothing; or one of the above */
	guint perm;	/* of a regular file */
	char *blob;	/* of a file or link */
	json_t *xattrs; /* of a regular file (base/xattr.h); NULL: none */
} TreeState;

typedef struct { /* a folder that a removal may take along */
	char *path;
	guint perm;
	json_t *xattrs;
} TreeParent;

typedef struct {
	char *path;
	TreeState before, after;
	gboolean merged;
	gboolean done; /* `after` was there when we planned, put there by ourselves */
} TreeEdit;

typedef struct {
	SpkTree *tree;
	SpkCancel *cancel;
	int top;	       /* of the user's folder, O_PATH */
	GPtrArray *edits;      /* TreeEdit, sorted by path */
	GPtrArray *folders;    /* paths of folders that the edits create */
	GPtrArray *parents;    /* TreeParent: those above what is removed, as they were */
	GPtrArray *conflicts;  /* "path: reason" */
	char *raw;	       /* what is applied; NULL in an undo */
	char *commit;	       /* with --commit: of the edits */
	char *old_head;	       /* below it; NULL: there was no commit */
	char *head, *new_head; /* of the branch, now and when we are through */
} TreePlan;
gboolean tree_plan_open(TreePlan *plan, SpkTree *tree, SpkCancel *cancel, GError **error);
void tree_plan_clear(TreePlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TreePlan, tree_plan_clear)

/* ---- tree_state.c ---- */
void tree_state_clear(TreeState *state);
void tree_state_copy(const TreeState *from, TreeState *to);
gboolean tree_state_equal(const TreeState *a, const TreeState *b);
/* What is there now. FALSE only when it cannot be read. */
gboolean tree_state_read(int top, const char *path, const TreeRepo *repo,
			 TreeState *ret_state, GError **error);

/* ---- tree_edit.c: edits, their record, and carrying them out ---- */
TreeEdit *tree_edit_new(const char *path);
void tree_edit_free(TreeEdit *edit);
void tree_plan_conflict(TreePlan *plan, const char *path, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* Fills plan->parents; of those that are gone, with what `last` knows. */
gboolean tree_plan_note_parents(TreePlan *plan, const TreePlan *last, GError **error);
json_t *tree_plan_to_json(const TreePlan *plan);
gboolean tree_plan_from_json(TreePlan *plan, const json_t *record, GError **error);
/* All edits: `after` everywhere, or with `backwards` `before` everywhere. What is there
 * already is passed over; what is neither is CONFLICT. Stops at the first error. */
gboolean tree_plan_run(TreePlan *plan, gboolean backwards, GError **error);

/* ---- tree_way.c ---- */
/* A path that must come to be at a place: conflicts when a file of the user's is where a folder
 * is needed or the other way round, unless the plan takes it away. Adds to plan->folders. */
gboolean tree_plan_clear_way(TreePlan *plan, const char *path, GHashTable *leaving,
			     GError **error);

/* ---- tree_merge.c ---- */
/* Both sides changed: fills edit->after and edit->merged, or adds conflicts. *ret_write is
 * FALSE when nothing is to be written. */
gboolean tree_merge(TreePlan *plan, const SpkTreeChange *change, const SpkTreeApply *how,
		    TreeEdit *edit, gboolean *ret_write, GError **error);

/* ---- tree_branch.c: --commit ---- */
/* Refuses what is under way, adds conflicts for edits over uncommitted changes. */
gboolean tree_branch_check(TreePlan *plan, GError **error);
/* Makes plan->new_head with the edits, its objects handed over; the branch does not move yet.
 * `last`: an earlier attempt, whose commit may be there already. */
gboolean tree_branch_prepare(TreePlan *plan, const TreePlan *last, const char *message,
			     GError **error);
/* Likewise with what takes plan->commit back; adds conflicts. */
gboolean tree_branch_prepare_revert(TreePlan *plan, GError **error);
/* Moves the branch from plan->head to plan->new_head and the edits' paths in the user's index
 * with it. *ret_moved: how far it came; the call may be repeated. */
gboolean tree_branch_move(TreePlan *plan, gboolean *ret_moved, GError **error);

#endif
