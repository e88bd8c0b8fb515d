/* An index out of a file. Nothing in it is believed before it is checked. */
#include "memory/index/index_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/index/file_priv.h"

/* Of a vector whose one number is 1, and a little more. */
#define SCALE_MAX (1.001f / VECTORS_LARGEST)

/* Bytes of a file, by pieces that are summed up. */
typedef struct {
	int fd;
	guint64 left; /* in the file, before the sum at its end */
	guint8 *piece;
	gsize at, used;
	guint64 sum;
} Reader;

static gboolean read_exactly(int fd, void *ret, gsize size)
{
	guint8 *at = ret;

	while (size) {
		ssize_t n = read(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		at += n;
		size -= (gsize)n;
	}
	return TRUE;
}

static gboolean next_piece(Reader *reader)
{
	gsize n = MIN(reader->left, INDEX_PIECE);

	if (!n || !read_exactly(reader->fd, reader->piece, n))
		return FALSE;
	memset(reader->piece + n, 0, INDEX_PIECE - n);
	reader->sum = index_sum(reader->sum, reader->piece, INDEX_PIECE);
	reader->left -= n;
	reader->at = 0;
	reader->used = n;
	return TRUE;
}

static gboolean take(Reader *reader, void *ret, gsize size)
{
	guint8 *to = ret;

	while (size) {
		gsize n;

		if (reader->at == reader->used && !next_piece(reader))
			return FALSE;
		n = MIN(size, reader->used - reader->at);
		memcpy(to, reader->piece + reader->at, n);
		reader->at += n;
		to += n;
		size -= n;
	}
	return TRUE;
}

/* What is put together before it becomes an index. */
typedef struct {
	IndexHeader header;
	Vectors vectors;
	guint8 *levels;
	guint32 *links;
} Loaded;

static void loaded_clear(Loaded *loaded)
{
	vectors_clear(&loaded->vectors);
	g_free(loaded->levels);
	g_free(loaded->links);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loaded, loaded_clear)

static gboolean is_of(const IndexHeader *header, const SpkIndexStamp *want)
{
	g_autofree char *model =
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, want->model, -1);

	return strncmp(header->store, want->store, sizeof(header->store)) == 0 &&
	       strncmp(header->model, model, sizeof(header->model)) == 0;
}

/* What it is, when it isn't what is wanted; NULL: it is. */
static const char *misfit(const IndexHeader *header, guint dims,
			  const SpkIndexStamp *want)
{
	if (header->version != INDEX_VERSION || header->order != INDEX_ORDER)
		return "of another version or machine";
	if (!is_of(header, want))
		return "of another database or model";
	if (header->dims != dims)
		return "of vectors of another size";
	if (header->change > want->change)
		return "newer than the database";
	return NULL;
}

/* All sizes in it are bounded by those of the file, which is there. */
static gboolean is_whole(const IndexHeader *header, guint64 size)
{
	guint64 n = header->n, per_place = sizeof(gint64) + sizeof(float) + 1;

	if (n > SPK_INDEX_MAX || header->linked > n || header->change < 0 ||
	    header->m < 2 || header->m > 256 ||
	    header->n_links > n * (GRAPH_LEVELS + 2) * (header->m + 1) ||
	    header->width != (header->dims + SCAN_ALIGN - 1) / SCAN_ALIGN * SCAN_ALIGN)
		return FALSE;
	per_place += header->width + header->dims;
	return size == sizeof(*header) + n * per_place + header->linked +
			       header->n_links * sizeof(guint32) + sizeof(guint64);
}

