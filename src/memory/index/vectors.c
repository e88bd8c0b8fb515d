#include "memory/index/vectors_priv.h"

#include <math.h>
#include <string.h>

void vectors_init(Vectors *vectors, guint dims)
{
	*vectors = (Vectors){
		.dims = dims,
		.width = (dims + SCAN_ALIGN - 1) / SCAN_ALIGN * SCAN_ALIGN,
		.kernels = scan_kernels(NULL),
	};
}

static gsize n_chunks(gsize n)
{
	return (n + VECTORS_CHUNK - 1) / VECTORS_CHUNK;
}

static void chunk_free(VectorChunk *chunk)
{
	g_aligned_free(chunk->high);
	g_aligned_free(chunk->low);
	g_free(chunk);
}

void vectors_clear(Vectors *vectors)
{
	for (gsize i = 0; vectors->chunks && vectors->chunks[i]; i++)
		chunk_free(vectors->chunks[i]);
	g_clear_pointer(&vectors->chunks, g_free);
}

/* The array of chunks ends with NULL. */
void vectors_reserve(Vectors *vectors, gsize n)
{
	gsize have = 0;

	while (vectors->chunks && vectors->chunks[have])
		have++;
	if (n_chunks(n) <= have)
		return;
	vectors->chunks = g_renew(VectorChunk *, vectors->chunks, n_chunks(n) + 1);
	for (; have < n_chunks(n); have++) {
		VectorChunk *chunk = g_new0(VectorChunk, 1);

		chunk->high = g_aligned_alloc(VECTORS_CHUNK, vectors->width, SCAN_ALIGN);
		chunk->low = g_aligned_alloc(VECTORS_CHUNK, vectors->dims, SCAN_ALIGN);
		vectors->chunks[have] = chunk;
	}
	vectors->chunks[have] = NULL;
}

gsize vectors_bytes(const Vectors *vectors)
{
	return n_chunks(vectors->n) *
	       (sizeof(VectorChunk) + VECTORS_CHUNK * (vectors->width + vectors->dims));
}

gboolean vectors_normalise(guint dims, const float *in, float *ret)
{
	double sum = 0;

	for (guint d = 0; d < dims; d++)
		sum += (double)in[d] * in[d];
	if (!isfinite(sum)) /* squares of floats stay far below the largest double */
		return FALSE;
	for (guint d = 0; d < dims; d++)
		ret[d] = sum > 0 ? (float)(in[d] / sqrt(sum)) : 0;
	return TRUE;
}

static float largest_of(const float *unit, guint dims)
{
	float most = 0;

	for (guint d = 0; d < dims; d++)
		most = MAX(most, fabsf(unit[d]));
	return most;
}

/* -VECTORS_LARGEST to VECTORS_LARGEST */
static gint32 whole(float number, float largest)
{
	return largest > 0 ? (gint32)lrintf(number / largest * VECTORS_LARGEST) : 0;
}

void vectors_set(Vectors *vectors, gsize place, gint64 num, const float *unit)
{
	VectorChunk *chunk = vectors_chunk(vectors, place);
	gsize at = place % VECTORS_CHUNK;
	guint8 *high = chunk->high + at * vectors->width;
	gint8 *low = chunk->low + at * vectors->dims;
	float largest = largest_of(unit, vectors->dims);

	chunk->num[at] = num;
	chunk->scale[at] = largest / VECTORS_LARGEST;
	chunk->sum[at] = 0;
	memset(high, 128, vectors->width);
	for (guint d = 0; d < vectors->dims; d++) {
		gint32 q = whole(unit[d], largest);
		gint32 h = ((q + VECTORS_LARGEST + 256 + 128) >> 8) -
			   128; /* of no negative */

		high[d] = (guint8)(h + 128);
		low[d] = (gint8)(q - 256 * h);
		chunk->sum[at] += h;
	}
}

void vectors_blank(Vectors *vectors, gsize place)
{
	VectorChunk *chunk = vectors_chunk(vectors, place);
	gsize at = place % VECTORS_CHUNK;

	memset(chunk->high + at * vectors->width, 128, vectors->width);
	memset(chunk->low + at * vectors->dims, 0, vectors->dims);
	chunk->scale[at] = 0;
	chunk->sum[at] = 0;
	chunk->num[at] = 0;
}

void vectors_get(const Vectors *vectors, gsize place, float *ret)
{
	const VectorChunk *chunk = vectors_chunk(vectors, place);
	const guint8 *high = vectors_row(vectors, place);
	const gint8 *low = chunk->low + place % VECTORS_CHUNK * vectors->dims;

	for (guint d = 0; d < vectors->dims; d++)
		ret[d] = (float)(256 * (high[d] - 128) + low[d]) *
			 vectors_scale(vectors, place);
}

gboolean vectors_is_same(const Vectors *vectors, gsize place, const float *unit)
{
	const VectorChunk *chunk = vectors_chunk(vectors, place);
	const guint8 *high = vectors_row(vectors, place);
	const gint8 *low = chunk->low + place % VECTORS_CHUNK * vectors->dims;
	float largest = largest_of(unit, vectors->dims);

	if (vectors_scale(vectors, place) != largest / VECTORS_LARGEST)
		return FALSE;
	for (guint d = 0; d < vectors->dims; d++)
		if (256 * (high[d] - 128) + low[d] != whole(unit[d], largest))
			return FALSE;
	return TRUE;
}

static const gint8 *low_of(const Vectors *vectors, gsize place)
{
	return vectors_chunk(vectors, place)->low + place % VECTORS_CHUNK * vectors->dims;
}

gboolean vectors_are_same(const Vectors *vectors, gsize a, gsize b)
{
	return vectors_scale(vectors, a) == vectors_scale(vectors, b) &&
	       memcmp(vectors_row(vectors, a), vectors_row(vectors, b), vectors->dims) ==
		       0 &&
	       memcmp(low_of(vectors, a), low_of(vectors, b), vectors->dims) == 0;
}

gboolean vector_query_init(VectorQuery *query, guint dims, const float *vector)
{
	gsize width = (dims + SCAN_ALIGN - 1) / SCAN_ALIGN * SCAN_ALIGN;
	float largest;

	*query = (VectorQuery){ .unit = g_new(float, dims) };
	if (!vectors_normalise(dims, vector, query->unit)) {
		vector_query_clear(query);
		return FALSE;
	}
	query->codes = g_malloc0(width);
	largest = largest_of(query->unit, dims);
	query->scale = largest / 127;
	for (guint d = 0; d < dims && largest > 0; d++) {
		query->codes[d] = (gint8)lrintf(query->unit[d] / largest * 127);
		query->bias += 128 * query->codes[d];
	}
	return TRUE;
}

void vector_query_clear(VectorQuery *query)
{
	g_clear_pointer(&query->codes, g_free);
	g_clear_pointer(&query->unit, g_free);
}
