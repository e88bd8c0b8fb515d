/* A task's changes into the user's folder, and back out of it. */
#include "box/tree_apply_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

void spk_tree_applied_clear(SpkTreeApplied *applied)
{
	g_clear_pointer(&applied->written, g_ptr_array_unref);
	g_clear_pointer(&applied->merged, g_ptr_array_unref);
	g_clear_pointer(&applied->conflicts, g_ptr_array_unref);
	g_free(applied->commit);
	json_decref(applied->record);
	*applied = (SpkTreeApplied){ 0 };
}

/* ---- the last record ---- */

static char *record_path(SpkTree *tree)
{
	return g_build_filename(tree->dir, "apply.json", NULL);
}

static gboolean save_record(SpkTree *tree, const json_t *record, GError **error)
{
	g_autofree char *path = record_path(tree);
	g_autofree char *text = spk_json_dump(record);

	return spk_fs_write_atomic(path, text, strlen(text), 0600, error);
}

/* Edits of an apply of the same tree that was cut short or is repeated. An empty plan when
 * there is none. */
static gboolean load_last(TreePlan *last, const char *raw, GError **error)
{
	g_autofree char *path = record_path(last->tree);
	g_autoptr(json_t) record = NULL;
	g_autofree char *text = NULL;
	gsize len;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	text = spk_fs_read(path, TREE_META_MAX, &len, error);
	record = text ? spk_json_parse(text, len, TREE_META_MAX, error) : NULL;
	if (!record || !tree_plan_from_json(last, record, error))
		return FALSE;
	if (g_strcmp0(last->raw, raw)) {
		g_ptr_array_set_size(last->edits, 0);
		g_clear_pointer(&last->commit, g_free);
	}
	return TRUE;
}

/* ---- planning ---- */

typedef struct {
	TreePlan *plan, *last;
	const SpkTreeApply *how;
	GHashTable *last_edits; /* path -> TreeEdit of `last` */
	GHashTable *leaving;	/* paths that the task removes */
} Planning;

static guint perm_of(const TreeState *before, guint mode)
{
	guint perm;

	if (!before->perm)
		return mode == 0100755 ? 0755 : 0644;
	perm = before->perm & ~0111u;
	return mode == 0100755 ? perm | (perm & 0444) >> 2 : perm;
}

static void take_new(const SpkTreeChange *c, TreeEdit *edit)
{
	edit->after.mode = c->new_mode;
	edit->after.blob = g_strdup(c->new_blob);
}

/* What is there is what the task saw, or what it made, or something else. */
static gboolean plan_edit(Planning *p, const SpkTreeChange *c, TreeEdit *edit,
			  gboolean *ret_write, GError **error)
{
	TreeState old = { .mode = c->old_mode, .blob = c->old_blob };
	TreeState new = { .mode = c->new_mode, .blob = c->new_blob };
	const TreeEdit *last = g_hash_table_lookup(p->last_edits, c->path);
	gboolean replaces = edit->before.mode == TREE_MODE_DIR && !c->old_mode;

	*ret_write = TRUE;
	if (last && tree_state_equal(&edit->before, &last->after)) {
		tree_state_copy(&last->before, &edit->before);
		tree_state_copy(&last->after, &edit->after);
		edit->merged = last->merged;
		edit->done = TRUE;
		return TRUE;
	}
	if (tree_state_equal(&edit->before, &new)) {
		/* nothing to write, but maybe something to commit */
		tree_state_copy(&edit->before, &edit->after);
		edit->done = TRUE;
		*ret_write = p->how->commit;
		return TRUE;
	}
	if (!replaces && !tree_state_equal(&edit->before, &old))
		return tree_merge(p->plan, c, p->how, edit, ret_write, error);
	if (replaces) /* tree_plan_clear_way() decides about the folder */
		tree_state_clear(&edit->before);
	take_new(c, edit);
	return !c->new_mode || tree_plan_clear_way(p->plan, c->path, p->leaving, error);
}