static gboolean take_meta(Reader *reader, Vectors *vectors)
{
	gsize n = vectors->n;

	for (gsize at = 0; at < n; at += VECTORS_CHUNK)
		if (!take(reader, vectors_chunk(vectors, at)->num,
			  MIN(VECTORS_CHUNK, n - at) * sizeof(gint64)))
			return FALSE;
	for (gsize at = 0; at < n; at += VECTORS_CHUNK)
		if (!take(reader, vectors_chunk(vectors, at)->scale,
			  MIN(VECTORS_CHUNK, n - at) * sizeof(float)))
			return FALSE;
	for (gsize at = 0; at < n; at += VECTORS_CHUNK)
		if (!take(reader, vectors_chunk(vectors, at)->stale,
			  MIN(VECTORS_CHUNK, n - at)))
			return FALSE;
	return TRUE;
}

static gboolean take_rows(Reader *reader, Vectors *vectors)
{
	gsize n = vectors->n;

	for (gsize at = 0; at < n; at += VECTORS_CHUNK)
		if (!take(reader, vectors_chunk(vectors, at)->high,
			  MIN(VECTORS_CHUNK, n - at) * vectors->width))
			return FALSE;
	for (gsize at = 0; at < n; at += VECTORS_CHUNK)
		if (!take(reader, vectors_chunk(vectors, at)->low,
			  MIN(VECTORS_CHUNK, n - at) * vectors->dims))
			return FALSE;
	return TRUE;
}

static gboolean take_all(Reader *reader, Loaded *loaded)
{
	const IndexHeader *header = &loaded->header;
	guint64 sum;

	vectors_init(&loaded->vectors, header->dims);
	vectors_reserve(&loaded->vectors, header->n);
	loaded->vectors.n = header->n;
	loaded->levels = g_malloc(header->linked);
	loaded->links = g_new(guint32, header->n_links);
	return take_meta(reader, &loaded->vectors) &&
	       take(reader, loaded->levels, header->linked) &&
	       take(reader, loaded->links, header->n_links * sizeof(guint32)) &&
	       take_rows(reader, &loaded->vectors) && !reader->left &&
	       reader->at == reader->used &&
	       read_exactly(reader->fd, &sum, sizeof(sum)) && sum == reader->sum;
}

static void set_corrupt(GError **error, const char *path)
{
	spk_error_set(error, SPK_ERR_CORRUPT, "it is made anew from the database",
		      "%s: the saved index is damaged", path);
}

static gboolean read_file(int fd, const char *path, guint dims, const SpkIndexStamp *want,
			  Loaded *loaded, GError **error)
{
	g_autofree guint8 *piece = g_malloc(INDEX_PIECE);
	Reader reader = { .fd = fd, .piece = piece };
	IndexHeader *header = &loaded->header;
	struct stat st;
	const char *why;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (guint64)st.st_size < sizeof(*header) + sizeof(guint64)) {
		set_corrupt(error, path);
		return FALSE;
	}
	reader.left = (guint64)st.st_size - sizeof(guint64);
	if (!take(&reader, header, sizeof(*header)) ||
	    memcmp(header->magic, INDEX_MAGIC, sizeof(header->magic)) != 0) {
		set_corrupt(error, path);
		return FALSE;
	}
	why = misfit(header, dims, want);
	if (why) {
		spk_error_set(error, SPK_ERR_CONFLICT,
			      "it is made anew from the database",
			      "%s: the saved index is %s", path, why);
		return FALSE;
	}
	if (!is_whole(header, (guint64)st.st_size) || !take_all(&reader, loaded)) {
		set_corrupt(error, path);
		return FALSE;
	}
	return TRUE;
}

/* What follows from the rows, and what they are filled up with. */
static void set_sums(Vectors *vectors)
{
	g_autofree gint8 *ones = g_malloc(vectors->width);

	memset(ones, 1, vectors->width);
	for (gsize at = 0; at < vectors->n; at += VECTORS_CHUNK) {
		VectorChunk *chunk = vectors_chunk(vectors, at);
		gsize n = MIN(VECTORS_CHUNK, vectors->n - at);

		for (gsize i = 0; i < n && vectors->width > vectors->dims; i++)
			memset(chunk->high + i * vectors->width + vectors->dims, 128,
			       vectors->width - vectors->dims);
		vectors->kernels->rows(chunk->high, vectors->width, n, ones, chunk->sum);
		for (gsize i = 0; i < n; i++)
			chunk->sum[i] -= (gint32)(128 * vectors->width);
	}
}

