#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/xattr.h"

void spk_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int spk_fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

char *spk_fs_read_fd(int fd, const char *name, gsize max_bytes, gsize *ret_len,
		     GError **error)
{
	GString *text = g_string_new(NULL);
	char buffer[16384];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
					    "cannot read %s", name);
			break;
		}
		if (text->len + n > max_bytes) {
			spk_error_set(error, SPK_ERR_LIMIT, NULL,
				      "%s is larger than %" G_GSIZE_FORMAT " bytes", name,
				      max_bytes);
			n = -1;
			break;
		}
		g_string_append_len(text, buffer, n);
	}
	if (n < 0)
		return g_string_free(text, TRUE);
	if (ret_len)
		*ret_len = text->len;
	return g_string_free(text, FALSE);
}

char *spk_fs_read(const char *path, gsize max_bytes, gsize *ret_len, GError **error)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		spk_error_set_errno(error,
				    errno == ENOENT ? SPK_ERR_NOT_FOUND : SPK_ERR_IO,
				    errno, NULL, "cannot open %s", path);
		return NULL;
	}
	return spk_fs_read_fd(fd, path, max_bytes, ret_len, error);
}

gboolean spk_fs_write_all(int fd, const void *data, gsize len, GError **error)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			spk_error_set_errno(error, SPK_ERR_IO, errno,
					    errno == ENOSPC || errno == EDQUOT
						    ? "free some space there and run "
						      "it again"
						    : NULL,
					    "write failed");
			return FALSE;
		}
		p += n;
		len -= n;
	}
	return TRUE;
}

gboolean spk_fs_write_atomic(const char *path, const void *data, gsize len, int mode,
			     GError **error)
{
	g_autofree char *id = spk_id_new();
	g_autofree char *temporary = g_strdup_printf("%s.%s.tmp", path, id);
	spk_autofd int fd =
		open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot create %s",
				    temporary);
		return FALSE;
	}
	if (!spk_fs_write_all(fd, data, len, error)) {
		g_prefix_error(error, "%s: ", path);
		unlink(temporary);
		return FALSE;
	}
	if (fsync(fd) < 0 || rename(temporary, path) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot write %s",
				    path);
		unlink(temporary);
		return FALSE;
	}
	return TRUE;
}

gboolean spk_fs_mkdirs(const char *path, int mode, GError **error)
{
	if (g_mkdir_with_parents(path, mode) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot create the folder %s",
			    path);
	return FALSE;
}

/* A hostile tree may be deeper than there are descriptors: a folder this far down is moved
 * to the top of the tree, and is removed from there. */
#define REMOVE_DEPTH 64

typedef struct {
	int top;     /* folder of the whole tree, -1 above it */
	guint moved; /* folders moved to the top in this pass */
} Removal;

static int remove_entry(Removal *removal, int dir, const char *name, int depth);

/* The first errno of the entries, or 0. Closes fd. */
static int remove_children(Removal *removal, int fd, int depth)
{
	DIR *stream = fdopendir(fd);
	struct dirent *entry;
	int failed = 0;

	if (!stream) {
		failed = errno;
		close(fd);
		return failed;
	}
	while ((entry = readdir(stream))) {
		int problem;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		problem = remove_entry(removal, dirfd(stream), entry->d_name, depth + 1);
		if (problem && !failed)
			failed = problem;
	}
	closedir(stream);
	return failed;
}

static int move_to_top(Removal *removal, int dir, const char *name)
{
	g_autofree char *id = spk_id_new();

	removal->moved++;
	return renameat(dir, name, removal->top, id) == 0 ? 0 : errno;
}

/* Passes over the tree until none had to move a folder up. */
static int remove_top(int fd)
{
	Removal removal = { .top = fd };
	int failed;

	do {
		int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (again < 0)
			return errno;
		removal.moved = 0;
		failed = remove_children(&removal, again, 0);
	} while (!failed && removal.moved);
	return failed;
}

static int open_folder(int dir, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd < 0 && errno == EACCES &&
	    fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dir, name, flags);
	if (fd >= 0)
		(void)fchmod(fd, 0700); /* best effort: removal reports what is wrong */
	return fd;
}

