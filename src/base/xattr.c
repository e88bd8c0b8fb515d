#include "base/xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/error.h"
#include "base/json.h"

#define NAMES_MAX 65536 /* of the kernel: XATTR_LIST_MAX, XATTR_SIZE_MAX */
#define VALUE_MAX 65536
#define ALL_MAX	  (1 << 20)
#define USER	  "user."
#define OVERLAY	  "user.overlay." /* an overlay's own marks */

static const char *const others[] = {
	"system.posix_acl_access",
	"system.posix_acl_default",
};

static gboolean is_ours(const char *name)
{
	if (g_str_has_prefix(name, USER))
		return !g_str_has_prefix(name, OVERLAY);
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (!strcmp(name, others[i]))
			return TRUE;
	return FALSE;
}

static gboolean fails(const char *path, const char *what, GError **error)
{
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
			    "cannot %s the extended attributes of %s", what, path);
	return FALSE;
}

/* Names, one after the other, each with its NUL; 0: none, -1: errno. */
static ssize_t list(int fd, char *names)
{
	ssize_t len = flistxattr(fd, names, NAMES_MAX);

	return len < 0 && (errno == ENOTSUP || errno == ENODATA) ? 0 : len;
}

static gboolean read_one(int fd, const char *path, const char *name, json_t *all,
			 gsize *total, GError **error)
{
	g_autofree guchar *value = g_malloc(VALUE_MAX);
	g_autofree char *text = NULL;
	ssize_t len = fgetxattr(fd, name, value, VALUE_MAX);

	if (len < 0)
		return errno == ENODATA || fails(path, "read", error);
	*total += (gsize)len;
	if (*total > ALL_MAX) {
		spk_error_set(error, SPK_ERR_LIMIT, "remove what is not needed",
			      "%s has more than 1 MiB of extended attributes", path);
		return FALSE;
	}
	text = g_base64_encode(value, (gsize)len);
	json_object_set_new(all, name, json_string(text));
	return TRUE;
}

json_t *spk_xattr_read(int fd, const char *path, GError **error)
{
	g_autoptr(json_t) all = json_object();
	g_autofree char *names = g_malloc(NAMES_MAX);
	ssize_t len = list(fd, names);
	gsize total = 0;

	if (len < 0) {
		(void)fails(path, "read", error);
		return NULL;
	}
	for (const char *name = names; name < names + len; name += strlen(name) + 1)
		if (is_ours(name) && g_utf8_validate(name, -1, NULL) &&
		    !read_one(fd, path, name, all, &total, error))
			return NULL;
	return g_steal_pointer(&all);
}

gboolean spk_xattr_write(int fd, const char *path, const json_t *attributes,
			 GError **error)
{
	const char *name;
	json_t *item;

	json_object_foreach((json_t *)attributes, name, item) {
		g_autofree guchar *value = NULL;
		gsize len;

		if (!is_ours(name) || !json_is_string(item))
			continue;
		value = g_base64_decode(json_string_value(item), &len);
		if (fsetxattr(fd, name, value, len, 0) < 0 && errno != ENOTSUP)
			return fails(path, "write", error);
	}
	return TRUE;
}

void spk_xattr_copy_user(int from, int to)
{
	char few[1024];
	g_autofree char *many = NULL;
	g_autofree char *value = NULL;
	const char *names = few;
	ssize_t len = flistxattr(from, few, sizeof(few));

	if (len < 0 && errno == ERANGE) {
		names = many = g_malloc(NAMES_MAX);
		len = list(from, many);
	}
	for (const char *name = names; len > 0 && name < names + len;
	     name += strlen(name) + 1) {
		ssize_t n;

		if (!g_str_has_prefix(name, USER) || g_str_has_prefix(name, OVERLAY))
			continue;
		if (!value)
			value = g_malloc(VALUE_MAX);
		n = fgetxattr(from, name, value, VALUE_MAX);
		if (n >= 0)
			(void)fsetxattr(to, name, value, (gsize)n, 0);
	}
}
