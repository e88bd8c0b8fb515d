/* A key file or a systemd credential: what opens the seal where nobody can be asked. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "conf/secret_priv.h"

#define KEY_FILE   "SPARKS_SECRETS_KEY_FILE"
#define CREDENTIAL "sparks-secrets-key"
#define MIN_KEY	   32
#define MAX_KEY	   4096

/* Where an open file really is; NULL when it has no place any more. */
static char *place_of(int fd)
{
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	if (n <= 0 || path[0] != '/')
		return NULL;
	path[n] = '\0';
	return g_strdup(path);
}

static gboolean is_below(const char *path, const char *folder)
{
	g_autofree char *real = realpath(folder, NULL);
	gsize len = real ? strlen(real) : 0;

	return len && !strncmp(path, real, len) && path[len] == '/';
}

/* A copy of the folder would hold the lock and its key. */
static const char *unfit(int fd, const struct stat *st, const char *home)
{
	g_autofree char *place = place_of(fd);

	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_uid != geteuid())
		return "belongs to somebody else";
	if (st->st_mode & 077)
		return "can be read by others: chmod 600";
	if (!place || is_below(place, home))
		return "lies in the same folder as what it opens: move it elsewhere";
	return NULL;
}

static GBytes *read_key(int fd, const char *path, GError **error)
{
	gsize len = 0;
	char *text = spk_fs_read_fd(fd, path, MAX_KEY, &len, error);

	if (text && len < MIN_KEY) {
		spk_error_set(error, SPK_ERR_CONFIG,
			      "make one: (umask 077; head -c 32 /dev/urandom > FILE)",
			      "%s has only %" G_GSIZE_FORMAT " bytes, a key has %d or "
			      "more",
			      path, len, MIN_KEY);
		explicit_bzero(text, len);
		g_clear_pointer(&text, g_free);
	}
	return text ? g_bytes_new_take(text, len) : NULL;
}

static GBytes *of_file(const char *path, const char *home, GError **error)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	const char *why;

	if (fd < 0 || fstat(fd, &st) < 0) {
		spk_error_set_errno(error, SPK_ERR_CONFIG, errno,
				    "let " KEY_FILE " name a file of yours",
				    "the key file %s", path);
		return NULL;
	}
	why = unfit(fd, &st, home);
	if (!why)
		return read_key(fd, path, error);
	spk_error_set(error, SPK_ERR_CONFIG, "let " KEY_FILE " name a file of yours",
		      "the key file %s %s", path, why);
	return NULL;
}

/* systemd gives the folder to the unit alone, with modes of its own. */
static GBytes *of_credential(GError **error)
{
	const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
	g_autofree char *path = folder && *folder == '/'
					? g_build_filename(folder, CREDENTIAL, NULL)
					: NULL;
	spk_autofd int fd = -1;

	if (path)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (!path || (fd < 0 && errno == ENOENT))
		return NULL;
	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_CONFIG, errno, NULL,
				    "the credential %s", path);
		return NULL;
	}
	return read_key(fd, path, error);
}

GBytes *spk_secret_key_bytes(const char *home, const char **ret_from, GError **error)
{
	const char *path = g_getenv(KEY_FILE);

	*ret_from = path && *path ? "the key file" : "the systemd credential";
	return path && *path ? of_file(path, home, error) : of_credential(error);
}
