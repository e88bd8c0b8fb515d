/*
 * The user's view: what `git add -A && git commit` would record now, without touching their
 * repository. Our git folder, their files, a copy of their index: entries whose stat data
 * match keep their blob, so content that a filter made (LFS pointers) stays as it is.
 *
 * Submodules leave the copied index before `add`: git would run `git status` inside of them,
 * with their configuration. Their entries return afterwards.
 */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "guard/guard.h"

typedef struct {
	SpkTree *tree;
	SpkGit git;
	char *index_path;
	const SpkTreeLimits *limits;
	GString *untracked;
	GPtrArray *secrets; /* sensitive files that git would record as they are now */
	GString *gitlinks;  /* lines of update-index --index-info */
	GString *listing;   /* of the copied index and the untracked files */
	GPtrArray *entries; /* in it */
	TreeView *view;
} Viewing;

static void viewing_clear(Viewing *viewing)
{
	g_free(viewing->index_path);
	g_string_free(viewing->untracked, TRUE);
	g_ptr_array_unref(viewing->secrets);
	g_string_free(viewing->gitlinks, TRUE);
	if (viewing->entries)
		g_ptr_array_unref(viewing->entries);
	if (viewing->listing)
		g_string_free(viewing->listing, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Viewing, viewing_clear)

void tree_view_clear(TreeView *view)
{
	g_free(view->tree);
	if (view->paths)
		g_string_free(view->paths, TRUE);
	g_clear_pointer(&view->submodules, g_ptr_array_unref);
	g_clear_pointer(&view->nested, g_ptr_array_unref);
	*view = (TreeView){ 0 };
}

/* ---- their index ---- */

/* realpath: git writes through a symlink, and a copied link would lead back to theirs. */
static gboolean copy_one(const char *from_dir, const char *name, const char *to,
			 GError **error)
{
	g_autofree char *path = g_build_filename(from_dir, name, NULL);
	g_autofree char *real = realpath(path, NULL);

	(void)unlink(to);
	return !real || spk_fs_copy_file(AT_FDCWD, real, AT_FDCWD, to, error);
}

/* The other half of a split index is looked for beside it. */
static gboolean copy_shared(SpkTree *tree, GError **error)
{
	DIR *dir = opendir(tree->repo.git_dir);
	struct dirent *entry;
	gboolean ok = TRUE;

	while (ok && dir && (entry = readdir(dir))) {
		g_autofree char *to = g_build_filename(tree->user, entry->d_name, NULL);

		if (g_str_has_prefix(entry->d_name, "sharedindex."))
			ok = copy_one(tree->repo.git_dir, entry->d_name, to, error);
	}
	if (dir)
		closedir(dir);
	return ok;
}

gboolean tree_view_copy_index(SpkTree *tree, const char *name, GError **error)
{
	g_autofree char *to = g_build_filename(tree->user, name, NULL);

	if (!tree->repo.git_dir)
		return TRUE;
	return copy_one(tree->repo.git_dir, "index", to, error) &&
	       copy_shared(tree, error);
}

/* ---- what is there ---- */

static gboolean refuse_unmerged(const char *path, GError **error)
{
	g_autofree char *shown = spk_text_clean(path, -1, SPK_CLEAN_LINE);

	spk_error_set(error, SPK_ERR_REPO_UNSUPPORTED,
		      "finish the merge or abort it first",
		      "%s has unresolved conflicts of a merge", shown);
	return FALSE;
}

/* The commit of what is not committed yet is on a branch that may be pushed: no secret gets into
 * git by it. One that git knows stays as the index has it. */
static void note_secret(Viewing *viewing, const char *path)
{
	if (viewing->limits->sensitive &&
	    spk_guard_match(viewing->limits->sensitive, path))
		g_ptr_array_add(viewing->secrets, g_strdup(path));
}

/* "H 100644 SHA STAGE\tPATH", or "? PATH" for an untracked file. */
static gboolean take_entry(Viewing *viewing, const char *entry, GError **error)
{
	const char *path = strchr(entry, '\t');
	gboolean submodule = g_str_has_prefix(entry + 1, " 160000 ");

	if (entry[0] == '?') {
		path = entry + 2;
		if (g_str_has_suffix(path, "/")) {
			g_ptr_array_add(viewing->view->nested,
					g_strndup(path, strlen(path) - 1));
			return TRUE;
		}
		tree_list_add(viewing->untracked, path);
		note_secret(viewing, path);
	} else if (path && path[-1] != '0') {
		return refuse_unmerged(path + 1, error);
	} else if (path && submodule) {
		g_ptr_array_add(viewing->view->submodules, g_strdup(path + 1));
		g_string_append_len(viewing->gitlinks, entry + 2, strlen(entry + 2) + 1);
	} else if (path) {
		viewing->view->n_sparse += g_ascii_toupper(entry[0]) == 'S';
		note_secret(viewing, path + 1);
	}
	return TRUE;
}

static gboolean list_files(Viewing *viewing, SpkCancel *cancel, GError **error)
{
	static const char *const args[] = {
		"ls-files", "-z", "-s", "-v", "-c", "-o", "--exclude-standard", NULL
	};

	if (!spk_git_run(&viewing->git, args, NULL, 0, TREE_LIST_MAX, cancel,
			 &viewing->listing, NULL, error))
		return FALSE;
	viewing->entries = tree_split_z(viewing->listing);
	for (guint i = 0; i < viewing->entries->len; i++)
		if (!take_entry(viewing, viewing->entries->pdata[i], error))
			return FALSE;
	return TRUE;
}

/* Before git hashes gigabytes that somebody forgot to ignore. */
static gboolean check_limits(Viewing *viewing, const SpkTreeLimits *limits,
			     GError **error)
{
	static const char hint[] = "add what the task does not need to .gitignore";
	gint64 max_files = limits->max_files ? limits->max_files : TREE_MAX_FILES;
	gint64 max_bytes = limits->max_bytes ? limits->max_bytes : TREE_MAX_BYTES;
	const char *top = viewing->tree->repo.top;
	g_autoptr(GPtrArray) paths = tree_split_z(viewing->untracked);
	spk_autofd int fd = tree_open_dir(top, error);
	gint64 bytes = 0;
	struct stat st;

	if (fd < 0)
		return FALSE;
	if ((gint64)viewing->entries->len > max_files) {
		spk_error_set(error, SPK_ERR_LIMIT, hint,
			      "%s holds %" G_GINT64_FORMAT
			      " files, more than %" G_GINT64_FORMAT,
			      top, (gint64)viewing->entries->len, max_files);
		return FALSE;
	}
	for (guint i = 0; i < paths->len; i++)
		if (fstatat(fd, paths->pdata[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += st.st_size;
	if (bytes > max_bytes) {
		g_autofree char *has = spk_text_bytes(bytes),
				*most = spk_text_bytes(max_bytes);

		spk_error_set(error, SPK_ERR_LIMIT, hint,
			      "%s holds %s of untracked files, more "
			      "than %s",
			      top, has, most);
		return FALSE;
	}
	return TRUE;
}

/* ---- the tree of it ---- */

static gboolean drop_gitlinks(Viewing *viewing, SpkCancel *cancel, GError **error)
{
	static const char *const args[] = { "update-index", "-z", "--force-remove",
					    "--stdin", NULL };
	g_autoptr(GString) paths = g_string_new(NULL);
	GPtrArray *submodules = viewing->view->submodules;

	if (!submodules->len)
		return TRUE;
	for (guint i = 0; i < submodules->len; i++)
		tree_list_add(paths, submodules->pdata[i]);
	return spk_git_run(&viewing->git, args, paths->str, paths->len, 0, cancel, NULL,
			   NULL, error);
}

static gboolean add_files(Viewing *viewing, SpkCancel *cancel, GError **error)
{
	static const char *const args[] = { "add", "-A", "--pathspec-from-file=-",
					    "--pathspec-file-nul", NULL };
	GPtrArray *left_out[] = { viewing->view->submodules, viewing->view->nested,
				  viewing->secrets };
	g_autoptr(GString) specs = g_string_new(NULL);

	tree_list_add(specs, ".");
	for (gsize k = 0; k < G_N_ELEMENTS(left_out); k++) {
		for (guint i = 0; i < left_out[k]->len; i++) {
			g_autofree char *spec = g_strconcat(":(exclude,literal)",
							    left_out[k]->pdata[i], NULL);

			tree_list_add(specs, spec);
		}
	}
	if (spk_git_run(&viewing->git, args, specs->str, specs->len, 0, cancel, NULL,
			NULL, error))
		return TRUE;
	g_prefix_error(error, "recording %s as it is: ", viewing->tree->repo.top);
	return FALSE;
}

static gboolean return_gitlinks(Viewing *viewing, SpkCancel *cancel, GError **error)
{
	static const char *const args[] = { "update-index", "-z", "--index-info", NULL };

	return !viewing->gitlinks->len ||
	       spk_git_run(&viewing->git, args, viewing->gitlinks->str,
			   viewing->gitlinks->len, 0, cancel, NULL, NULL, error);
}

static GPtrArray *list_tree(Viewing *viewing, GString **ret_out, SpkCancel *cancel,
			    GError **error)
{
	/* blobs of a partial clone may be missing here, and that is no concern of ours */
	g_autofree char *tree =
		spk_git_line(&viewing->git, error, "write-tree", "--missing-ok", NULL);
	const char *const args[] = { "ls-tree", "-r", "-z", "--full-tree", tree, NULL };

	if (!tree || !spk_git_run(&viewing->git, args, NULL, 0, TREE_LIST_MAX, cancel,
				  ret_out, NULL, error))
		return NULL;
	g_free(viewing->view->tree);
	viewing->view->tree = g_steal_pointer(&tree);
	return tree_split_z(*ret_out);
}

static gboolean write_view(Viewing *viewing, SpkCancel *cancel, GError **error)
{
	g_autoptr(GString) out = NULL, again = NULL;
	g_autoptr(GPtrArray) now = list_tree(viewing, &out, cancel, error);
	g_autoptr(GPtrArray) better = NULL;
	gboolean any = FALSE;

	if (!now || (viewing->tree->has_filters &&
		     !tree_pointers_keep(viewing->tree, &viewing->git, viewing->entries,
					 now, cancel, &any, error)))
		return FALSE;
	better = any ? list_tree(viewing, &again, cancel, error) : g_ptr_array_ref(now);
	for (guint i = 0; better && i < better->len; i++) {
		const char *path = strchr(better->pdata[i], '\t');

		if (path && !g_str_has_prefix(better->pdata[i], "160000"))
			tree_list_add(viewing->view->paths, path + 1);
	}
	for (guint i = 0; better && i < viewing->entries->len; i++) {
		const char *entry = viewing->entries->pdata[i];

		/* listed all the same: that they are left out is told */
		if (entry[0] == '?' &&
		    g_ptr_array_find_with_equal_func(viewing->secrets, entry + 2,
						     g_str_equal, NULL))
			tree_list_add(viewing->view->paths, entry + 2);
	}
	return better != NULL;
}

gboolean tree_view_make(SpkTree *tree, const char *index, const SpkTreeLimits *limits,
			SpkCancel *cancel, TreeView *ret_view, GError **error)
{
	g_auto(Viewing) viewing = {
		.tree = tree,
		.git = tree_user_git(tree),
		.index_path = g_build_filename(tree->user, index, NULL),
		.limits = limits,
		.untracked = g_string_new(NULL),
		.secrets = g_ptr_array_new_with_free_func(g_free),
		.gitlinks = g_string_new(NULL),
		.view = ret_view,
	};

	viewing.git.index = viewing.index_path;
	ret_view->paths = g_string_new(NULL);
	ret_view->submodules = g_ptr_array_new_with_free_func(g_free);
	ret_view->nested = g_ptr_array_new_with_free_func(g_free);
	if (!tree_view_copy_index(tree, index, error) ||
	    !list_files(&viewing, cancel, error) ||
	    !check_limits(&viewing, limits, error))
		return FALSE;
	if (!tree->repo.git_dir) {
		g_string_append_len(ret_view->paths, viewing.untracked->str,
				    viewing.untracked->len);
		return TRUE;
	}
	return drop_gitlinks(&viewing, cancel, error) &&
	       add_files(&viewing, cancel, error) &&
	       return_gitlinks(&viewing, cancel, error) &&
	       write_view(&viewing, cancel, error);
}