static gboolean plan_change(Planning *p, const SpkTreeChange *c, GError **error)
{
	TreePlan *plan = p->plan;
	TreeEdit *edit = tree_edit_new(c->path);
	gboolean write = FALSE;
	gboolean ok = tree_state_read(plan->top, c->path, &plan->tree->repo,
				      &edit->before, error) &&
		      plan_edit(p, c, edit, &write, error);

	if (!ok || !write) {
		tree_edit_free(edit);
		return ok;
	}
	if (!edit->done && edit->after.mode && edit->after.mode != TREE_MODE_LINK)
		edit->after.perm = perm_of(&edit->before, edit->after.mode);
	g_ptr_array_add(plan->edits, edit);
	return TRUE;
}

static void planning_clear(Planning *p)
{
	g_hash_table_unref(p->last_edits);
	g_hash_table_unref(p->leaving);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Planning, planning_clear)

static gboolean plan_all(TreePlan *plan, TreePlan *last, const char *raw,
			 const SpkTreeApply *how, GError **error)
{
	g_auto(Planning) p = {
		.plan = plan,
		.last = last,
		.how = how,
		.last_edits = g_hash_table_new(g_str_hash, g_str_equal),
		.leaving = g_hash_table_new(g_str_hash, g_str_equal),
	};
	g_autoptr(GPtrArray)
		changes = spk_tree_changes(plan->tree, plan->tree->base, raw, error);

	plan->raw = g_strdup(raw);
	if (!changes || !tree_plan_open(last, plan->tree, plan->cancel, error) ||
	    !load_last(last, raw, error))
		return FALSE;
	for (guint i = 0; i < last->edits->len; i++) {
		TreeEdit *edit = last->edits->pdata[i];

		g_hash_table_insert(p.last_edits, edit->path, edit);
	}
	for (guint i = 0; i < changes->len; i++) {
		const SpkTreeChange *c = changes->pdata[i];

		if (!c->new_mode)
			g_hash_table_add(p.leaving, c->path);
	}
	for (guint i = 0; i < changes->len; i++)
		if (!plan_change(&p, changes->pdata[i], error) ||
		    !spk_cancel_check(plan->cancel, error))
			return FALSE;
	/* folders made by the attempt before are ours to remove as well */
	for (guint i = 0; last->edits->len && i < last->folders->len; i++)
		g_ptr_array_add(plan->folders, g_strdup(last->folders->pdata[i]));
	return TRUE;
}

/* ---- answers ---- */

static void fill(SpkTreeApplied *applied, TreePlan *plan)
{
	applied->written = g_ptr_array_new_with_free_func(g_free);
	applied->merged = g_ptr_array_new_with_free_func(g_free);
	applied->conflicts = g_ptr_array_ref(plan->conflicts);
	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];

		if (tree_state_equal(&edit->before, &edit->after))
			continue;
		g_ptr_array_add(applied->written, g_strdup(edit->path));
		if (edit->merged)
			g_ptr_array_add(applied->merged, g_strdup(edit->path));
	}
}

static gboolean refuse(TreePlan *plan, const char *what, const char *hint, GError **error)
{
	guint n = plan->conflicts->len;

	spk_error_set(error, SPK_ERR_CONFLICT, hint, "nothing was %s: %s%s", what,
		      (char *)plan->conflicts->pdata[0], n > 1 ? ", and more" : "");
	return FALSE;
}

/* ---- apply ---- */

static gboolean write_files(TreePlan *plan, GError **error)
{
	if (tree_plan_run(plan, FALSE, error))
		return TRUE;
	/* all or nothing; what cannot be taken back is told by the next attempt */
	(void)tree_plan_run(plan, TRUE, NULL);
	g_prefix_error(error, "nothing was applied: ");
	return FALSE;
}

static gboolean carry_out(TreePlan *plan, const TreePlan *last, const SpkTreeApply *how,
			  SpkTreeRecordFn record, gpointer user, SpkTreeApplied *applied,
			  GError **error)
{
	gboolean moved;

	if (!tree_plan_note_parents(plan, last, error))
		return FALSE;
	applied->record = tree_plan_to_json(plan);
	if (!save_record(plan->tree, applied->record, error) ||
	    (record && !record(applied->record, user, error)) ||
	    !write_files(plan, error))
		return FALSE;
	if (!how->commit)
		return TRUE;
	applied->commit = g_strdup(plan->commit);
	if (tree_branch_move(plan, &moved, error))
		return TRUE;
	if (!moved)
		(void)tree_plan_run(plan, TRUE, NULL);
	return FALSE;
}