/* Whose each place is: one place for a number. */
static gboolean adopt_places(SpkIndex *index, gsize linked)
{
	for (gsize place = 0; place < index->vectors.n; place++) {
		gint64 num = *vectors_num(&index->vectors, place);
		guint8 stale = *vectors_stale(&index->vectors, place);
		float scale = vectors_scale(&index->vectors, place);
		guint32 one = (guint32)place;

		if (num < 0 || stale > (place < linked) || !(scale >= 0) ||
		    scale > SCALE_MAX)
			return FALSE;
		if (stale)
			g_array_append_val(index->stale, one);
		if (!num)
			g_array_append_vals(place < linked ? index->spare_linked
							   : index->spare,
					    &one, 1);
		else if (!g_hash_table_insert(index->places, GSIZE_TO_POINTER(num),
					      GSIZE_TO_POINTER(place + 1)))
			return FALSE;
	}
	return TRUE;
}

/* All but nobody's. */
static void put_together(SpkIndex *index)
{
	Vectors all = index->vectors;
	g_autofree float *unit = g_new(float, all.dims);

	vectors_init(&index->vectors, all.dims);
	g_hash_table_remove_all(index->places);
	g_array_set_size(index->spare, 0);
	for (gsize place = 0; place < all.n; place++) {
		gint64 num = *vectors_num(&all, place);
		gsize to = index->vectors.n;

		if (!num)
			continue;
		vectors_get(&all, place, unit);
		vectors_reserve(&index->vectors, to + 1);
		vectors_set(&index->vectors, to, num, unit);
		index->vectors.n++;
		g_hash_table_insert(index->places, GSIZE_TO_POINTER(num),
				    GSIZE_TO_POINTER(to + 1));
	}
	vectors_clear(&all);
}

/* A graph with other options is left out: it is made anew. */
static gboolean adopt(SpkIndex *index, Loaded *loaded)
{
	const IndexHeader *header = &loaded->header;
	gsize linked = header->linked;

	index->vectors = loaded->vectors;
	loaded->vectors = (Vectors){ 0 };
	set_sums(&index->vectors);
	if (!index->options.hnsw || header->m != index->options.m ||
	    header->ef_construction != index->options.ef_construction) {
		for (gsize place = 0; place < index->vectors.n; place++)
			*vectors_stale(&index->vectors, place) = 0;
		linked = 0;
	}
	if (!adopt_places(index, linked))
		return FALSE;
	if (linked) {
		index->graph = graph_restore(&index->vectors, header->m,
					     header->ef_construction, linked,
					     loaded->levels, loaded->links,
					     header->n_links);
		return index->graph != NULL;
	}
	if (index->spare->len > index_live(index))
		put_together(index);
	return TRUE;
}

SpkIndex *spk_index_load(const char *path, const SpkIndexOptions *options,
			 const SpkIndexStamp *want, gint64 *ret_change, GError **error)
{
	g_autoptr(SpkIndex) index = spk_index_new(options);
	g_auto(Loaded) loaded = { 0 };
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		spk_error_set_errno(error,
				    errno == ENOENT ? SPK_ERR_NOT_FOUND : SPK_ERR_IO,
				    errno, NULL, "%s", path);
		return NULL;
	}
	if (!read_file(fd, path, index->options.dims, want, &loaded, error))
		return NULL;
	if (!adopt(index, &loaded)) {
		set_corrupt(error, path);
		return NULL;
	}
	*ret_change = loaded.header.change;
	index_link(index, INDEX_LOOSE);
	return g_steal_pointer(&index);
}