/* 0 or an errno. */
static int remove_entry(Removal *removal, int dir, const char *name, int depth)
{
	spk_autofd int fd = -1;
	int failed;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	failed = errno;
	if (failed != EISDIR && failed != EPERM && failed != EACCES)
		return failed;
	fd = open_folder(dir, name);
	if (fd < 0 && errno == ENOTDIR)
		return failed;
	if (fd < 0) { /* an empty one needs no look inside, whoever it belongs to */
		failed = errno;
		return unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : failed;
	}
	if (removal && depth > REMOVE_DEPTH)
		return move_to_top(removal, dir, name);
	failed = removal ? remove_children(removal, spk_fd_steal(&fd), depth)
			 : remove_top(fd);
	/* what was moved up from below leaves the folder empty too */
	if (!failed && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		failed = errno;
	return failed;
}

gboolean spk_fs_remove_tree(const char *path, GError **error)
{
	int failed = remove_entry(NULL, AT_FDCWD, path, 0);

	if (!failed)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, failed, NULL, "cannot remove %s", path);
	return FALSE;
}

static gboolean copy_bytes(int in, int out)
{
	char buffer[65536];
	ssize_t n;

	if (ioctl(out, FICLONE, in) == 0)
		return TRUE;
	while ((n = copy_file_range(in, NULL, out, NULL, 1u << 30, 0)) > 0)
		;
	if (n == 0)
		return TRUE;
	/* Old kernels, some file systems and seccomp filters refuse it in several ways; both
	 * offsets stand where it stopped, and read and write tell the true reason. */
	while ((n = read(in, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !spk_fs_write_all(out, buffer, n, NULL))
			return FALSE;
	}
	return TRUE;
}

static gboolean copy_symlink(int from_dir, const char *from, int to_dir, const char *to)
{
	char target[4096];
	ssize_t n = readlinkat(from_dir, from, target, sizeof(target) - 1);

	if (n < 0)
		return FALSE;
	target[n] = '\0';
	return symlinkat(target, to_dir, to) == 0;
}

/* errno stays what the copy left. */
static void remove_half(int dir, const char *name)
{
	int why = errno;

	(void)unlinkat(dir, name, 0);
	errno = why;
}

static gboolean copy_regular(int from_dir, const char *from, int to_dir, const char *to)
{
	spk_autofd int in =
		openat(from_dir, from,
		       O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	spk_autofd int out = -1;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return FALSE;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return FALSE;
	}
	out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return FALSE;
	if (!copy_bytes(in, out)) {
		remove_half(to_dir, to);
		return FALSE;
	}
	spk_xattr_copy_user(in, out);
	if (fchmod(out, st.st_mode & 0777) == 0 &&
	    futimens(out, (struct timespec[]){ st.st_atim, st.st_mtim }) == 0)
		return TRUE;
	remove_half(to_dir, to);
	return FALSE;
}

gboolean spk_fs_copy_file(int from_dir, const char *from, int to_dir, const char *to,
			  GError **error)
{
	struct stat st;
	gboolean ok = fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (ok)
		ok = S_ISLNK(st.st_mode) ? copy_symlink(from_dir, from, to_dir, to)
					 : copy_regular(from_dir, from, to_dir, to);
	if (!ok)
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot copy %s to %s", from, to);
	return ok;
}

int spk_fs_open_beneath(int dir, const char *path, int flags, mode_t mode,
			guint64 extra_resolve, GError **error)
{
	struct open_how how = {
		.flags = (guint64)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | extra_resolve,
	};
	SpkErr code = SPK_ERR_IO;
	int fd;

	for (int tries = 0; tries < 32; tries++) {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd >= 0)
		return fd;
	if (errno == EXDEV || errno == ELOOP)
		code = SPK_ERR_POLICY;
	else if (errno == ENOENT || errno == ENOTDIR)
		code = SPK_ERR_NOT_FOUND;
	if (errno == EXDEV)
		spk_error_set(error, code, "use a path below the work tree",
			      "%s leaves the work tree", path);
	else
		spk_error_set_errno(error, code, errno, NULL, "cannot open %s", path);
	return -1;
}

char *spk_fs_home(GError **error)
{
	const char *set = g_getenv("SPARKS_HOME");
	g_autofree char *home = NULL;

	if (set && *set)
		home = g_canonicalize_filename(set, NULL);
	else
		home = g_build_filename(g_get_home_dir(), ".sparks", NULL);
	if (g_mkdir_with_parents(home, 0700) == 0)
		return g_steal_pointer(&home);
	spk_error_set_errno(error, SPK_ERR_IO, errno,
			    "set SPARKS_HOME to a folder that you may write",
			    "cannot create the folder of all state, %s", home);
	return NULL;
}

char *spk_fs_expand(const char *path)
{
	const char *set = g_getenv("SPARKS_HOME");

	if (set && *set &&
	    (!strcmp(path, "~/.sparks") || g_str_has_prefix(path, "~/.sparks/"))) {
		g_autofree char *home = g_canonicalize_filename(set, NULL);

		return g_strconcat(home, path + strlen("~/.sparks"), NULL);
	}
	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
		return g_strconcat(g_get_home_dir(), path + 1, NULL);
	return g_strdup(path);
}
