/* What is left of a task in the end: its private copy, and its branch in the user's repository. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "box/tree_priv.h"

#define MAX_DEPTH 200

/* Blocks of what lies below; follows no symlink. Files with several names count once a name:
 * a bound from above. */
static gint64 folder_bytes(int parent, const char *name, guint depth)
{
	spk_autofd int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 || depth > MAX_DEPTH ? NULL : fdopendir(dup(fd));
	struct dirent *entry;
	gint64 sum = 0;

	while (dir && (entry = readdir(dir))) {
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		sum += st.st_blocks * 512;
		if (S_ISDIR(st.st_mode))
			sum += folder_bytes(fd, entry->d_name, depth + 1);
	}
	if (dir)
		closedir(dir);
	return sum;
}

gint64 spk_tree_bytes(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_DIR) ? folder_bytes(AT_FDCWD, path, 0)
						     : -1;
}

/* ---- the branch ---- */

static gboolean is_checked_out(const SpkGit *git, const char *ref, gboolean *ret_is,
			       SpkCancel *cancel, GError **error)
{
	static const char *const args[] = { "worktree", "list", "--porcelain", NULL };
	g_autoptr(GString) out = NULL;
	g_autofree char *line = g_strconcat("branch ", ref, "\n", NULL);

	if (!spk_git_run(git, args, NULL, 0, TREE_LIST_MAX, cancel, &out, NULL, error))
		return FALSE;
	*ret_is = strstr(out->str, line) != NULL;
	return TRUE;
}

/* Whether some other ref holds the commit. */
static gboolean is_merged(const SpkGit *git, const char *ref, const char *commit,
			  gboolean *ret_is, SpkCancel *cancel, GError **error)
{
	const char *const args[] = { "for-each-ref", "--format=%(refname)", "--contains",
				     commit, NULL };
	g_autoptr(GString) out = NULL;
	g_auto(GStrv) lines = NULL;

	*ret_is = FALSE;
	if (!spk_git_run(git, args, NULL, 0, TREE_LIST_MAX, cancel, &out, NULL, error))
		return FALSE;
	lines = g_strsplit(out->str, "\n", -1);
	for (char **line = lines; *line; line++)
		*ret_is |= **line && strcmp(*line, ref) != 0;
	return TRUE;
}

static gboolean keep(SpkTreeBranch *ret, SpkTreeBranch why)
{
	*ret = why;
	return TRUE;
}

gboolean spk_tree_drop_branch(const char *folder, const char *branch, const char *commit,
			      gboolean even_unmerged, gboolean dry_run,
			      SpkTreeBranch *ret, SpkCancel *cancel, GError **error)
{
	g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
	const char *const drop[] = { "update-ref", "-d", ref, commit, NULL };
	const char *const show[] = { "rev-parse", "--verify", "--quiet", ref, NULL };
	TreeRepo repo = { 0 };
	g_autofree char *common = NULL;
	g_autoptr(GString) now = NULL;
	SpkGit git = { 0 };
	gboolean busy, merged = TRUE, found;
	int code = 0;

	if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
		return keep(ret, SPK_BRANCH_GONE);
	found = tree_repo_find(folder, &repo, error);
	common = g_strdup(repo.common_dir);
	tree_repo_clear(&repo);
	if (!found)
		return FALSE;
	if (!common)
		return keep(ret, SPK_BRANCH_GONE);
	git.git_dir = common;
	if (!spk_git_run(&git, show, NULL, 0, 0, cancel, &now, &code, error))
		return FALSE;
	if (code != 0)
		return keep(ret, SPK_BRANCH_GONE);
	/* somebody worked on it since: it is theirs now */
	if (strcmp(g_strchomp(now->str), commit) != 0)
		return keep(ret, SPK_BRANCH_MOVED);
	if (!is_checked_out(&git, ref, &busy, cancel, error) ||
	    !is_merged(&git, ref, commit, &merged, cancel, error))
		return FALSE;
	if (busy)
		return keep(ret, SPK_BRANCH_IN_USE);
	if (!merged && !even_unmerged)
		return keep(ret, SPK_BRANCH_UNMERGED);
	*ret = SPK_BRANCH_DROPPED;
	return dry_run || spk_git_run(&git, drop, NULL, 0, 0, cancel, NULL, NULL, error);
}
