/*
 * Whether a result's commit holds what was checked. Checks run on a raw tree; the commit has
 * been through the conversions of the user's repository, which the task can change itself by a
 * .gitattributes: with `ident` or `working-tree-encoding`, a check may pass on bytes that no
 * checkout of the commit will ever have.
 */
#include "box/tree_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"

static gboolean is_file(guint mode)
{
	return mode == 0100644 || mode == 0100755;
}

/* Files the task wrote whose bytes the commit does not hold. SpkTreeChange, raw to user. */
static GPtrArray *converted(SpkTree *tree, const char *raw, const char *user_tree,
			    GError **error)
{
	SpkGit git = tree_user_git(tree);
	g_autoptr(GPtrArray) task = spk_tree_changes(tree, tree->base, raw, error);
	g_autoptr(GPtrArray) all = task ? tree_changes_in(&git, raw, user_tree, error)
					: NULL;
	g_autoptr(GHashTable) wrote = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *found;

	if (!all)
		return NULL;
	for (guint i = 0; i < task->len; i++)
		g_hash_table_add(wrote, ((SpkTreeChange *)task->pdata[i])->path);
	found = g_ptr_array_new_with_free_func((GDestroyNotify)spk_tree_change_free);
	for (guint i = 0; i < all->len; i++) {
		SpkTreeChange *c = all->pdata[i];

		if (!is_file(c->old_mode) || !is_file(c->new_mode) ||
		    !g_hash_table_contains(wrote, c->path))
			continue;
		g_ptr_array_add(found, c);
		all->pdata[i] = NULL;
	}
	return found;
}

static GString *list_of(GPtrArray *changes)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++)
		tree_list_add(list, ((SpkTreeChange *)changes->pdata[i])->path);
	return list;
}

/* These paths below `folder` as a checkout of the commit would have them. */
static gboolean check_out(SpkTree *tree, const char *user_tree, const char *folder,
			  const GString *paths, SpkCancel *cancel, GError **error)
{
	const char *const read[] = { "read-tree", user_tree, NULL };
	static const char *const write[] = { "checkout-index", "-f", "-q", "-z",
					     "--stdin",	       NULL };
	g_autofree char *index = g_build_filename(tree->user, "lossy.index", NULL);
	SpkGit git = { .git_dir = tree->user, .work_tree = folder, .index = index };

	return spk_git_run(&git, read, NULL, 0, 0, cancel, NULL, NULL, error) &&
	       spk_git_run(&git, write, paths->str, paths->len, 0, cancel, NULL, NULL,
			   error);
}

/* "MODE SHA STAGE\tPATH" of these files, byte for byte. */
static GString *record(SpkTree *tree, const char *folder, const GString *paths,
		       SpkCancel *cancel, GError **error)
{
	static const char *const add[] = { "update-index", "-z", "--add", "--stdin",
					   NULL };
	static const char *const list[] = { "ls-files", "-z", "-s", NULL };
	g_autofree char *index = g_build_filename(tree->git, "lossy.index", NULL);
	SpkGit git = { .git_dir = tree->git, .work_tree = folder, .index = index };
	g_autoptr(GString) out = NULL;

	if (!spk_fs_remove_tree(index, error) ||
	    !spk_git_run(&git, add, paths->str, paths->len, 0, cancel, NULL, NULL,
			 error) ||
	    !spk_git_run(&git, list, NULL, 0, TREE_LIST_MAX, cancel, &out, NULL, error))
		return NULL;
	return g_steal_pointer(&out);
}

/* Paths of `changes` that are not among the rows with the raw blob. */
static GPtrArray *differing(GPtrArray *changes, const GString *recorded)
{
	g_autoptr(GPtrArray) rows = tree_split_z(recorded);
	g_autoptr(GHashTable)
		blobs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < rows->len; i++) {
		const char *blob = strchr(rows->pdata[i], ' ');
		const char *tab = strchr(rows->pdata[i], '\t');

		if (blob && tab)
			g_hash_table_insert(blobs, (gpointer)(tab + 1),
					    g_strndup(blob + 1, strcspn(blob + 1, " ")));
	}
	for (guint i = 0; i < changes->len; i++) {
		const SpkTreeChange *c = changes->pdata[i];

		if (g_strcmp0(g_hash_table_lookup(blobs, c->path), c->old_blob))
			g_ptr_array_add(paths, g_strdup(c->path));
	}
	return paths;
}

GPtrArray *spk_tree_lossy(SpkTree *tree, const char *raw, SpkCancel *cancel,
			  GError **error)
{
	g_autofree char *user_tree = spk_tree_user_tree(tree, raw, cancel, error);
	g_autofree char *folder = NULL;
	g_autoptr(GString) paths = NULL, recorded = NULL;
	g_autoptr(GPtrArray) changes = NULL;

	if (!user_tree)
		return NULL;
	if (!strcmp(user_tree, raw)) /* by far the most */
		return g_ptr_array_new_with_free_func(g_free);
	changes = converted(tree, raw, user_tree, error);
	if (!changes)
		return NULL;
	if (!changes->len)
		return g_ptr_array_new_with_free_func(g_free);
	paths = list_of(changes);
	folder = tree_temp_dir(tree, "lossy", error);
	if (!folder || !check_out(tree, user_tree, folder, paths, cancel, error))
		return NULL;
	recorded = record(tree, folder, paths, cancel, error);
	(void)spk_fs_remove_tree(folder, NULL); /* emptied before each use */
	return recorded ? differing(changes, recorded) : NULL;
}
