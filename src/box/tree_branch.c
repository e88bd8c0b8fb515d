/*
 * Apply with --commit: the edits as one commit on the branch the user is on, and the commit
 * that takes it back. Commits are built in user/; of the user's repository only the object
 * folder, one ref and the index entries of the edited paths are written.
 */
#include "box/tree_apply_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"

/* ---- what forbids it ---- */

static gboolean check_idle(SpkTree *tree, GError **error)
{
	static const struct {
		const char *file;
		const char *what;
		const char *hint;
	} under_way[] = {
		{ "MERGE_HEAD", "a merge", NULL },
		{ "CHERRY_PICK_HEAD", "a cherry-pick", NULL },
		{ "REVERT_HEAD", "a revert", NULL },
		{ "rebase-merge", "a rebase", NULL },
		{ "rebase-apply", "a rebase", NULL },
		{ "index.lock", "another git command",
		  "wait for it; if none runs, one has crashed: remove .git/index.lock" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(under_way); i++) {
		g_autofree char *path =
			g_build_filename(tree->repo.git_dir, under_way[i].file, NULL);

		if (!g_file_test(path, G_FILE_TEST_EXISTS))
			continue;
		spk_error_set(error, SPK_ERR_CONFLICT,
			      under_way[i].hint ? under_way[i].hint
						: "finish or abort it first",
			      "%s is under way in %s", under_way[i].what, tree->repo.top);
		return FALSE;
	}
	return TRUE;
}

static void add_paths(GHashTable *set, GPtrArray *paths)
{
	for (guint i = 0; i < paths->len; i++)
		g_hash_table_add(set, g_strdup(paths->pdata[i]));
}

/* Paths whose index entry differs from HEAD's. */
static gboolean add_staged(TreePlan *plan, const char *head, GHashTable *set,
			   GError **error)
{
	SpkTree *tree = plan->tree;
	const char *const with_head[] = { "diff-index",	  "--cached", "-z", "--name-only",
					  "--no-renames", head,	      NULL };
	static const char *const without[] = { "ls-files", "-z", NULL };
	g_autofree char *index = g_build_filename(tree->user, "staged.index", NULL);
	SpkGit git = tree_user_git(tree);
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) paths = NULL;

	git.index = index;
	if (!tree_view_copy_index(tree, "staged.index", error) ||
	    !spk_git_run(&git, head ? with_head : without, NULL, 0, TREE_LIST_MAX,
			 plan->cancel, &out, NULL, error))
		return FALSE;
	paths = tree_split_z(out);
	add_paths(set, paths);
	return TRUE;
}

/* Paths that would change if everything were committed now. */
static gboolean add_unsaved(TreePlan *plan, const char *head, GHashTable *set,
			    GError **error)
{
	static const SpkTreeLimits limits = { 0 };
	SpkGit git = tree_user_git(plan->tree);
	g_auto(TreeView) view = { 0 };
	g_autoptr(GPtrArray) changes = NULL;

	if (!tree_view_make(plan->tree, "now.index", &limits, plan->cancel, &view, error))
		return FALSE;
	if (!head) {
		g_autoptr(GPtrArray) paths = tree_split_z(view.paths);

		add_paths(set, paths);
		return TRUE;
	}
	changes = tree_changes_in(&git, head, view.tree, error);
	for (guint i = 0; changes && i < changes->len; i++) {
		const SpkTreeChange *change = changes->pdata[i];

		g_hash_table_add(set, g_strdup(change->path));
	}
	return changes != NULL;
}

gboolean tree_branch_check(TreePlan *plan, GError **error)
{
	g_autoptr(GHashTable)
		set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (!check_idle(plan->tree, error) ||
	    !tree_repo_head(plan->tree, &plan->head, error) ||
	    !add_staged(plan, plan->head, set, error) ||
	    !add_unsaved(plan, plan->head, set, error))
		return FALSE;
	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];

		if (!edit->done && g_hash_table_contains(set, edit->path))
			tree_plan_conflict(plan, edit->path,
					   "it has uncommitted changes of yours");
	}
	return TRUE;
}

