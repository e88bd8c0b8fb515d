/* The thread that gives places their links: one that is started when there are enough of them, does
 * them all, and ends. */
#include "memory/index/index_priv.h"

static gboolean is_closing(SpkIndex *index)
{
	gboolean closing;

	g_mutex_lock(&index->thread_lock);
	closing = index->is_closing;
	g_mutex_unlock(&index->thread_lock);
	return closing;
}

/* Without memory for it, all is compared one by one from now on. */
static void fail(SpkIndex *index)
{
	index->has_failed = TRUE;
	g_clear_pointer(&index->graph, graph_free);
	for (guint i = 0; i < index->stale->len; i++)
		*vectors_stale(&index->vectors, g_array_index(index->stale, guint32, i)) =
			0;
	g_array_set_size(index->stale, 0);
}

/* Under the lock for writing. FALSE: there is nothing to do, or not now. */
static gboolean start_step(SpkIndex *index)
{
	if (index->is_saving || !index_wants_graph(index) || !index_loose(index))
		return FALSE;
	if (!index->graph)
		index->graph = graph_new(&index->vectors, index->options.m,
					 index->options.ef_construction);
	if (!index->graph)
		fail(index);
	return index->graph != NULL;
}

static void relink_one(SpkIndex *index)
{
	gsize place = g_array_index(index->stale, guint32, index->stale->len - 1);

	g_array_set_size(index->stale, index->stale->len - 1);
	*vectors_stale(&index->vectors, place) = 0;
	if (!graph_relink(index->graph, place))
		fail(index);
}

/* One place. */
static gboolean step(SpkIndex *index)
{
	gboolean ok, fresh = FALSE;

	index_write_lock(index);
	ok = start_step(index);
	if (ok && index->stale->len)
		relink_one(index);
	else if (ok)
		fresh = TRUE;
	index->in_hand = fresh ? index_linked(index) : INDEX_NOWHERE;
	index_unlock(index);
	if (!fresh)
		return ok;
	index_read_lock(index);
	ok = graph_look(index->graph);
	index_unlock(index);
	index_write_lock(index);
	index->in_hand = INDEX_NOWHERE;
	if (!ok || (!index->is_saving && !graph_link(index->graph)))
		fail(index);
	index_unlock(index);
	return TRUE;
}

static gpointer run(gpointer user)
{
	SpkIndex *index = user;

	while (!is_closing(index) && step(index))
		;
	g_mutex_lock(&index->thread_lock);
	index->is_linking = FALSE;
	g_cond_broadcast(&index->idle);
	g_mutex_unlock(&index->thread_lock);
	return NULL;
}

void index_link(SpkIndex *index, gsize loose)
{
	gboolean wanted;

	index_read_lock(index);
	wanted = index_wants_graph(index) && !index->is_saving &&
		 index_loose(index) > loose;
	index_unlock(index);
	if (!wanted)
		return;
	g_mutex_lock(&index->thread_lock);
	if (!index->is_linking && !index->is_closing) {
		if (index->thread)
			g_thread_join(index->thread); /* it has nothing left to do */
		index->is_linking = TRUE;
		index->thread = g_thread_new("memory-index", run, index);
	}
	g_mutex_unlock(&index->thread_lock);
}

void index_link_stop(SpkIndex *index)
{
	g_mutex_lock(&index->thread_lock);
	index->is_closing = TRUE;
	g_mutex_unlock(&index->thread_lock);
	if (index->thread)
		g_thread_join(index->thread);
}

void spk_index_settle(SpkIndex *index)
{
	index_link(index, 0);
	g_mutex_lock(&index->thread_lock);
	while (index->is_linking)
		g_cond_wait(&index->idle, &index->thread_lock);
	g_mutex_unlock(&index->thread_lock);
}
