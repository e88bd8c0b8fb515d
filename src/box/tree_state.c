/* What is at a path of the user's folder, named as git names content. */
#include "box/tree_apply_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/xattr.h"

void tree_state_clear(TreeState *state)
{
	g_free(state->blob);
	json_decref(state->xattrs);
	*state = (TreeState){ 0 };
}

void tree_state_copy(const TreeState *from, TreeState *to)
{
	tree_state_clear(to);
	*to = *from;
	to->blob = g_strdup(from->blob);
	to->xattrs = json_incref(from->xattrs);
}

gboolean tree_state_equal(const TreeState *a, const TreeState *b)
{
	return a->mode == b->mode && a->mode != TREE_MODE_OTHER &&
	       !g_strcmp0(a->blob, b->blob);
}

static GChecksum *blob_hash(const TreeRepo *repo, guint64 size)
{
	GChecksum *sum = g_checksum_new(
		strcmp(repo->format, "sha256") ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256);
	g_autofree char *head = g_strdup_printf("blob %" G_GUINT64_FORMAT, size);

	g_checksum_update(sum, (const guchar *)head, strlen(head) + 1);
	return sum;
}

static char *hash_file(int dir, const char *name, const TreeRepo *repo,
		       json_t **ret_xattrs, GError **error)
{
	spk_autofd int fd = tree_open_file(dir, name, error);
	g_autoptr(GChecksum) sum = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	*ret_xattrs = spk_xattr_read(fd, name, error);
	if (!*ret_xattrs)
		return NULL;
	sum = blob_hash(repo, fstat(fd, &st) == 0 ? st.st_size : 0);
	return tree_hash_rest(fd, name, sum, error);
}

static char *hash_link(int dir, const char *name, const TreeRepo *repo, GError **error)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	g_autoptr(GChecksum) sum = NULL;

	if (n < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot read the link %s", name);
		return NULL;
	}
	sum = blob_hash(repo, n);
	g_checksum_update(sum, (const guchar *)target, n);
	return g_strdup(g_checksum_get_string(sum));
}

gboolean tree_state_read(int top, const char *path, const TreeRepo *repo,
			 TreeState *ret_state, GError **error)
{
	g_autoptr(GError) why = NULL;
	const char *name;
	spk_autofd int dir = tree_open_parent(top, path, FALSE, NULL, &name, &why);
	struct stat st;

	tree_state_clear(ret_state);
	if (dir < 0) { /* POLICY: behind a symlink; git, too, says there is nothing */
		gboolean absent = spk_error_is(why, SPK_ERR_NOT_FOUND) ||
				  spk_error_is(why, SPK_ERR_POLICY);

		ret_state->mode = absent ? 0 : TREE_MODE_OTHER;
		return TRUE;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		ret_state->mode = errno == ENOENT ? 0 : TREE_MODE_OTHER;
		return TRUE;
	}
	ret_state->mode = TREE_MODE_OTHER;
	if (S_ISDIR(st.st_mode)) {
		ret_state->mode = TREE_MODE_DIR;
	} else if (S_ISLNK(st.st_mode)) {
		ret_state->mode = TREE_MODE_LINK;
		ret_state->blob = hash_link(dir, name, repo, error);
	} else if (S_ISREG(st.st_mode)) {
		ret_state->mode = st.st_mode & S_IXUSR ? 0100755 : 0100644;
		ret_state->perm = st.st_mode & 0777;
		ret_state->blob = hash_file(dir, name, repo, &ret_state->xattrs, error);
	} else {
		return TRUE;
	}
	if (ret_state->blob || ret_state->mode == TREE_MODE_DIR)
		return TRUE;
	g_prefix_error(error, "%s: ", path);
	return FALSE;
}
