/* Small things every part of the private copy needs: lists of paths, files, folders. */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

GPtrArray *tree_split_z(const GString *out)
{
	GPtrArray *list = g_ptr_array_new();
	const char *end = out->str + out->len;

	for (const char *p = out->str; p < end; p += strlen(p) + 1)
		g_ptr_array_add(list, (gpointer)p);
	return list;
}

void tree_list_add(GString *list, const char *path)
{
	g_string_append_len(list, path, strlen(path) + 1);
}

json_t *tree_path_to_json(const char *path)
{
	g_autofree char *text = NULL;

	if (g_utf8_validate(path, -1, NULL))
		return json_string(path);
	text = g_base64_encode((const guchar *)path, strlen(path));
	return json_pack("{s:s}", "b64", text);
}

char *tree_path_from_json(const json_t *json)
{
	const char *text = spk_json_str(json, "b64");
	guchar *bytes;
	gsize len;

	if (json_is_string(json))
		return g_strdup(json_string_value(json));
	if (!text)
		return NULL;
	bytes = g_base64_decode(text, &len);
	bytes = g_realloc(bytes, len + 1);
	bytes[len] = '\0';
	return (char *)bytes;
}

gboolean tree_write_file(const char *dir, const char *name, const void *data, gsize len,
			 GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	spk_autofd int fd = -1;

	(void)unlink(path); /* what stands there may be a link: never write through it */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot create %s",
				    path);
		return FALSE;
	}
	if (spk_fs_write_all(fd, data, len, error))
		return TRUE;
	g_prefix_error(error, "%s: ", path);
	return FALSE;
}

char *tree_read_optional(const char *path, gsize max)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return spk_fs_read_fd(fd, path, max, NULL, NULL);
}

int tree_open_dir(const char *path, GError **error)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		spk_error_set_errno(error,
				    errno == ENOENT ? SPK_ERR_NOT_FOUND : SPK_ERR_IO,
				    errno, NULL, "cannot open the folder %s", path);
	return fd;
}

int tree_open_file(int dir, const char *name, GError **error)
{
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read %s",
				    name);
	return fd;
}

char *tree_hash_rest(int fd, const char *name, GChecksum *sum, GError **error)
{
	guchar buffer[65536];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
					    "cannot read %s", name);
			return NULL;
		}
		g_checksum_update(sum, buffer, n);
	}
	return g_strdup(g_checksum_get_string(sum));
}

static int open_folder(int top, const char *path, GError **error)
{
	return spk_fs_open_beneath(top, path, O_PATH | O_DIRECTORY, 0,
				   RESOLVE_NO_SYMLINKS, error);
}

/* Every missing folder of `folder`, from the top. */
static gboolean make_folders(int top, const char *folder, GPtrArray *made, GError **error)
{
	for (gsize len = 0; folder[len];) {
		g_autofree char *path = NULL;
		const char *name;
		spk_autofd int parent = -1;

		len += strcspn(folder + len, "/");
		path = g_strndup(folder, len);
		len += folder[len] == '/';
		parent = tree_open_parent(top, path, FALSE, NULL, &name, error);
		if (parent < 0)
			return FALSE;
		if (mkdirat(parent, name, 0777) == 0) {
			if (made)
				g_ptr_array_add(made, g_strdup(path));
		} else if (errno != EEXIST) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
					    "cannot create the folder %s", path);
			return FALSE;
		}
	}
	return TRUE;
}

int tree_open_parent(int top, const char *path, gboolean make, GPtrArray *made,
		     const char **ret_name, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = slash ? g_strndup(path, slash - path) : g_strdup(".");
	g_autoptr(GError) why = NULL;
	int fd = open_folder(top, folder, &why);

	if (fd < 0 && make && spk_error_is(why, SPK_ERR_NOT_FOUND)) {
		if (!make_folders(top, folder, made, error))
			return -1;
		fd = open_folder(top, folder, error);
	} else if (fd < 0) {
		g_propagate_error(error, g_steal_pointer(&why));
	}
	*ret_name = slash ? slash + 1 : path;
	return fd;
}

gboolean tree_empty_dir(const char *path, GError **error)
{
	struct dirent *entry;
	gboolean ok = TRUE;
	DIR *dir;

	(void)chmod(path, 0700); /* a command may have shut it; opendir tells */
	dir = opendir(path);
	if (!dir) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read %s",
				    path);
		return FALSE;
	}
	while (ok && (entry = readdir(dir))) {
		g_autofree char *child = NULL;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		child = g_build_filename(path, entry->d_name, NULL);
		ok = spk_fs_remove_tree(child, error);
	}
	closedir(dir);
	return ok;
}

char *tree_temp_dir(SpkTree *tree, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(tree->dir, "tmp", name, NULL);

	if (!spk_fs_remove_tree(path, error) || !spk_fs_mkdirs(path, 0700, error))
		return NULL;
	return g_steal_pointer(&path);
}
