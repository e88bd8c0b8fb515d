/* What all files of the index ask it. */
#include "memory/index/index_priv.h"

void index_read_lock(SpkIndex *index)
{
	int result = pthread_rwlock_rdlock(&index->lock);

	g_assert(result == 0);
}

void index_write_lock(SpkIndex *index)
{
	int result = pthread_rwlock_wrlock(&index->lock);

	g_assert(result == 0);
}

void index_unlock(SpkIndex *index)
{
	int result = pthread_rwlock_unlock(&index->lock);

	g_assert(result == 0);
}

gsize index_linked(const SpkIndex *index)
{
	return index->graph ? graph_size(index->graph) : 0;
}

gsize index_loose(const SpkIndex *index)
{
	return index->vectors.n - index_linked(index) + index->stale->len;
}

gboolean index_wants_graph(const SpkIndex *index)
{
	return index->options.hnsw && !index->has_failed &&
	       index_live(index) >= index->options.min_size;
}
