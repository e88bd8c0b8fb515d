/* Steps: raw trees on refs, and raw trees as folders. */
#include "box/tree_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"

#define STALE_MS    100
#define STALE_TRIES 20

/* Our own folder, never collected: a ref is a file, and no process is needed to write it. */
static gboolean keep_step(SpkTree *tree, gint64 step, const char *raw, GError **error)
{
	g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, step);
	g_autofree char *dir = g_build_filename(tree->git, "refs/steps", NULL);
	g_autofree char *line = g_strconcat(raw, "\n", NULL);

	return tree_write_file(dir, name, line, strlen(line), error);
}

char *spk_tree_snapshot(SpkTree *tree, gint64 step, SpkCancel *cancel, GError **error)
{
	g_autofree char *raw = tree_record(tree, FALSE, cancel, error);

	if (!raw || !keep_step(tree, step, raw, error))
		return NULL;
	return g_steal_pointer(&raw);
}

/* `folder`, which is empty, becomes the tree; the index then fits its files. */
static gboolean check_out(SpkTree *tree, const char *raw, const char *folder,
			  const char *index, SpkCancel *cancel, GError **error)
{
	const char *const read[] = { "read-tree", raw, NULL };
	static const char *const write[] = {
		"checkout-index", "-a", "-f", "-u", "-q", NULL
	};
	SpkGit git = { .git_dir = tree->git, .work_tree = folder, .index = index };

	return spk_git_run(&git, read, NULL, 0, 0, cancel, NULL, NULL, error) &&
	       spk_git_run(&git, write, NULL, 0, 0, cancel, NULL, NULL, error);
}

/* A submodule leaves an empty folder, as one does that isn't checked out. */
static gboolean make_stubs(SpkTree *tree, const char *folder, GError **error)
{
	spk_autofd int top = tree_open_dir(folder, error);

	if (top < 0)
		return FALSE;
	for (char **p = tree->submodules; p && *p; p++) {
		const char *name;
		spk_autofd int dir = tree_open_parent(top, *p, TRUE, NULL, &name, error);

		if (dir < 0)
			return FALSE;
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
					    "cannot create %s", *p);
			return FALSE;
		}
	}
	return TRUE;
}

/* A tree of `raw` for people to stand on: HEAD is the base and the index is what is there. */
static char *box_commit(SpkTree *tree, const char *raw, SpkCancel *cancel, GError **error)
{
	SpkGit git = tree_raw_git(tree);
	g_auto(GStrv) identity = tree_identity_env(&tree->repo, 0);

	if (!strcmp(raw, tree->base))
		return g_strdup(tree->box_head);
	return tree_commit_object(&git, raw, tree->box_head, "work of the task\n",
				  identity, cancel, error);
}

gboolean tree_work_ready(SpkTree *tree, GError **error)
{
	g_autofree char *index = g_build_filename(tree->git, "index", NULL);

	return make_stubs(tree, tree->work, error) &&
	       tree_box_git(tree, tree->work, index, tree->box_head, error);
}

/* A git that was killed leaves its lock behind. One that outlived its parent is given a
 * moment to end: its lock is its own. */
static void drop_stale_lock(const char *index, SpkCancel *cancel)
{
	g_autofree char *lock = g_strconcat(index, ".lock", NULL);

	for (int i = 0; i < STALE_TRIES && access(lock, F_OK) == 0; i++)
		spk_sleep_ms(STALE_MS, cancel);
	(void)unlink(lock); /* what cannot be removed, git will name */
}

gboolean spk_tree_restore(SpkTree *tree, const char *raw, SpkCancel *cancel,
			  GError **error)
{
	g_autofree char *index = g_build_filename(tree->git, "index", NULL);

	drop_stale_lock(index, cancel);
	g_clear_pointer(&tree->last_raw, g_free);
	return tree_empty_dir(tree->work, error) &&
	       check_out(tree, raw, tree->work, index, cancel, error) &&
	       tree_work_ready(tree, error);
}

static char *checkout_path(SpkTree *tree, const char *name, GError **error)
{
	static const char *const own[] = { "git",	"user",	      "work", "tmp",
					   "meta.json", "apply.json", NULL };

	if (*name && *name != '.' && !strchr(name, '/') && !g_strv_contains(own, name))
		return g_build_filename(tree->dir, name, NULL);
	spk_error_set(error, SPK_ERR_INTERNAL, NULL, "\"%s\" is no name for a checkout",
		      name);
	return NULL;
}

char *spk_tree_checkout(SpkTree *tree, const char *raw, const char *name,
			SpkCancel *cancel, GError **error)
{
	g_autofree char *folder = checkout_path(tree, name, error);
	g_autofree char *temp = folder ? tree_temp_dir(tree, "checkout", error) : NULL;
	g_autofree char *index = NULL, *head = NULL;

	if (!temp || !spk_fs_remove_tree(folder, error) ||
	    !spk_fs_mkdirs(folder, 0755, error))
		return NULL;
	index = g_build_filename(temp, "index", NULL);
	head = box_commit(tree, raw, cancel, error);
	if (!head || !check_out(tree, raw, folder, index, cancel, error) ||
	    !make_stubs(tree, folder, error) ||
	    !tree_box_git(tree, folder, index, head, error))
		return NULL;
	return g_steal_pointer(&folder);
}

gboolean spk_tree_drop_checkout(SpkTree *tree, const char *name, GError **error)
{
	g_autofree char *folder = checkout_path(tree, name, error);

	return folder && spk_fs_remove_tree(folder, error);
}

void spk_tree_git(SpkTree *tree, SpkGit *ret_git)
{
	g_auto(TreeScan) scan = { 0 };

	/* best effort: what it finds unreadable, git will name */
	(void)tree_scan(tree->work, NULL, FALSE, NULL, &scan, NULL);
	*ret_git = tree_raw_git(tree);
}
