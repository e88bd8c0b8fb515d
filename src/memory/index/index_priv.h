/*
 * What the files of the index share: state.c (locks), link.c (the thread that makes the graph),
 * index.c (places, put, drop), search.c, save.c, load.c.
 *
 * Locks: `lock` guards all but the last block. Searches hold it for reading; so does the thread
 * while it looks for neighbours, which is most of its time, and what it then links takes
 * the lock for writing, as put and drop do. Writers go first, so that many searches don't keep
 * them out. While a save is under way, no place that it writes is used again and nothing
 * is linked, so that it needs no lock. `thread_lock` guards the last block; nobody
 * holds both.
 */
#ifndef SPK_MEMORY_INDEX_INDEX_PRIV_H
#define SPK_MEMORY_INDEX_INDEX_PRIV_H

#include <pthread.h>

#include "memory/index/graph_priv.h"
#include "memory/index.h"

/* As many places without links are compared one by one before a thread is started for them. */
#define INDEX_LOOSE 256

#define INDEX_NOWHERE G_MAXSIZE

struct SpkIndex {
	SpkIndexOptions options;

	pthread_rwlock_t lock;
	Vectors vectors;
	GHashTable *places; /* num -> its place, plus one */
	GArray *spare; /* guint32: nobody's places, not in the graph when they came here */
	GArray *spare_linked; /* guint32: nobody's places in the graph */
	GArray *late; /* guint32: places given up while a save was under way: their vectors go
		       * when it is over */
	GArray *stale;	       /* guint32: places of the graph that want new links */
	guint64 writes, saved; /* puts and drops; when it was saved */
	SpkGraph *graph;       /* NULL: none yet */
	gsize in_hand;	       /* the place that is being linked */
	gboolean is_saving;
	gboolean has_failed; /* no memory for a graph: there will be none */

	GMutex thread_lock;
	GCond idle;
	GThread *thread; /* joined when the next one starts, and at the end */
	gboolean is_linking, is_closing;
};

void index_read_lock(SpkIndex *index);
void index_write_lock(SpkIndex *index);
void index_unlock(SpkIndex *index);

/* Under the lock. */
gsize index_linked(const SpkIndex *index);
/* Places that want links. */
gsize index_loose(const SpkIndex *index);
gboolean index_wants_graph(const SpkIndex *index);
static inline gsize index_live(const SpkIndex *index)
{
	return g_hash_table_size(index->places);
}

/* What was given up meanwhile; no save is under way. */
void index_cover_late(SpkIndex *index);

/* Without a lock: has the thread started, when there are more than `loose` places for it. */
void index_link(SpkIndex *index, gsize loose);
/* The thread ends soon, and no other starts. */
void index_link_stop(SpkIndex *index);

#endif
