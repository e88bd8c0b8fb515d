/*
 * Extended attributes of files and folders that are the user's own: `user.*`, and access lists.
 * Where a file system has none there are none, and nothing fails.
 */
#ifndef SPK_BASE_XATTR_H
#define SPK_BASE_XATTR_H

#include <glib.h>
#include <jansson.h>

/* {"NAME":"base64"…}; an empty object when there are none. NULL: LIMIT, more than 1 MiB of them,
 * or they cannot be read. */
json_t *spk_xattr_read(int fd, const char *path, GError **error);
/* Adds these to what is there; one that the file system cannot hold is left out. */
gboolean spk_xattr_write(int fd, const char *path, const json_t *attributes,
			 GError **error);
/* Only `user.*`, as far as that can be done. */
void spk_xattr_copy_user(int from, int to);

#endif
