/*
 * Files: bounded reads, atomic writes, trees, descriptors that close themselves. Paths
 * given here are the operator's or our own; paths from a model go through spk_fs_open_beneath.
 */
#ifndef SPK_BASE_FS_H
#define SPK_BASE_FS_H

#include <glib.h>
#include <sys/types.h>

void spk_fd_close(int *fd);
/* `spk_autofd int fd = -1;` closes at the end of the scope. */
#define spk_autofd __attribute__((cleanup(spk_fd_close)))
int spk_fd_steal(int *fd);

/* Whole file, NUL-terminated (the NUL isn't counted). LIMIT when larger than max_bytes. */
char *spk_fs_read(const char *path, gsize max_bytes, gsize *ret_len, GError **error);
char *spk_fs_read_fd(int fd, const char *name, gsize max_bytes, gsize *ret_len,
		     GError **error);
gboolean spk_fs_write_all(int fd, const void *data, gsize len, GError **error);
/* Temporary file beside it, fsync, rename. */
gboolean spk_fs_write_atomic(const char *path, const void *data, gsize len, int mode,
			     GError **error);
/* Parents too; an existing folder is fine. */
gboolean spk_fs_mkdirs(const char *path, int mode, GError **error);
/* Removes a file or tree; follows no symlink; makes unwritable folders writable on the way;
 * a missing path is fine. */
gboolean spk_fs_remove_tree(const char *path, GError **error);
/* Copy by reflink where the file system can, else by copy_file_range or read/write; keeps
 * mode, modification time and attributes of the user's (`user.*`). Symlinks are copied as symlinks. */
gboolean spk_fs_copy_file(int from_dir, const char *from, int to_dir, const char *to,
			  GError **error);
/* Opens `path` (relative, no leading "/") so that no component can leave the folder `dir`:
 * openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, plus `extra_resolve`. -1 and POLICY
 * when it would leave, NOT_FOUND when absent, else IO. O_CLOEXEC | O_NOFOLLOW-on-magic added. */
int spk_fs_open_beneath(int dir, const char *path, int flags, mode_t mode,
			guint64 extra_resolve, GError **error);
/* $SPARKS_HOME or ~/.sparks, absolute; created 0700 when missing. */
char *spk_fs_home(GError **error);
/* Expands a leading "~/" (and "~/.sparks" to spk_fs_home()). */
char *spk_fs_expand(const char *path);

#endif
