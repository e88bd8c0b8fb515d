/*
 * The user's files into work/. No symlink is followed on the way: the list came from git, which
 * knows real folders, but the user's folder may change while it is copied.
 */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "guard/guard.h"
#include "guard/links.h"

typedef struct {
	SpkTree *tree;
	const SpkTreeLimits *limits;
	int top;
	gint64 bytes;
	TreeCopy *copy;
	SpkLinks *links;
	GArray *copied;	     /* of Copied */
	gboolean many_names; /* of one of them */
} Copying;

typedef struct {
	const char *path;
	dev_t dev;
	ino_t ino;
	nlink_t names;
} Copied;

typedef struct { /* the folder the last file was in */
	char *path;
	int from, to;
} Folder;

static void folder_clear(Folder *folder)
{
	g_clear_pointer(&folder->path, g_free);
	spk_fd_close(&folder->from);
	spk_fd_close(&folder->to);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folder_clear)

static gboolean is_special(unsigned char type)
{
	return type == DT_FIFO || type == DT_SOCK || type == DT_CHR || type == DT_BLK;
}

/* FIFOs, sockets and devices: git passes over them without a word. And sensitive files that git
 * ignores, which may have other names. A folder is entered again after those in it. */
static void look_around(Copying *copying, const Folder *folder)
{
	int fd = openat(folder->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	GPtrArray *specials = copying->copy->specials;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		g_autofree char *path = g_strconcat(folder->path, entry->d_name, NULL);

		if (is_special(entry->d_type) &&
		    !g_ptr_array_find_with_equal_func(specials, path, g_str_equal, NULL))
			g_ptr_array_add(specials, g_steal_pointer(&path));
		else if (copying->links)
			spk_links_add(copying->links, fd, entry->d_name, path);
	}
	if (dir)
		closedir(dir);
}

static gboolean enter_folder(Copying *copying, const char *path, Folder *folder,
			     const char **ret_name, GError **error)
{
	const char *slash = strrchr(path, '/');
	gsize len = slash ? slash + 1 - path : 0;

	*ret_name = path + len;
	if (folder->path && strlen(folder->path) == len &&
	    !strncmp(folder->path, path, len))
		return TRUE;
	folder_clear(folder);
	folder->from = tree_open_parent(copying->top, path, FALSE, NULL, ret_name, error);
	if (folder->from < 0)
		return FALSE;
	folder->to = tree_open_parent(copying->tree->work_fd, path, TRUE, NULL, ret_name,
				      error);
	folder->path = g_strndup(path, len);
	if (folder->to >= 0)
		look_around(copying, folder);
	return folder->to >= 0;
}

static void note_copied(Copying *copying, const char *path, const struct stat *st)
{
	Copied copied = { path, st->st_dev, st->st_ino, st->st_nlink };

	if (!S_ISREG(st->st_mode) || !copying->links)
		return;
	g_array_append_val(copying->copied, copied);
	copying->many_names |= st->st_nlink > 1;
}

static gboolean copy_file(Copying *copying, const Folder *folder, const char *name,
			  const char *path, GError **error)
{
	gint64 most = copying->limits->max_bytes ? copying->limits->max_bytes
						 : TREE_MAX_BYTES;
	struct stat st;

	if (fstatat(folder->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		copying->copy->n_missing++;
		return TRUE;
	}
	note_copied(copying, path, &st);
	copying->bytes += st.st_size;
	if (copying->bytes > most) {
		g_autofree char *shown = spk_text_bytes(most);

		spk_error_set(
			error, SPK_ERR_LIMIT,
			"run in a smaller folder, or keep big files out of the repository",
			"the files of %s are more than %s", copying->tree->repo.top,
			shown);
		return FALSE;
	}
	if (spk_fs_copy_file(folder->from, name, folder->to, name, error))
		return TRUE;
	g_prefix_error(error, "%s/%s: ", copying->tree->repo.top, path);
	return FALSE;
}

/* A folder that is gone (skip-worktree, or removed just now) means missing files. One that
 * became a symlink since is not followed. */
static gboolean copy_path(Copying *copying, const char *path, Folder *folder,
			  GError **error)
{
	g_autoptr(GError) why = NULL;
	const char *name;

	if (enter_folder(copying, path, folder, &name, &why))
		return copy_file(copying, folder, name, path, error);
	if (spk_error_is(why, SPK_ERR_NOT_FOUND)) {
		copying->copy->n_missing++;
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

void tree_copy_clear(TreeCopy *copy)
{
	g_clear_pointer(&copy->sensitive, g_ptr_array_unref);
	g_clear_pointer(&copy->links, spk_links_free);
	g_clear_pointer(&copy->linked, g_ptr_array_unref);
	g_clear_pointer(&copy->specials, g_ptr_array_unref);
}

static gboolean take_back(Copying *copying, const char *path, GError **error)
{
	const char *name;
	spk_autofd int folder =
		tree_open_parent(copying->tree->work_fd, path, FALSE, NULL, &name, error);

	if (folder < 0)
		return FALSE;
	if (unlinkat(folder, name, 0) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot leave %s out of the private copy", path);
		return FALSE;
	}
	g_ptr_array_add(copying->copy->sensitive, g_strdup(path));
	g_ptr_array_add(copying->copy->linked, g_strdup(path));
	return TRUE;
}

/* What a sensitive file is known by too has a harmless name, and was copied. All of the user's
 * folder is looked through only where some file has more than one name. */
static gboolean take_linked_back(Copying *copying, GError **error)
{
	const char *home = g_getenv("HOME");

	if (!copying->links)
		return TRUE;
	if (copying->many_names) {
		spk_links_walk(copying->links, copying->top);
		spk_links_walk_home(copying->links, home ? home : g_get_home_dir());
	}
	for (guint i = 0; i < copying->copied->len; i++) {
		const Copied *copied = &g_array_index(copying->copied, Copied, i);
		const struct stat st = { .st_dev = copied->dev,
					 .st_ino = copied->ino,
					 .st_nlink = copied->names };

		if (spk_links_find(copying->links, &st) &&
		    !take_back(copying, copied->path, error))
			return FALSE;
	}
	return TRUE;
}

gboolean tree_copy_files(SpkTree *tree, const GString *paths, const SpkTreeLimits *limits,
			 SpkCancel *cancel, TreeCopy *ret_copy, GError **error)
{
	g_autoptr(GPtrArray) list = tree_split_z(paths);
	g_auto(Folder) folder = { NULL, -1, -1 };
	spk_autofd int top = tree_open_dir(tree->repo.top, error);
	SpkLinks *links = limits->sensitive ? spk_links_new(limits->sensitive) : NULL;
	g_autoptr(GArray) copied = g_array_new(FALSE, FALSE, sizeof(Copied));
	Copying copying = { .tree = tree,
			    .limits = limits,
			    .top = top,
			    .copy = ret_copy,
			    .links = links,
			    .copied = copied };

	ret_copy->links = links;
	ret_copy->linked = g_ptr_array_new_with_free_func(g_free);
	ret_copy->sensitive = g_ptr_array_new_with_free_func(g_free);
	ret_copy->specials = g_ptr_array_new_with_free_func(g_free);
	if (top < 0)
		return FALSE;
	for (guint i = 0; i < list->len; i++) {
		const char *path = list->pdata[i];

		if (limits->sensitive && spk_guard_match(limits->sensitive, path))
			g_ptr_array_add(ret_copy->sensitive, g_strdup(path));
		else if (!copy_path(&copying, path, &folder, error) ||
			 !spk_cancel_check(cancel, error))
			return FALSE;
	}
	return take_linked_back(&copying, error);
}
