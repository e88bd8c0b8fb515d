#include "memory/index/index_priv.h"

#include <string.h>

#include "base/error.h"

/* Nobody's places in the graph are used again when there are more of them than this, and a
 * quarter of the others: to give one new links costs as much as several new ones. */
#define SPARE_LINKED 1024

static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t writers_first;
	int result = pthread_rwlockattr_init(&writers_first);

	result |= pthread_rwlockattr_setkind_np(
		&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	result |= pthread_rwlock_init(lock, &writers_first);
	result |= pthread_rwlockattr_destroy(&writers_first);
	g_assert(result == 0);
}

SpkIndex *spk_index_new(const SpkIndexOptions *options)
{
	SpkIndex *index = g_new0(SpkIndex, 1);

	/* a number is a key of the table as it is */
	G_STATIC_ASSERT(sizeof(gpointer) >= sizeof(gint64));
	index->options = *options;
	index->options.dims = CLAMP(options->dims, 1, SPK_INDEX_DIMS_MAX);
	index->options.m = CLAMP(options->m, 2, 256);
	index->options.ef_construction = CLAMP(options->ef_construction, 1, 10000);
	index->options.ef_search = CLAMP(options->ef_search, 1, 10000);
	lock_init(&index->lock);
	vectors_init(&index->vectors, index->options.dims);
	index->places = g_hash_table_new(NULL, NULL);
	index->spare = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->spare_linked = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->late = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->stale = g_array_new(FALSE, FALSE, sizeof(guint32));
	index->in_hand = INDEX_NOWHERE;
	g_mutex_init(&index->thread_lock);
	g_cond_init(&index->idle);
	return index;
}

void spk_index_free(SpkIndex *index)
{
	if (!index)
		return;
	index_link_stop(index);
	if (index->graph)
		graph_free(index->graph);
	vectors_clear(&index->vectors);
	g_hash_table_unref(index->places);
	g_array_unref(index->spare);
	g_array_unref(index->spare_linked);
	g_array_unref(index->late);
	g_array_unref(index->stale);
	g_mutex_clear(&index->thread_lock);
	g_cond_clear(&index->idle);
	(void)pthread_rwlock_destroy(&index->lock); /* nobody holds it */
	g_free(index);
}

static gsize place_of(SpkIndex *index, gint64 num)
{
	gpointer place = g_hash_table_lookup(index->places, GSIZE_TO_POINTER(num));

	return place ? GPOINTER_TO_SIZE(place) - 1 : INDEX_NOWHERE;
}

static gsize pop(GArray *places)
{
	guint32 place = g_array_index(places, guint32, places->len - 1);

	g_array_set_size(places, places->len - 1);
	return place;
}

static void push(GArray *places, gsize place)
{
	guint32 one = (guint32)place;

	g_array_append_val(places, one);
}

/* Of those in the graph, when there are enough. One that leads to twins stays for their sake. */
static gsize take_linked(SpkIndex *index)
{
	GArray *spare = index->spare_linked;

	for (int tries = 0; tries < 8; tries++) {
		guint at;
		gsize place;

		if (spare->len <= SPARE_LINKED + index_live(index) / 4)
			break;
		at = (guint)g_random_int_range(0, (gint32)spare->len);
		place = g_array_index(spare, guint32, at);
		if (place == index->in_hand ||
		    (place < index_linked(index) && graph_leads(index->graph, place)))
			continue;
		g_array_remove_index_fast(spare, at);
		return place;
	}
	return INDEX_NOWHERE;
}

/* Nobody's place that may be used again, or INDEX_NOWHERE. */
static gsize take_spare(SpkIndex *index)
{
	gsize linked = index_linked(index);

	if (index->is_saving)
		return INDEX_NOWHERE;
	while (index->spare->len) {
		gsize place = pop(index->spare);

		if (place >= linked && place != index->in_hand)
			return place;
		push(index->spare_linked,
		     place); /* it has been linked, or is about to be */
	}
	return take_linked(index);
}

/* The sum of the vectors of those neighbours that are somebody's; how many there are. */
static guint add_neighbours(SpkIndex *index, gsize place, float *sum)
{
	const guint32 *links = graph_links(index->graph, place, 0);
	guint dims = index->options.dims, n = 0;
	g_autofree float *one = g_new(float, dims);

	for (guint32 i = 1; i <= links[0]; i++) {
		if (!*vectors_num(&index->vectors, links[i]))
			continue;
		vectors_get(&index->vectors, links[i], one);
		for (guint d = 0; d < dims; d++)
			sum[d] += one[d];
		n++;
	}
	return n;
}

/* Nothing of the vector of a place in the graph stays: it leads on from the middle of its neighbours,
 * which is no vector of any of them. */
