/*
 * Files that may have come with a repository: opened so that neither a FIFO nor a device
 * nor a huge file can hold the program up.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "conf/conf_priv.h"

/* -1 without error: there is no such file, or a folder has that name. */
static int open_regular(const char *path, GError **error)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -1;
	/* ENXIO: a socket, or a device without a driver. */
	if ((fd < 0 && errno != ENXIO) || (fd >= 0 && fstat(fd, &st) < 0)) {
		spk_error_set_errno(error, SPK_ERR_CONFIG, errno,
				    "make it readable for you, or set SPARKS_HOME to a "
				    "folder of yours",
				    "cannot open %s", path);
		return -1;
	}
	if (fd >= 0 && S_ISDIR(st.st_mode))
		return -1;
	if (fd < 0 || !S_ISREG(st.st_mode)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "%s is not a regular file",
			      path);
		return -1;
	}
	return spk_fd_steal(&fd);
}

char *spk_conf_read(const char *path, gsize max_bytes, gsize *ret_len, GError **error)
{
	spk_autofd int fd = open_regular(path, error);

	return fd < 0 ? NULL : spk_fs_read_fd(fd, path, max_bytes, ret_len, error);
}

gboolean spk_conf_read_head(const char *path, void *buffer, gsize len)
{
	spk_autofd int fd = open_regular(path, NULL);

	return fd >= 0 && pread(fd, buffer, len, 0) == (ssize_t)len;
}