/* ---- the commit ---- */

static char *tree_of(const SpkGit *git, const char *commit, GError **error)
{
	g_autofree char *spec = g_strconcat(commit, "^{tree}", NULL);

	return spk_git_line(git, error, "rev-parse", "--verify", spec, NULL);
}

/* Of `of_tree` on top of HEAD; HEAD itself when it has that tree already. */
static gboolean commit_on_head(TreePlan *plan, const char *of_tree, const char *message,
			       GError **error)
{
	SpkGit git = tree_user_git(plan->tree);
	g_auto(GStrv) identity = tree_identity_env(&plan->tree->repo, spk_now_us());
	g_autofree char *head_tree = plan->head ? tree_of(&git, plan->head, error) : NULL;

	if (plan->head && !head_tree)
		return FALSE;
	if (!g_strcmp0(head_tree, of_tree)) {
		plan->new_head = g_strdup(plan->head);
		return TRUE;
	}
	plan->new_head = tree_commit_object(&git, of_tree, plan->head, message, identity,
					    plan->cancel, error);
	return plan->new_head && tree_hand_over(plan->tree, plan->new_head, plan->head,
						plan->cancel, error);
}

gboolean tree_branch_prepare(TreePlan *plan, const TreePlan *last, const char *message,
			     GError **error)
{
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(TreeFile));
	g_autofree char *of_tree = NULL;
	gboolean there;

	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];
		TreeFile file = { edit->path, edit->after.mode, edit->after.blob };

		g_array_append_val(files, file);
	}
	of_tree = tree_convert(plan->tree, plan->head, files, plan->cancel, error);
	if (!of_tree || !commit_on_head(plan, of_tree, message, error))
		return FALSE;
	there = last->commit && !g_strcmp0(plan->head, plan->new_head);
	plan->commit = g_strdup(there ? last->commit : plan->new_head);
	plan->old_head = g_strdup(there ? last->old_head : plan->head);
	return TRUE;
}

/* ---- the way back ---- */

/* Lines of --index-info that turn plan->commit into what was below it. A path that somebody
 * committed again since is a conflict, unless it already is as it was. */
static GString *revert_lines(TreePlan *plan, GPtrArray *back, GPtrArray *since)
{
	g_autoptr(GHashTable) touched = g_hash_table_new(g_str_hash, g_str_equal);
	GString *lines = g_string_new(NULL);

	for (guint i = 0; i < since->len; i++) {
		SpkTreeChange *change = since->pdata[i];

		g_hash_table_insert(touched, change->path, change);
	}
	for (guint i = 0; i < back->len; i++) {
		const SpkTreeChange *b = back->pdata[i];
		const SpkTreeChange *s = g_hash_table_lookup(touched, b->path);

		if (s &&
		    (s->new_mode != b->new_mode || g_strcmp0(s->new_blob, b->new_blob)))
			tree_plan_conflict(plan, b->path, "committed again since");
		g_string_append_printf(lines, "%06o %s\t%s", b->new_mode,
				       b->new_mode ? b->new_blob
						   : tree_zero_oid(&plan->tree->repo),
				       b->path);
		g_string_append_c(lines, '\0');
	}
	return lines;
}

static char *empty_tree(const SpkGit *git, GError **error)
{
	return spk_git_line(git, error, "hash-object", "-t", "tree", "-w", "/dev/null",
			    NULL);
}

static char *revert_tree(TreePlan *plan, GError **error)
{
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	const char *const read[] = { "read-tree", plan->head, NULL };
	g_autofree char *index =
		g_build_filename(plan->tree->user, "convert.index", NULL);
	SpkGit git = tree_user_git(plan->tree);
	g_autofree char *below = plan->old_head ? g_strdup(plan->old_head)
						: empty_tree(&git, error);
	g_autoptr(GPtrArray) back = NULL, since = NULL;
	g_autoptr(GString) lines = NULL;

	git.index = index;
	back = below ? tree_changes_in(&git, plan->commit, below, error) : NULL;
	since = back ? tree_changes_in(&git, plan->commit, plan->head, error) : NULL;
	if (!since)
		return NULL;
	lines = revert_lines(plan, back, since);
	if (!spk_git_run(&git, read, NULL, 0, 0, plan->cancel, NULL, NULL, error) ||
	    !spk_git_run(&git, put, lines->str, lines->len, 0, plan->cancel, NULL, NULL,
			 error))
		return NULL;
	return spk_git_line(&git, error, "write-tree", "--missing-ok", NULL);
}