static void cover(SpkIndex *index, gsize place)
{
	g_autofree float *sum = g_new0(float, index->options.dims);
	g_autofree float *unit = g_new(float, index->options.dims);

	if (graph_level(index->graph, place) == GRAPH_TWIN) {
		vectors_blank(&index->vectors, place);
		return;
	}
	/* others with the same vector are reached through it */
	if (graph_leads(index->graph, place))
		return;
	if (add_neighbours(index, place, sum) > 1 &&
	    vectors_normalise(index->options.dims, sum, unit))
		vectors_set(&index->vectors, place, 0, unit);
	else
		vectors_blank(&index->vectors, place);
}

static void blank(SpkIndex *index, gsize place)
{
	if (place < index_linked(index))
		cover(index, place);
	else
		vectors_blank(&index->vectors, place);
}

void index_cover_late(SpkIndex *index)
{
	for (guint i = 0; i < index->late->len; i++)
		blank(index, g_array_index(index->late, guint32, i));
	g_array_set_size(index->late, 0);
}

/* Its place is nobody's from now on, and nothing of it stays: of what is just being saved, when that
 * is over. Until then no place is used again. */
static void give_up(SpkIndex *index, gsize place)
{
	*vectors_num(&index->vectors, place) = 0;
	if (index->is_saving)
		push(index->late, place);
	else
		blank(index, place);
	push(place < index_linked(index) ? index->spare_linked : index->spare, place);
}

static void put_at(SpkIndex *index, gsize place, gint64 num, const float *unit)
{
	vectors_set(&index->vectors, place, num, unit);
	if (place < index_linked(index) && !*vectors_stale(&index->vectors, place)) {
		*vectors_stale(&index->vectors, place) = 1;
		push(index->stale, place);
	}
	g_hash_table_insert(index->places, GSIZE_TO_POINTER(num),
			    GSIZE_TO_POINTER(place + 1));
}

/* FALSE: full. */
static gboolean put(SpkIndex *index, gint64 num, const float *unit)
{
	gsize old = place_of(index, num), place;

	if (old != INDEX_NOWHERE && vectors_is_same(&index->vectors, old, unit))
		return TRUE;
	place = take_spare(index);
	if (place == INDEX_NOWHERE) {
		if (index->vectors.n >= SPK_INDEX_MAX)
			return FALSE;
		vectors_reserve(&index->vectors, index->vectors.n + 1);
		place = index->vectors.n++;
	}
	put_at(index, place, num, unit);
	if (old != INDEX_NOWHERE)
		give_up(index, old);
	index->writes++;
	return TRUE;
}

gboolean spk_index_put(SpkIndex *index, gint64 num, const float *vector, GError **error)
{
	g_autofree float *unit = g_new(float, index->options.dims);
	gboolean ok;

	if (num < 1 || !vectors_normalise(index->options.dims, vector, unit)) {
		spk_error_set(
			error, SPK_ERR_BAD_INPUT, "let the model embed the text again",
			num < 1 ? "memories have numbers from 1 on, not %" G_GINT64_FORMAT
				: "the vector of memory %" G_GINT64_FORMAT
				  " has numbers that are not finite",
			num);
		return FALSE;
	}
	index_write_lock(index);
	ok = put(index, num, unit);
	index_unlock(index);
	if (!ok)
		spk_error_set(error, SPK_ERR_LIMIT, "forget what is not needed",
			      "the index is full: it holds %d vectors", SPK_INDEX_MAX);
	index_link(index, INDEX_LOOSE);
	return ok;
}

void spk_index_drop(SpkIndex *index, gint64 num)
{
	gsize place;

	index_write_lock(index);
	place = place_of(index, num);
	if (place != INDEX_NOWHERE) {
		g_hash_table_remove(index->places, GSIZE_TO_POINTER(num));
		give_up(index, place);
		index->writes++;
	}
	index_unlock(index);
}

gboolean spk_index_has(SpkIndex *index, gint64 num)
{
	gboolean has;

	index_read_lock(index);
	has = place_of(index, num) != INDEX_NOWHERE;
	index_unlock(index);
	return has;
}

gboolean spk_index_get(SpkIndex *index, gint64 num, float *ret_vector)
{
	gsize place;

	index_read_lock(index);
	place = place_of(index, num);
	if (place != INDEX_NOWHERE)
		vectors_get(&index->vectors, place, ret_vector);
	index_unlock(index);
	return place != INDEX_NOWHERE;
}

void spk_index_stats(SpkIndex *index, SpkIndexStats *ret)
{
	gsize dead;

	index_read_lock(index);
	dead = index->vectors.n - index_live(index);
	*ret = (SpkIndexStats){
		.live = index_live(index),
		.loose = index_loose(index),
		.dead = dead,
		.bytes = vectors_bytes(&index->vectors) + index_live(index) * 40 +
			 (index->graph ? graph_bytes(index->graph) : 0),
		.writes = index->writes - index->saved,
	};
	index_unlock(index);
}
