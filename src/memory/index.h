/*
 * The vector index: which stored vectors are nearest to one, by cosine. It is a cache of what
 * the store holds: it may be thrown away at any time, and is filled anew from there. Few vectors
 * are compared one by one; from `min_size` on there is a graph of neighbours (HNSW), which is
 * walked where that is quicker. What the graph doesn't have yet is compared one by one, so an
 * answer never waits for the graph, and a new vector is found from the moment spk_index_put()
 * returns.
 *
 * One index may be used by many threads: searches run beside each other, and a put or drop
 * waits for what is under way in the others, about a millisecond at most. The graph is made
 * by a thread of the index's own, which is there only while there is something to add.
 */
#ifndef SPK_MEMORY_INDEX_H
#define SPK_MEMORY_INDEX_H

#include <glib.h>

#define SPK_INDEX_DIMS_MAX 4096
/* As many vectors as one index holds. */
#define SPK_INDEX_MAX (16 * 1000 * 1000)

typedef struct SpkIndex SpkIndex;

typedef struct {
	guint dims;    /* 1 to SPK_INDEX_DIMS_MAX */
	gboolean hnsw; /* memory.hnsw_enabled */
	guint min_size; /* memory.hnsw_min_index_size: vectors from which there is a graph */
	guint m;	/* memory.hnsw_m: neighbours of a vector, 2 to 256 */
	guint ef_construction; /* memory.hnsw_ef_construction: width of the search for them */
	guint ef_search; /* memory.hnsw_ef_search: width of a search, at least its k */
} SpkIndexOptions;

/* What a saved index belongs to. */
typedef struct {
	char store[33]; /* the database's own id */
	char *model;	/* fingerprint of the model that made the vectors */
	gint64 change;	/* of the store: all that was written up to it is in the index */
} SpkIndexStamp;

typedef struct {
	gint64 num;
	float score; /* cosine, -1 to 1; right to 1e-5 */
} SpkNear;

typedef struct {
	gsize live;	/* vectors that can be found */
	gsize loose;	/* places of vectors that the graph doesn't have yet */
	gsize dead;	/* places of vectors that were dropped, not used again yet */
	gsize bytes;	/* of memory, about */
	guint64 writes; /* puts and drops that are in no saved file */
} SpkIndexStats;

/* TRUE: this one may be among the results. Called under a lock of the index: it must not call
 * the index, and should be quick. */
typedef gboolean (*SpkIndexFilter)(gint64 num, gpointer user);

/* Options out of their range are brought into it. */
SpkIndex *spk_index_new(const SpkIndexOptions *options);
/* Waits for the thread that makes the graph to put down what it has in hand. */
void spk_index_free(SpkIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkIndex, spk_index_free)

/* `vector`: options.dims floats of any length (they are normalised; all zeros is like nothing).
 * New, or in the place of the old one of that number. BAD_INPUT (not a finite number; num < 1),
 * LIMIT (full). */
gboolean spk_index_put(SpkIndex *index, gint64 num, const float *vector, GError **error);
/* It is never found again from now on; an unknown one is fine. */
void spk_index_drop(SpkIndex *index, gint64 num);
gboolean spk_index_has(SpkIndex *index, gint64 num);
/* The vector, of length 1 and right to 1e-5 in each number; FALSE: unknown. */
gboolean spk_index_get(SpkIndex *index, gint64 num, float *ret_vector);

/* The k nearest that pass the filter (NULL: all), best first, equal ones by number; fewer only
 * when there are fewer. `ret` has room for k. A query that isn't all finite finds nothing. */
gsize spk_index_search(SpkIndex *index, const float *query, gsize k,
		       SpkIndexFilter filter, gpointer user, SpkNear *ret);

/* Waits until the graph has everything. */
void spk_index_settle(SpkIndex *index);
void spk_index_stats(SpkIndex *index, SpkIndexStats *ret);

/* As one new file (0600) in the place of the old: one beside it, fsync, rename. Searches, puts
 * and drops go on meanwhile, and what is dropped then is still in the file, though in no search of who
 * loads it: save again. `stamp->change` must be of before the call. BUSY: another process is saving
 * it right now; IO, DISK_FULL, READ_ONLY. */
gboolean spk_index_save(SpkIndex *index, const char *path, const SpkIndexStamp *stamp,
			GError **error);
/* NULL: there is none that fits, make a new one. NOT_FOUND: no file; CONFLICT: it is of
 * another store, model, version or number of dimensions, or of a later change than
 * `want->change`; CORRUPT: damaged. *ret_change: what was written after it is to be put. */
SpkIndex *spk_index_load(const char *path, const SpkIndexOptions *options,
			 const SpkIndexStamp *want, gint64 *ret_change, GError **error);

#endif