gboolean spk_tree_apply(SpkTree *tree, const char *raw, const SpkTreeApply *how,
			SpkTreeRecordFn record, gpointer user, SpkCancel *cancel,
			SpkTreeApplied *ret_applied, GError **error)
{
	g_auto(TreePlan) plan = { .top = -1 }, last = { .top = -1 };
	gboolean markers = how->markers && !how->commit;

	if (how->commit && !tree->repo.git_dir) {
		spk_error_set(error, SPK_ERR_USAGE, "apply without --commit",
			      "%s is no git repository", tree->repo.top);
		return FALSE;
	}
	if (!tree_plan_open(&plan, tree, cancel, error) ||
	    !plan_all(&plan, &last, raw, how, error) ||
	    (how->commit && !tree_branch_check(&plan, error)))
		return FALSE;
	fill(ret_applied, &plan);
	if (plan.conflicts->len && !markers)
		return refuse(&plan, "applied",
			      how->commit
				      ? "commit or stash what is yours there first, or "
					"apply without --commit"
				      : "resolve them by hand, or see --markers",
			      error);
	if (how->dry_run || !plan.edits->len)
		return TRUE;
	return (!how->commit || tree_branch_prepare(&plan, &last, how->message, error)) &&
	       carry_out(&plan, &last, how, record, user, ret_applied, error);
}

/* ---- undo ---- */

static GHashTable *arriving(const TreePlan *plan)
{
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];

		if (!edit->before.mode)
			g_hash_table_add(set, edit->path);
	}
	return set;
}

static gboolean check_undo(TreePlan *plan, GError **error)
{
	g_autoptr(GHashTable) leaving = arriving(plan);
	g_autoptr(GPtrArray) folders = g_steal_pointer(&plan->folders);
	gboolean ok = TRUE;

	plan->folders = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; ok && i < plan->edits->len; i++) {
		TreeEdit *edit = plan->edits->pdata[i];
		TreeState now = { 0 };

		ok = tree_state_read(plan->top, edit->path, &plan->tree->repo, &now,
				     error);
		edit->done = tree_state_equal(&now, &edit->before);
		if (ok && !edit->done && !tree_state_equal(&now, &edit->after) &&
		    !(now.mode == TREE_MODE_DIR && !edit->after.mode))
			tree_plan_conflict(plan, edit->path, "edited since");
		else if (ok && !edit->done && edit->before.mode)
			ok = tree_plan_clear_way(plan, edit->path, leaving, error);
		tree_state_clear(&now);
	}
	g_ptr_array_unref(plan->folders);
	plan->folders = g_steal_pointer(&folders);
	return ok;
}

static gboolean revert_branch(TreePlan *plan, SpkTreeApplied *undone, GError **error)
{
	gboolean moved;

	if (!tree_branch_move(plan, &moved, error)) {
		if (!moved)
			(void)tree_plan_run(plan, FALSE, NULL);
		return FALSE;
	}
	if (g_strcmp0(plan->head, plan->new_head)) /* else it was not on the branch */
		undone->commit = g_strdup(plan->new_head);
	return TRUE;
}

static gboolean take_back(TreePlan *plan, SpkTreeApplied *undone, GError **error)
{
	g_autofree char *path = record_path(plan->tree);

	if (plan->commit && !tree_branch_prepare_revert(plan, error))
		return FALSE;
	if (plan->conflicts->len)
		return refuse(plan, "undone",
			      "take these back by hand, then undo once "
			      "more: what is as before is left alone",
			      error);
	if (!tree_plan_run(plan, TRUE, error) ||
	    (plan->commit && !revert_branch(plan, undone, error)))
		return FALSE;
	(void)unlink(path); /* left behind, it only makes a later apply look twice */
	return TRUE;
}

gboolean spk_tree_undo(SpkTree *tree, json_t *record, SpkCancel *cancel,
		       SpkTreeApplied *ret_undone, GError **error)
{
	g_auto(TreePlan) plan = { .top = -1 };

	if (!tree_plan_open(&plan, tree, cancel, error) ||
	    !tree_plan_from_json(&plan, record, error) || !check_undo(&plan, error))
		return FALSE;
	fill(ret_undone, &plan);
	return take_back(&plan, ret_undone, error);
}
