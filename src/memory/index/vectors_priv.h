/*
 * The vectors of an index, in places 0, 1, 2 …, each as whole numbers of 16 bits times a scale
 * of its own. Their upper halves lie together, a row of 8 bits for each vector (scan_priv.h): that is
 * all a search reads of most of them. With the lower halves a score is right to 1e-5.
 * Chunks never move, so that readers go on while others are added.
 */
#ifndef SPK_MEMORY_INDEX_VECTORS_PRIV_H
#define SPK_MEMORY_INDEX_VECTORS_PRIV_H

#include "memory/index/scan_priv.h"

G_BEGIN_DECLS

#define VECTORS_CHUNK 1024
/* The largest number of a vector becomes this one, whose upper half is 127 and lower half 0. */
#define VECTORS_LARGEST (127 * 256)

typedef struct {
	guint8 *high; /* `width` bytes a vector */
	gint8 *low;   /* `dims` bytes a vector */
	float scale[VECTORS_CHUNK];
	gint32 sum[VECTORS_CHUNK];   /* of the upper halves, without what is added */
	gint64 num[VECTORS_CHUNK];   /* whose it is; 0: nobody's any more */
	guint8 stale[VECTORS_CHUNK]; /* the graph has it where another vector was */
} VectorChunk;

typedef struct {
	guint dims;
	gsize width; /* dims, filled up */
	const ScanKernels *kernels;
	VectorChunk **chunks;
	gsize n; /* places in use, nobody's included */
} Vectors;

/* A vector to compare with. */
typedef struct {
	gint8 *codes; /* `width` of them */
	float scale;
	gint32 bias; /* 128 times the sum of the codes */
	float *unit; /* the vector itself, of length 1 */
} VectorQuery;

void vectors_init(Vectors *vectors, guint dims);
void vectors_clear(Vectors *vectors);
/* Room for `n` places in all. */
void vectors_reserve(Vectors *vectors, gsize n);
/* Of memory, about. */
gsize vectors_bytes(const Vectors *vectors);
/* Of length 1 into `ret` (dims); zeros stay zeros. FALSE: not all finite. */
gboolean vectors_normalise(guint dims, const float *in, float *ret);
/* `unit` into a place that vectors_reserve() has made. */
void vectors_set(Vectors *vectors, gsize place, gint64 num, const float *unit);
/* Nobody's, and nothing left of it. */
void vectors_blank(Vectors *vectors, gsize place);
void vectors_get(const Vectors *vectors, gsize place, float *ret);
gboolean vectors_is_same(const Vectors *vectors, gsize place, const float *unit);
gboolean vectors_are_same(const Vectors *vectors, gsize a, gsize b);

/* FALSE: not all finite. */
gboolean vector_query_init(VectorQuery *query, guint dims, const float *vector);
void vector_query_clear(VectorQuery *query);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VectorQuery, vector_query_clear)

static inline VectorChunk *vectors_chunk(const Vectors *vectors, gsize place)
{
	return vectors->chunks[place / VECTORS_CHUNK];
}

static inline const guint8 *vectors_row(const Vectors *vectors, gsize place)
{
	return vectors_chunk(vectors, place)->high +
	       place % VECTORS_CHUNK * vectors->width;
}

static inline gint64 *vectors_num(const Vectors *vectors, gsize place)
{
	return &vectors_chunk(vectors, place)->num[place % VECTORS_CHUNK];
}

static inline guint8 *vectors_stale(const Vectors *vectors, gsize place)
{
	return &vectors_chunk(vectors, place)->stale[place % VECTORS_CHUNK];
}

static inline float vectors_scale(const Vectors *vectors, gsize place)
{
	return vectors_chunk(vectors, place)->scale[place % VECTORS_CHUNK];
}

/* Cosine by the upper halves of both. */
static inline float vectors_near(const Vectors *vectors, const VectorQuery *query,
				 gsize place)
{
	gint32 sum;

	vectors->kernels->rows(vectors_row(vectors, place), vectors->width, 1,
			       query->codes, &sum);
	return (float)(sum - query->bias) * query->scale *
	       (256 * vectors_scale(vectors, place));
}

/* Cosine of two of them, by their upper halves. */
static inline float vectors_pair(const Vectors *vectors, gsize a, gsize b)
{
	const VectorChunk *chunk = vectors_chunk(vectors, b);
	gint32 sum = vectors->kernels->pair(vectors_row(vectors, a),
					    vectors_row(vectors, b), vectors->width);

	return (float)(sum - 128 * chunk->sum[b % VECTORS_CHUNK]) *
	       (256 * vectors_scale(vectors, a)) * (256 * vectors_scale(vectors, b));
}

/* Cosine by all there is. */
static inline float vectors_fine(const Vectors *vectors, const VectorQuery *query,
				 gsize place)
{
	const VectorChunk *chunk = vectors_chunk(vectors, place);

	return chunk->scale[place % VECTORS_CHUNK] *
	       vectors->kernels->fine(vectors_row(vectors, place),
				      chunk->low + place % VECTORS_CHUNK * vectors->dims,
				      query->unit, vectors->dims);
}

G_END_DECLS

#endif