gboolean tree_branch_prepare_revert(TreePlan *plan, GError **error)
{
	g_autofree char *of_tree = NULL, *message = NULL;

	if (!check_idle(plan->tree, error) ||
	    !tree_repo_head(plan->tree, &plan->head, error))
		return FALSE;
	if (!plan->head) {
		tree_plan_conflict(plan, "HEAD", "the branch has no commit any more");
		return TRUE;
	}
	of_tree = revert_tree(plan, error);
	message = g_strdup_printf("Revert the changes of sparks task %s\n\n"
				  "This reverts commit %s.\n",
				  plan->tree->id, plan->commit);
	return of_tree &&
	       (plan->conflicts->len || commit_on_head(plan, of_tree, message, error));
}

/* ---- the branch ---- */

static gboolean move_ref(TreePlan *plan, GError **error)
{
	const char *from = plan->head ? plan->head : tree_zero_oid(&plan->tree->repo);
	const char *const args[] = {
		"update-ref", "-m", "sparks: changes of a task", "HEAD", plan->new_head,
		from,	      NULL
	};
	g_auto(GStrv) identity = tree_identity_env(&plan->tree->repo, spk_now_us());
	SpkGit git = tree_their_git(plan->tree);

	if (!g_strcmp0(plan->head, plan->new_head))
		return TRUE;
	git.extra_env = (const char *const *)identity;
	return spk_git_run(&git, args, NULL, 0, 0, NULL, NULL, NULL, error);
}

/* The edited paths as the new head has them. */
static GString *index_lines(TreePlan *plan, GError **error)
{
	const char *const args[] = { "ls-tree",	    "-r",	    "-z",
				     "--full-tree", plan->new_head, NULL };
	SpkGit git = { .git_dir = plan->tree->user };
	g_autoptr(GHashTable) entries = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) out = NULL, gone = g_string_new(NULL),
			   put = g_string_new(NULL);
	g_autoptr(GPtrArray) rows = NULL;

	if (!spk_git_run(&git, args, NULL, 0, TREE_LIST_MAX, plan->cancel, &out, NULL,
			 error))
		return NULL;
	rows = tree_split_z(out);
	for (guint i = 0; i < rows->len; i++)
		g_hash_table_insert(entries, strchrnul(rows->pdata[i], '\t') + 1,
				    rows->pdata[i]);
	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];
		const char *row = g_hash_table_lookup(entries, edit->path);

		if (row) {
			tree_list_add(put, row);
			continue;
		}
		g_string_append_printf(gone, "0 %s\t%s", tree_zero_oid(&plan->tree->repo),
				       edit->path);
		g_string_append_c(gone, '\0');
	}
	g_string_append_len(gone, put->str, put->len);
	return g_steal_pointer(&gone);
}

/* With our git folder over their index: writing an index reads files that changed within the
 * second, and with their configuration that would run their filters. */
static gboolean move_index(TreePlan *plan, const GString *lines, GError **error)
{
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	g_autofree char *index =
		g_build_filename(plan->tree->repo.git_dir, "index", NULL);
	SpkGit git = tree_user_git(plan->tree);

	git.index = index;
	return tree_view_copy_index(plan->tree, "now.index", error) &&
	       spk_git_run(&git, put, lines->str, lines->len, 0, NULL, NULL, NULL, error);
}

gboolean tree_branch_move(TreePlan *plan, gboolean *ret_moved, GError **error)
{
	g_autoptr(GString) lines = index_lines(plan, error);

	*ret_moved = lines && move_ref(plan, error);
	return *ret_moved && move_index(plan, lines, error);
}
