/*
 * Results for the user's repository: raw files become what their git would have stored, a
 * commit is made in user/, its objects are handed over as one pack, and the ref comes last.
 */
#include "box/tree_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

/* ---- raw files into a user tree ---- */

static void append_info(GString *lines, guint mode, const char *blob, const char *path)
{
	g_string_append_printf(lines, "%06o %s\t%s", mode, blob, path);
	g_string_append_c(lines, '\0');
}

gboolean tree_materialise(SpkTree *tree, GArray *files, const char *folder,
			  SpkCancel *cancel, GError **error)
{
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	static const char *const write[] = { "checkout-index", "-a", "-f", "-q", NULL };
	g_autofree char *temp = tree_temp_dir(tree, "materialise", error);
	g_autofree char *index = temp ? g_build_filename(temp, "index", NULL) : NULL;
	SpkGit git = { .git_dir = tree->git, .work_tree = folder, .index = index };
	g_autoptr(GString) lines = g_string_new(NULL);

	if (!temp)
		return FALSE;
	for (guint i = 0; i < files->len; i++) {
		const TreeFile *file = &g_array_index(files, TreeFile, i);

		if (file->mode)
			append_info(lines, file->mode, file->blob, file->path);
	}
	return !lines->len ||
	       (spk_git_run(&git, put, lines->str, lines->len, 0, cancel, NULL, NULL,
			    error) &&
		spk_git_run(&git, write, NULL, 0, 0, cancel, NULL, NULL, error));
}

static gboolean change_index(const SpkGit *git, const TreeRepo *repo, GArray *files,
			     SpkCancel *cancel, GError **error)
{
	static const char *const drop[] = { "update-index", "-z", "--index-info", NULL };
	static const char *const add[] = { "update-index", "-z",      "--add",
					   "--replace",	   "--stdin", NULL };
	g_autoptr(GString) gone = g_string_new(NULL);
	g_autoptr(GString) there = g_string_new(NULL);

	for (guint i = 0; i < files->len; i++) {
		const TreeFile *file = &g_array_index(files, TreeFile, i);

		if (file->mode)
			tree_list_add(there, file->path);
		else
			append_info(gone, 0, tree_zero_oid(repo), file->path);
	}
	return (!gone->len || spk_git_run(git, drop, gone->str, gone->len, 0, cancel,
					  NULL, NULL, error)) &&
	       (!there->len || spk_git_run(git, add, there->str, there->len, 0, cancel,
					   NULL, NULL, error));
}

/* Their attributes decide about the conversion. Those among the files come from `folder`,
 * the others from the index, where git looks when the work tree has none. */
char *tree_convert(SpkTree *tree, const char *onto, GArray *files, SpkCancel *cancel,
		   GError **error)
{
	const char *const read[] = { "read-tree", onto ? onto : "--empty", NULL };
	g_autofree char *folder = tree_temp_dir(tree, "convert", error);
	g_autofree char *index = g_build_filename(tree->user, "convert.index", NULL);
	SpkGit git = { .git_dir = tree->user, .work_tree = folder, .index = index };
	g_autofree char *of_tree = NULL;

	if (!folder || !tree_materialise(tree, files, folder, cancel, error) ||
	    !spk_git_run(&git, read, NULL, 0, 0, cancel, NULL, NULL, error) ||
	    !change_index(&git, &tree->repo, files, cancel, error))
		return NULL;
	of_tree = spk_git_line(&git, error, "write-tree", "--missing-ok", NULL);
	(void)spk_fs_remove_tree(folder, NULL); /* emptied before each use */
	return g_steal_pointer(&of_tree);
}

char *spk_tree_user_tree(SpkTree *tree, const char *raw, SpkCancel *cancel,
			 GError **error)
{
	g_autoptr(GPtrArray) changes = NULL;
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(TreeFile));

	if (!tree->repo.git_dir)
		return g_strdup(raw);
	if (!strcmp(raw, tree->base))
		return g_strdup(tree->base_user);
	changes = spk_tree_changes(tree, tree->base, raw, error);
	if (!changes)
		return NULL;
	for (guint i = 0; i < changes->len; i++) {
		const SpkTreeChange *c = changes->pdata[i];
		TreeFile file = { c->path, c->new_mode, c->new_blob };

		g_array_append_val(files, file);
	}
	return tree_convert(tree, tree->base_user, files, cancel, error);
}

/* ---- into the user's repository ---- */

/* Written by git straight into their folder, under its final name last. Loose objects of
 * ours need no flush, theirs are as durable as their git makes packs. */
