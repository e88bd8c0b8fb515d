/* An index into a file: beside the old one, then in its place. */
#include "memory/index/index_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/index/file_priv.h"

/* What is written. None of it changes meanwhile, but for the numbers, hence a copy. */
typedef struct {
	IndexHeader header;
	const SpkGraph *graph; /* NULL: none */
	VectorChunk **chunks;
	gint64 *nums;
	guint8 *stale;
	guint64 writes;
} Shot;

static void shot_clear(Shot *shot)
{
	g_free(shot->chunks);
	g_free(shot->nums);
	g_free(shot->stale);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shot, shot_clear)

/* Bytes to a file, by pieces that are summed up. */
typedef struct {
	int fd;
	guint8 *piece;
	gsize used;
	guint64 sum;
} Writer;

static gboolean flush(Writer *writer, GError **error)
{
	gsize used = writer->used;

	memset(writer->piece + used, 0, INDEX_PIECE - used);
	writer->sum = index_sum(writer->sum, writer->piece, INDEX_PIECE);
	writer->used = 0;
	return spk_fs_write_all(writer->fd, writer->piece, used, error);
}

static gboolean add(Writer *writer, const void *data, gsize size, GError **error)
{
	const guint8 *at = data;

	while (size) {
		gsize n = MIN(size, INDEX_PIECE - writer->used);

		memcpy(writer->piece + writer->used, at, n);
		writer->used += n;
		at += n;
		size -= n;
		if (writer->used == INDEX_PIECE && !flush(writer, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_scales(Writer *writer, const Shot *shot, GError **error)
{
	for (gsize at = 0; at < shot->header.n; at += VECTORS_CHUNK)
		if (!add(writer, shot->chunks[at / VECTORS_CHUNK]->scale,
			 MIN(VECTORS_CHUNK, shot->header.n - at) * sizeof(float), error))
			return FALSE;
	return TRUE;
}

static gboolean add_graph(Writer *writer, const Shot *shot, GError **error)
{
	for (gsize place = 0; place < shot->header.linked; place++) {
		guint8 level = graph_level(shot->graph, place);

		if (!add(writer, &level, 1, error))
			return FALSE;
	}
	for (gsize place = 0; place < shot->header.linked; place++) {
		guint8 level = graph_level(shot->graph, place);

		for (guint list = 0; list < graph_n_lists(level); list++)
			if (!add(writer, graph_links(shot->graph, place, list),
				 graph_links_size(shot->header.m, level, list) *
					 sizeof(guint32),
				 error))
				return FALSE;
	}
	return TRUE;
}

static gboolean add_halves(Writer *writer, const Shot *shot, gboolean upper,
			   GError **error)
{
	gsize bytes = upper ? shot->header.width : shot->header.dims;

	for (gsize at = 0; at < shot->header.n; at += VECTORS_CHUNK) {
		const VectorChunk *chunk = shot->chunks[at / VECTORS_CHUNK];
		const void *rows = upper ? (const void *)chunk->high : chunk->low;

		if (!add(writer, rows, MIN(VECTORS_CHUNK, shot->header.n - at) * bytes,
			 error))
			return FALSE;
	}
	return TRUE;
}

static gboolean write_all(int fd, const Shot *shot, GError **error)
{
	g_autofree guint8 *piece = g_malloc(INDEX_PIECE);
	Writer writer = { fd, piece, 0, 0 };
	gsize n = shot->header.n;

	return add(&writer, &shot->header, sizeof(shot->header), error) &&
	       add(&writer, shot->nums, n * sizeof(*shot->nums), error) &&
	       add_scales(&writer, shot, error) && add(&writer, shot->stale, n, error) &&
	       add_graph(&writer, shot, error) &&
	       add_halves(&writer, shot, TRUE, error) &&
	       add_halves(&writer, shot, FALSE, error) &&
	       (!writer.used || flush(&writer, error)) &&
	       spk_fs_write_all(fd, &writer.sum, sizeof(writer.sum), error);
}

static void fill_header(SpkIndex *index, const SpkIndexStamp *stamp, IndexHeader *header)
{
	g_autofree char *model =
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, stamp->model, -1);

	*header = (IndexHeader){
		.magic = INDEX_MAGIC,
		.version = INDEX_VERSION,
		.order = INDEX_ORDER,
		.dims = index->vectors.dims,
		.width = (guint32)index->vectors.width,
		.m = index->options.m,
		.ef_construction = index->options.ef_construction,
		.n = index->vectors.n,
		.linked = index_linked(index),
		.change = stamp->change,
	};
	g_strlcpy(header->store, stamp->store, sizeof(header->store));
	g_strlcpy(header->model, model, sizeof(header->model));
	for (gsize place = 0; place < header->linked; place++) {
		guint8 level = graph_level(index->graph, place);

		for (guint list = 0; list < graph_n_lists(level); list++)
			header->n_links += graph_links_size(header->m, level, list);
	}
}

/* Under the lock for writing. Where most places are nobody's, the others are put together by
 * who loads it: the graph is left out, and made anew. */
static void take_shot(SpkIndex *index, const SpkIndexStamp *stamp, Shot *shot)
{
	gsize n = index->vectors.n;

	fill_header(index, stamp, &shot->header);
	shot->graph = index->graph;
	shot->writes = index->writes;
	if (n - index_live(index) > index_live(index) + VECTORS_CHUNK)
		shot->header.linked = shot->header.n_links = 0;
	shot->chunks =
		g_memdup2(index->vectors.chunks, (n + VECTORS_CHUNK - 1) / VECTORS_CHUNK *
							 sizeof(VectorChunk *));
	shot->nums = g_new(gint64, n);
	shot->stale = g_new0(guint8, n);
	for (gsize at = 0; at < n; at += VECTORS_CHUNK) {
		const VectorChunk *chunk = vectors_chunk(&index->vectors, at);
		gsize some = MIN(VECTORS_CHUNK, n - at);

		memcpy(shot->nums + at, chunk->num, some * sizeof(gint64));
		if (shot->header.linked)
			memcpy(shot->stale + at, chunk->stale, some);
	}
}

static gboolean start(SpkIndex *index, const SpkIndexStamp *stamp, Shot *shot)
{
	gboolean ok;

	index_write_lock(index);
	ok = !index->is_saving;
	if (ok) {
		index->is_saving = TRUE;
		take_shot(index, stamp, shot);
	}
	index_unlock(index);
	return ok;
}

static void finish(SpkIndex *index, const Shot *shot, gboolean saved)
{
	index_write_lock(index);
	index->is_saving = FALSE;
	index_cover_late(index);
	if (saved)
		index->saved = shot->writes;
	index_unlock(index);
	index_link(index, INDEX_LOOSE);
}

static gboolean is_still(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* The file beside it, locked and ours alone: another process that has it open may just have given
 * it the index's name. */
static int open_beside(const char *path, GError **error)
{
	for (int tries = 0; tries < 10; tries++) {
		spk_autofd int fd =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			     0600);

		if (fd < 0) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			break;
		if (is_still(fd, path))
			return spk_fd_steal(&fd);
	}
	spk_error_set(error, SPK_ERR_BUSY, NULL,
		      "%s: another process is saving the index", path);
	return -1;
}

/* After a power cut it is the old file or the new one; a failure here changes little. */
static void sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	spk_autofd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static gboolean write_file(const Shot *shot, const char *path, GError **error)
{
	g_autofree char *beside = g_strconcat(path, ".new", NULL);
	spk_autofd int fd = open_beside(beside, error);

	if (fd < 0)
		return FALSE;
	if (ftruncate(fd, 0) == 0 && write_all(fd, shot, error) && fsync(fd) == 0 &&
	    rename(beside, path) == 0) {
		sync_folder(path);
		return TRUE;
	}
	if (!*error)
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", beside);
	(void)unlink(beside); /* what is left of it helps nobody */
	return FALSE;
}

gboolean spk_index_save(SpkIndex *index, const char *path, const SpkIndexStamp *stamp,
			GError **error)
{
	g_auto(Shot) shot = { 0 };
	g_autoptr(GError) local = NULL;
	gboolean ok;

	if (!start(index, stamp, &shot)) {
		spk_error_set(error, SPK_ERR_BUSY, NULL,
			      "%s: the index is being saved already", path);
		return FALSE;
	}
	ok = write_file(&shot, path, &local);
	finish(index, &shot, ok);
	if (local)
		g_propagate_prefixed_error(error, g_steal_pointer(&local),
					   "saving the index: ");
	return ok;
}
