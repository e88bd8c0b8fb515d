#include "memory/model_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/model_pick.h"
#include "memory/zip.h"

#define FILES_MAX 4096
#define PIECE	  (1 << 20)

/* What is being written, and how far all of it is. */
typedef struct {
	const SpkModelUnpack *unpack;
	SpkCancel *cancel;
	guint64 done, total;
	const SpkModelFile *file;
	guint64 bytes; /* of file */
	int fd;
} Out;

static gboolean put(const void *data, gsize len, gpointer user, GError **error)
{
	Out *out = user;

	out->bytes += len;
	out->done += len;
	if (out->bytes > out->file->max) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "%s is longer than %" G_GUINT64_FORMAT " bytes",
			      out->file->to, out->file->max);
		return FALSE;
	}
	if (!spk_cancel_check(out->cancel, error) ||
	    !spk_fs_write_all(out->fd, data, len, error))
		return FALSE;
	if (out->unpack->progress)
		out->unpack->progress("unpacking", out->done, out->total,
				      out->unpack->user);
	return TRUE;
}

/* A new file of that name in our folder. */
static int create(const Out *out, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(out->unpack->into, name, NULL);
	g_autofree char *dir = g_path_get_dirname(path);
	int fd;

	if (!spk_fs_mkdirs(dir, 0755, error))
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
	return fd;
}

static gboolean sync_file(int fd, const char *name, GError **error)
{
	if (fsync(fd) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", name);
	return FALSE;
}

/* ---- archives ---- */

static gboolean put_entry(Out *out, GMappedFile *map, const SpkZipEntry *entry,
			  const SpkModelFile *file, GError **error)
{
	spk_autofd int fd = create(out, file->to, error);

	if (fd < 0)
		return FALSE;
	out->fd = fd;
	out->file = file;
	out->bytes = 0;
	if (!spk_zip_read(g_mapped_file_get_contents(map), g_mapped_file_get_length(map),
			  entry, put, out, error)) {
		g_prefix_error(error, "%s: ", entry->name);
		return FALSE;
	}
	return sync_file(fd, file->to, error);
}

static GArray *pick_entries(const GPtrArray *entries, char **ret_name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < entries->len; i++)
		g_ptr_array_add(names, ((SpkZipEntry *)entries->pdata[i])->name);
	return spk_model_pick((const char *const *)names->pdata, names->len, ret_name,
			      error);
}

static gboolean unpack_archive(Out *out, char **ret_name, GError **error)
{
	const char *path = out->unpack->path;
	g_autoptr(GError) why = NULL;
	g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, &why);
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GArray) picks = NULL;

	if (!map) {
		spk_error_set(error, SPK_ERR_IO, NULL, "%s", why->message);
		return FALSE;
	}
	entries = spk_zip_list(g_mapped_file_get_contents(map),
			       g_mapped_file_get_length(map), error);
	picks = entries ? pick_entries(entries, ret_name, error) : NULL;
	for (guint i = 0; picks && i < picks->len; i++) {
		const SpkModelPick *pick = &g_array_index(picks, SpkModelPick, i);

		out->total += ((SpkZipEntry *)entries->pdata[pick->index])->size;
	}
	for (guint i = 0; picks && i < picks->len; i++) {
		const SpkModelPick *pick = &g_array_index(picks, SpkModelPick, i);

		if (!put_entry(out, map, entries->pdata[pick->index], pick->file, error))
			return FALSE;
	}
	return picks != NULL;
}

/* ---- folders ---- */

/* Files of top/below; "" is the folder itself. */
static void list_files(const char *top, const char *below, GPtrArray *names)
{
	g_autofree char *path = g_build_filename(top, below, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && names->len < FILES_MAX && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *rest = *below ? g_build_filename(below, name, NULL)
					       : g_strdup(name);
		g_autofree char *whole = g_build_filename(top, rest, NULL);

		if (g_file_test(whole, G_FILE_TEST_IS_REGULAR))
			g_ptr_array_add(names, g_steal_pointer(&rest));
	}
}

static guint64 size_of(const char *top, const char *name)
{
	g_autofree char *path = g_build_filename(top, name, NULL);
	struct stat st;

	return stat(path, &st) == 0 ? (guint64)st.st_size : 0;
}

/* What the user named is followed where it is a link, as caches of models are made of. */
static gboolean put_file(Out *out, const char *name, const SpkModelFile *file,
			 GError **error)
{
	g_autofree char *path = g_build_filename(out->unpack->path, name, NULL);
	spk_autofd int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	spk_autofd int fd = from < 0 ? -1 : create(out, file->to, error);
	g_autofree char *piece = g_malloc(PIECE);
	gssize n;

	if (from >= 0 && fd < 0)
		return FALSE;
	out->fd = fd;
	out->file = file;
	out->bytes = 0;
	while (from >= 0 && (n = read(from, piece, PIECE)) > 0)
		if (!put(piece, (gsize)n, out, error))
			return FALSE;
	if (from < 0 || n < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
		return FALSE;
	}
	return sync_file(fd, file->to, error);
}

static gboolean copy_folder(Out *out, char **ret_name, GError **error)
{
	static const char *const folders[] = { "", "onnx", "1_Pooling" };
	const char *path = out->unpack->path;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) picks = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		list_files(path, folders[i], names);
	picks = spk_model_pick((const char *const *)names->pdata, names->len, ret_name,
			       error);
	if (!picks) {
		g_prefix_error(error, "%s: ", path);
		return FALSE;
	}
	for (guint i = 0; i < picks->len; i++)
		out->total += size_of(
			path, names->pdata[g_array_index(picks, SpkModelPick, i).index]);
	for (guint i = 0; i < picks->len; i++) {
		const SpkModelPick *pick = &g_array_index(picks, SpkModelPick, i);

		if (!put_file(out, names->pdata[pick->index], pick->file, error))
			return FALSE;
	}
	return TRUE;
}

gboolean spk_model_unpack(const SpkModelUnpack *unpack, char **ret_name,
			  SpkCancel *cancel, GError **error)
{
	Out out = { .unpack = unpack, .cancel = cancel, .fd = -1 };
	g_autofree char *name = NULL;
	gboolean ok = g_file_test(unpack->path, G_FILE_TEST_IS_DIR)
			      ? copy_folder(&out, &name, error)
			      : unpack_archive(&out, &name, error);

	if (ok)
		*ret_name = g_steal_pointer(&name);
	return ok;
}