gboolean tree_hand_over(SpkTree *tree, const char *commit, const char *has,
			SpkCancel *cancel, GError **error)
{
	static const char *const durable[] = { "GIT_CONFIG_COUNT=1",
					       "GIT_CONFIG_KEY_0=core.fsync",
					       "GIT_CONFIG_VALUE_0=committed", NULL };
	g_autofree char *objects =
		g_build_filename(tree->repo.common_dir, "objects", NULL);
	g_autofree char *base = g_build_filename(objects, "pack/pack", NULL);
	g_autofree char *folder = g_path_get_dirname(base);
	const char *const args[] = { "pack-objects",	    "-q", "--revs",
				     "--delta-base-offset", base, NULL };
	const char *const alternates[] = { tree->user_objects, NULL };
	g_autofree char *input = has ? g_strdup_printf("%s\n^%s\n", commit, has)
				     : g_strdup_printf("%s\n", commit);
	SpkGit git = {
		.git_dir = tree->user,
		.objects = objects,
		.alternates = alternates,
		.extra_env = durable,
	};

	if (!spk_fs_mkdirs(folder, 0755, error))
		return FALSE;
	if (access(folder, W_OK) < 0) {
		spk_error_set(error, SPK_ERR_READ_ONLY, "run as the repository's owner",
			      "%s may not be written", folder);
		return FALSE;
	}
	if (spk_git_run(&git, args, input, strlen(input), 0, cancel, NULL, NULL, error))
		return TRUE;
	g_prefix_error(error, "writing into %s: ", objects);
	return FALSE;
}

static char *read_ref(const SpkGit *git, const char *ref, GError **error)
{
	const char *const args[] = { "rev-parse", "-q", "--verify", ref, NULL };
	g_autoptr(GString) out = NULL;
	int status;

	if (!spk_git_run(git, args, NULL, 0, 0, NULL, &out, &status, error))
		return NULL;
	return g_strdup(status == 0 ? g_strchomp(out->str) : "");
}

static gboolean branch_taken(const char *branch, GError **error)
{
	spk_error_set(error, SPK_ERR_CONFLICT, "rename or delete that branch",
		      "the branch %s exists and holds something else", branch);
	return FALSE;
}

/* The branch is this task's alone, and so is a lock that a killed git left on it. */
static void drop_stale_lock(SpkTree *tree, const char *ref)
{
	g_autofree char *path = NULL;

	if (!tree->repo.common_dir)
		return;
	path = g_strconcat(tree->repo.common_dir, "/", ref, ".lock", NULL);
	(void)unlink(path); /* what cannot be removed, git will name */
}

static gboolean write_ref(SpkTree *tree, const SpkGit *git, const char *ref,
			  const char *commit, GError **error)
{
	const char *const args[] = { "update-ref", "-m",   "sparks: result of a task",
				     ref,	   commit, tree_zero_oid(&tree->repo),
				     NULL };
	g_autoptr(GError) why = NULL;

	drop_stale_lock(tree, ref);
	if (spk_git_run(git, args, NULL, 0, 0, NULL, NULL, NULL, &why))
		return TRUE;
	if (strstr(why->message,
		   "cannot create")) /* "sparks" or "sparks/ID/x" is in the way */
		spk_error_set(
			error, SPK_ERR_CONFLICT,
			"a branch's name cannot be the folder of another: rename it",
			"%s", why->message);
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static gboolean publish(SpkTree *tree, const SpkTreeCommit *how, const char *commit,
			char **identity, SpkCancel *cancel, GError **error)
{
	g_autofree char *ref = g_strconcat("refs/heads/", how->branch, NULL);
	gboolean theirs = tree->repo.git_dir && !how->kept;
	SpkGit git = theirs ? tree_their_git(tree)
			    : (SpkGit){ .git_dir = tree->repo.git_dir ? tree->user
								      : tree->git };
	g_autofree char *now = NULL;

	git.extra_env = (const char *const *)identity; /* for the reflog */
	now = read_ref(&git, ref, error);
	if (!now)
		return FALSE;
	if (*now)
		return !strcmp(now, commit) || branch_taken(how->branch, error);
	return (!theirs ||
		tree_hand_over(tree, commit, tree->repo.head, cancel, error)) &&
	       write_ref(tree, &git, ref, commit, error);
}

char *spk_tree_commit(SpkTree *tree, const char *raw, const SpkTreeCommit *how,
		      gboolean *ret_in_user_repo, SpkCancel *cancel, GError **error)
{
	gboolean theirs = tree->repo.git_dir != NULL;
	SpkGit git = { .git_dir = theirs ? tree->user : tree->git };
	g_auto(GStrv) identity = tree_identity_env(&tree->repo, how->time_us);
	g_autofree char *of_tree = spk_tree_user_tree(tree, raw, cancel, error);
	g_autofree char *commit = NULL;

	if (!of_tree)
		return NULL;
	commit = tree_commit_object(&git, of_tree,
				    theirs ? tree->base_commit : tree->box_head,
				    how->message, identity, cancel, error);
	if (!commit || !publish(tree, how, commit, identity, cancel, error))
		return NULL;
	*ret_in_user_repo = theirs && !how->kept;
	return g_steal_pointer(&commit);
}
