/*
 * A walk over the work tree before git looks at it. What a command in the box left there is
 * not to be trusted: a nested `.git` is a repository git would open, a FIFO called
 * .gitignore would make it wait for ever, and a file of the same size whose date was set
 * back within the second it was recorded in would pass for unchanged.
 */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

#define MAX_DEPTH   256
#define MAX_ENTRIES 2000000

typedef struct {
	const struct timespec *index_time;
	SpkCancel *cancel;
	TreeScan *scan;
	GString *path; /* of the folder we are in, with "/" at its end, or "" */
	guint n, depth;
} Walk;

void tree_scan_clear(TreeScan *scan)
{
	g_clear_pointer(&scan->files, g_ptr_array_unref);
	g_clear_pointer(&scan->suspects, g_ptr_array_unref);
}

static gboolean is_special(mode_t mode)
{
	return !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
}

/* Files git itself opens in a work tree, or in a folder that a `.git` there names: it would
 * wait on a FIFO. And as .gitmodules it takes no link. */
static gboolean must_go(const char *name, mode_t mode)
{
	static const char *const opened[] = { ".gitignore",  ".gitattributes",
					      ".gitmodules", "HEAD",
					      "commondir",   NULL };

	return (is_special(mode) && g_strv_contains(opened, name)) ||
	       (S_ISLNK(mode) && !strcasecmp(name, ".gitmodules"));
}

/* A nested `.git`: not walked, but git could look into it. */
static void disarm(int dir, const char *name)
{
	static const char *const opened[] = { "HEAD", "commondir" };
	spk_autofd int fd =
		openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	for (gsize i = 0; fd >= 0 && i < G_N_ELEMENTS(opened); i++)
		if (fstatat(fd, opened[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    is_special(st.st_mode))
			(void)unlinkat(fd, opened[i], 0);
}

/* git compares whole seconds, and looks at the content only of files whose mtime is not
 * older than the index. One that was touched after the index was written, in that very
 * second, and then got an old mtime, seems unchanged to it. */
static gboolean is_suspect(const Walk *walk, const struct stat *st)
{
	const struct timespec *index = walk->index_time;

	return index && st->st_ctim.tv_sec == index->tv_sec &&
	       st->st_ctim.tv_nsec >= index->tv_nsec &&
	       st->st_mtim.tv_sec < index->tv_sec;
}

static char *full_path(const Walk *walk, const char *name)
{
	return g_strconcat(walk->path->str, name, NULL);
}

static void take_file(Walk *walk, int dir, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode) && !(st->st_mode & S_IRUSR))
		(void)fchmodat(dir, name, (st->st_mode & 07777) | S_IRUSR, 0);
	if (walk->scan->files)
		g_ptr_array_add(walk->scan->files, full_path(walk, name));
	if (is_suspect(walk, st))
		g_ptr_array_add(walk->scan->suspects, full_path(walk, name));
}

static gboolean walk_folder(Walk *walk, int fd, GError **error);

static gboolean enter(Walk *walk, int dir, const char *name, GError **error)
{
	gsize len = walk->path->len;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	gboolean ok;

	if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot read the folder %s%s", walk->path->str, name);
		return FALSE;
	}
	g_string_append_printf(walk->path, "%s/", name);
	ok = walk_folder(walk, fd, error);
	g_string_truncate(walk->path, len);
	return ok;
}

static gboolean take_entry(Walk *walk, int dir, const char *name, GError **error)
{
	struct stat st;

	if (!strcasecmp(name, ".git")) {
		/* the box's own, at the top, is what git passes over by itself */
		walk->scan->odd |= walk->path->len > 0 || strcmp(name, ".git") != 0;
		disarm(dir, name);
		return TRUE;
	}
	if (++walk->n > MAX_ENTRIES) {
		spk_error_set(error, SPK_ERR_LIMIT, "clean up in the work tree",
			      "the work tree holds more than %d files", MAX_ENTRIES);
		return FALSE;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return TRUE; /* gone: nobody but us is here any more */
	if (must_go(name, st.st_mode)) {
		(void)unlinkat(dir, name, 0);
		return TRUE;
	}
	if (S_ISDIR(st.st_mode))
		return enter(walk, dir, name, error);
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		take_file(walk, dir, name, &st);
	return TRUE;
}

/* Consumes fd. */
static gboolean walk_folder(Walk *walk, int fd, GError **error)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	gboolean ok;

	if (!dir) {
		close(fd);
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot read the work tree");
		return FALSE;
	}
	ok = spk_cancel_check(walk->cancel, error);
	if (++walk->depth > MAX_DEPTH && ok) {
		spk_error_set(error, SPK_ERR_LIMIT, "remove the innermost folders",
			      "the work tree has more than %d folders inside each other",
			      MAX_DEPTH);
		ok = FALSE;
	}
	while (ok && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ok = take_entry(walk, dirfd(dir), entry->d_name, error);
	walk->depth--;
	closedir(dir);
	return ok;
}

gboolean tree_scan(const char *work, const struct timespec *index_time,
		   gboolean want_files, SpkCancel *cancel, TreeScan *ret_scan,
		   GError **error)
{
	g_autoptr(GString) path = g_string_new(NULL);
	Walk walk = {
		.index_time = index_time, .cancel = cancel, .scan = ret_scan, .path = path
	};
	int fd;

	(void)chmod(work, 0755); /* a command may have shut it; open tells */
	fd = open(work, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read %s",
				    work);
		return FALSE;
	}
	ret_scan->suspects = g_ptr_array_new_with_free_func(g_free);
	ret_scan->files = want_files ? g_ptr_array_new_with_free_func(g_free) : NULL;
	return walk_folder(&walk, fd, error);
}
