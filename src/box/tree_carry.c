/*
 * Dependency folders that git ignores (node_modules, .venv, target …) are not copied: they are
 * lent to the box (tree_lend.c). Here is which ones.
 */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "guard/guard.h"

#define FOLDERS_MAX 500	   /* of the repository in which one is looked for */
#define DEPTH_MAX   3	   /* of these */
#define CARRIED_MAX 32	   /* folders that are lent */
#define HIDDEN_MAX  64	   /* sensitive files in all of them */
#define WALK_MAX    400000 /* files that are looked at */
#define WALK_DEPTH  40

typedef struct {
	SpkTree *tree;
	const char *const *sensitive;
	GPtrArray *carried, *hidden;
	SpkLinks *links;
	int top;
	guint walked;
	gboolean by_file;
} Search;

/* ---- sensitive files inside ---- */

/* By its name; in the second round, by being the same file as one of these. */
static gboolean hides(Search *search, int dir, const struct dirent *entry,
		      const char *below)
{
	gboolean named = search->sensitive &&
			 spk_guard_match(search->sensitive, below) != NULL;
	struct stat st;

	if (!search->by_file && named && search->links)
		spk_links_add(search->links, dir, entry->d_name, below);
	if (!search->by_file || named || entry->d_type == DT_DIR)
		return named && !search->by_file;
	return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && spk_links_find(search->links, &st);
}

/* FALSE: there are too many of them, or too much to look at. */
static gboolean walk(Search *search, int fd, const char *path, guint depth)
{
	DIR *dir = depth < WALK_DEPTH ? fdopendir(fd) : NULL;
	struct dirent *entry;
	gboolean ok = dir != NULL;

	if (!dir)
		spk_fd_close(&fd);
	while (ok && (entry = readdir(dir))) {
		g_autofree char *below = g_build_filename(path, entry->d_name, NULL);
		spk_autofd int inner = -1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (++search->walked > WALK_MAX)
			ok = FALSE;
		else if (hides(search, dirfd(dir), entry, below)) {
			ok = search->hidden->len < HIDDEN_MAX;
			g_ptr_array_add(search->hidden, g_steal_pointer(&below));
		} else if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) {
			inner = openat(dirfd(dir), entry->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (inner >= 0)
				ok = walk(search, spk_fd_steal(&inner), below, depth + 1);
		}
	}
	if (dir)
		closedir(dir);
	return ok;
}

/* ---- which ones ---- */

/* A folder of its own in the user's work tree that is not in the copy: so git ignores it. */
static int open_ignored(Search *search, const char *path)
{
	const char *name;
	spk_autofd int parent =
		tree_open_parent(search->top, path, FALSE, NULL, &name, NULL);
	spk_autofd int fd = -1;
	struct stat st;

	if (parent < 0 ||
	    fstatat(search->tree->work_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatat(fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -1; /* nothing, or a repository inside of this one */
	return spk_fd_steal(&fd);
}

static void look_in(Search *search, const char *folder, char *const *names)
{
	for (char *const *name = names; *name; name++) {
		g_autofree char *path = g_build_filename(folder, *name, NULL);
		guint hidden = search->hidden->len;
		int fd = search->carried->len < CARRIED_MAX ? open_ignored(search, path)
							    : -1;

		if (fd < 0)
			continue;
		if (walk(search, fd, path, 0))
			g_ptr_array_add(search->carried, g_steal_pointer(&path));
		else
			g_ptr_array_set_size(search->hidden, hidden);
	}
}

/* A hard link has a harmless name, and any file may be one of a sensitive file that has more
 * than one. A folder in which that can't be told is not lent. */
static void look_for_links(Search *search)
{
	search->by_file = TRUE;
	search->walked = 0;
	for (guint i = 0; i < search->carried->len;) {
		const char *path = search->carried->pdata[i];
		int fd = open_ignored(search, path);

		if (fd >= 0 && walk(search, fd, path, 0))
			i++;
		else
			g_ptr_array_remove_index(search->carried, i);
	}
}

static guint depth_of(const char *path)
{
	guint depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* The folders that files of the view are in, the top first. */
static GPtrArray *folders_of(const GString *paths)
{
	g_autoptr(GHashTable)
		seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(folders, g_strdup(""));
	for (const char *path = paths->str; path < paths->str + paths->len;
	     path += strlen(path) + 1) {
		g_autofree char *folder = g_path_get_dirname(path);

		if (strcmp(folder, ".") != 0 && depth_of(folder) < DEPTH_MAX &&
		    folders->len < FOLDERS_MAX &&
		    g_hash_table_add(seen, g_strdup(folder)))
			g_ptr_array_add(folders, g_steal_pointer(&folder));
	}
	return folders;
}

static char **take_list(GPtrArray *list)
{
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

static gboolean check_names(char *const *names, GError **error)
{
	for (; names && *names; names++) {
		if (**names && !strchr(*names, '/') && strcmp(*names, ".") != 0 &&
		    strcmp(*names, "..") != 0 && strcmp(*names, ".git") != 0)
			continue;
		spk_error_set(
			error, SPK_ERR_CONFIG,
			"names alone, as in [\"node_modules\", \"target\"]: they are "
			"looked for in every folder",
			"[box] carry: \"%s\" is no name of a folder", *names);
		return FALSE;
	}
	return TRUE;
}

gboolean tree_carry_find(SpkTree *tree, const GString *paths, const SpkTreeLimits *limits,
			 SpkLinks *links, GError **error)
{
	Search search = { .tree = tree,
			  .sensitive = limits->sensitive,
			  .links = links,
			  .carried = g_ptr_array_new_with_free_func(g_free),
			  .hidden = g_ptr_array_new_with_free_func(g_free),
			  .top = -1 };
	g_autoptr(GPtrArray) folders = folders_of(paths);
	gboolean ok = check_names(limits->carry, error);

	if (ok && limits->carry && tree->repo.git_dir)
		search.top = tree_open_dir(tree->repo.top, NULL);
	for (guint i = 0; search.top >= 0 && i < folders->len; i++)
		look_in(&search, folders->pdata[i], limits->carry);
	if (links && spk_links_any(links))
		look_for_links(&search);
	spk_fd_close(&search.top);
	tree->carried = take_list(search.carried);
	tree->hidden = take_list(search.hidden);
	return ok;
}

char *const *spk_tree_carried(SpkTree *tree)
{
	return tree->carried;
}

char *const *spk_tree_hidden(SpkTree *tree)
{
	return tree->hidden;
}
