/* A path that both the task and the user changed. */
#include "box/tree_apply_priv.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"

#define MERGE_MAX (32u << 20) /* bytes of a file that is worth merging by lines */

typedef struct {
	TreePlan *plan;
	const SpkTreeChange *change;
	TreeEdit *edit;
	char *temp; /* folder with `yours`, `base`, `task` */
} Merge;

static gboolean is_regular(guint mode)
{
	return mode == 0100644 || mode == 0100755;
}

/* The user's file as it is now becomes a blob of ours: undo needs it. */
static gboolean keep_theirs(Merge *merge, gboolean *ret_same, GError **error)
{
	TreePlan *plan = merge->plan;
	SpkGit git = { .git_dir = plan->tree->git, .cwd = merge->temp };
	const char *name;
	spk_autofd int from =
		tree_open_parent(plan->top, merge->edit->path, FALSE, NULL, &name, error);
	spk_autofd int to = tree_open_dir(merge->temp, error);
	g_autofree char *blob = NULL;

	if (from < 0 || to < 0)
		return FALSE;
	if (!spk_fs_copy_file(from, name, to, "yours", error))
		return FALSE;
	blob = spk_git_line(&git, error, "hash-object", "-w", "--no-filters", "yours",
			    NULL);
	*ret_same = !g_strcmp0(blob, merge->edit->before.blob);
	return blob != NULL;
}

static gboolean put_blob(Merge *merge, const char *name, const char *blob, GError **error)
{
	gsize len;
	g_autofree char *text =
		spk_tree_read_blob(merge->plan->tree, blob, MERGE_MAX, &len, error);

	return text && tree_write_file(merge->temp, name, text, len, error);
}

/* *ret_places: conflicts in the text; -1: not text. */
static gboolean merge_text(Merge *merge, char **ret_blob, int *ret_places, GError **error)
{
	g_autofree char *label = g_strconcat("sparks/", merge->plan->tree->id, NULL);
	const char *const args[] = { "merge-file", "-p",   "-L",   "yours",
				     "-L",	   "base", "-L",   label,
				     "yours",	   "base", "task", NULL };
	static const char *const store[] = { "hash-object", "-w", "--no-filters",
					     "--stdin", NULL };
	SpkGit git = { .git_dir = merge->plan->tree->git, .cwd = merge->temp };
	g_autoptr(GString) out = NULL, blob = NULL;

	if (!put_blob(merge, "base", merge->change->old_blob, error) ||
	    !put_blob(merge, "task", merge->change->new_blob, error) ||
	    !spk_git_run(&git, args, NULL, 0, 0, merge->plan->cancel, &out, ret_places,
			 error))
		return FALSE;
	if (*ret_places > 127) {
		*ret_places = -1;
		return TRUE;
	}
	if (!spk_git_run(&git, store, out->str, out->len, 0, merge->plan->cancel, &blob,
			 NULL, error))
		return FALSE;
	*ret_blob = g_strdup(g_strchomp(blob->str));
	return TRUE;
}

static gboolean merge_contents(Merge *merge, const SpkTreeApply *how, gboolean *ret_write,
			       GError **error)
{
	const SpkTreeChange *c = merge->change;
	TreeEdit *edit = merge->edit;
	g_autoptr(GError) why = NULL;
	int places = 0;

	if (!strcmp(c->new_blob, c->old_blob) ||
	    !strcmp(edit->before.blob, c->old_blob)) {
		gboolean theirs = !strcmp(c->new_blob, c->old_blob);

		edit->after.blob = g_strdup(theirs ? edit->before.blob : c->new_blob);
		return TRUE;
	}
	if (!merge_text(merge, &edit->after.blob, &places, &why)) {
		if (!spk_error_is(why, SPK_ERR_LIMIT)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		places = -1;
	}
	if (places < 0)
		tree_plan_conflict(merge->plan, edit->path,
				   "changed on both sides, and it is not text");
	else if (places > 0)
		tree_plan_conflict(merge->plan, edit->path,
				   "changed on both sides in %d place%s", places,
				   places > 1 ? "s" : "");
	*ret_write = places == 0 || (places > 0 && how->markers && !how->commit);
	return TRUE;
}

static gboolean merge_files(Merge *merge, const SpkTreeApply *how, gboolean *ret_write,
			    GError **error)
{
	const SpkTreeChange *c = merge->change;
	TreeEdit *edit = merge->edit;
	gboolean same;

	if (!keep_theirs(merge, &same, error))
		return FALSE;
	if (!same) {
		tree_plan_conflict(merge->plan, edit->path,
				   "it is being changed right now");
		return TRUE;
	}
	edit->after.mode = edit->before.mode != c->old_mode ? edit->before.mode
							    : c->new_mode;
	*ret_write = TRUE;
	if (!merge_contents(merge, how, ret_write, error))
		return FALSE;
	edit->merged = *ret_write;
	*ret_write &= !tree_state_equal(&edit->before, &edit->after);
	return TRUE;
}

static const char *reason(const SpkTreeChange *c, const TreeState *now)
{
	if (now->mode == TREE_MODE_OTHER)
		return "something that is neither file nor folder is there";
	if (now->mode == TREE_MODE_DIR)
		return "a folder is there now";
	if (!c->old_mode)
		return "a file of yours that the task did not see is there";
	if (!now->mode)
		return "the task changed it, you removed it";
	if (!c->new_mode)
		return "the task removed it, you changed it";
	return "changed on both sides, and one of them is a link";
}

gboolean tree_merge(TreePlan *plan, const SpkTreeChange *change, const SpkTreeApply *how,
		    TreeEdit *edit, gboolean *ret_write, GError **error)
{
	Merge merge = { .plan = plan, .change = change, .edit = edit };
	gboolean ok;

	*ret_write = FALSE;
	if (!is_regular(change->old_mode) || !is_regular(change->new_mode) ||
	    !is_regular(edit->before.mode)) {
		tree_plan_conflict(plan, edit->path, "%s", reason(change, &edit->before));
		return TRUE;
	}
	merge.temp = tree_temp_dir(plan->tree, "merge", error);
	ok = merge.temp && merge_files(&merge, how, ret_write, error);
	g_free(merge.temp);
	return ok;
}
