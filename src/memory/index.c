/* Every vector is compared: what the graph's answers are measured against. */
#include "memory/index.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/error.h"

struct SpkIndex {
	SpkIndexOptions options;
	GRWLock lock;
	GArray *nums;	    /* gint64 */
	GArray *vectors;    /* dims floats each */
	GHashTable *places; /* num -> place in both, plus one */
	guint64 writes;
};

SpkIndex *spk_index_new(const SpkIndexOptions *options)
{
	SpkIndex *index = g_new0(SpkIndex, 1);

	index->options = *options;
	index->options.dims = CLAMP(options->dims, 1, SPK_INDEX_DIMS_MAX);
	g_rw_lock_init(&index->lock);
	index->nums = g_array_new(FALSE, FALSE, sizeof(gint64));
	index->vectors = g_array_new(FALSE, FALSE, sizeof(float) * index->options.dims);
	index->places = g_hash_table_new(NULL, NULL);
	return index;
}

void spk_index_free(SpkIndex *index)
{
	if (!index)
		return;
	g_rw_lock_clear(&index->lock);
	g_array_unref(index->nums);
	g_array_unref(index->vectors);
	g_hash_table_unref(index->places);
	g_free(index);
}

static gsize place_of(SpkIndex *index, gint64 num)
{
	return GPOINTER_TO_SIZE(
		g_hash_table_lookup(index->places, GSIZE_TO_POINTER(num)));
}

static float *vector_at(SpkIndex *index, gsize place)
{
	return (float *)(void *)index->vectors->data + place * index->options.dims;
}

static gboolean normalise(const float *in, guint dims, float *out)
{
	double sum = 0;

	for (guint i = 0; i < dims; i++)
		sum += (double)in[i] * in[i];
	if (!isfinite(sum))
		return FALSE;
	for (guint i = 0; i < dims; i++)
		out[i] = sum > 0 ? (float)(in[i] / sqrt(sum)) : 0;
	return TRUE;
}

gboolean spk_index_put(SpkIndex *index, gint64 num, const float *vector, GError **error)
{
	g_autofree float *unit = g_new(float, index->options.dims);
	gsize place;

	if (num < 1 || !normalise(vector, index->options.dims, unit)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "the vector of memory %" G_GINT64_FORMAT
			      " is not made of finite numbers",
			      num);
		return FALSE;
	}
	g_rw_lock_writer_lock(&index->lock);
	place = place_of(index, num);
	if (place) {
		memcpy(vector_at(index, place - 1), unit,
		       sizeof(float) * index->options.dims);
	} else {
		g_array_append_val(index->nums, num);
		g_array_append_vals(index->vectors, unit, 1);
		g_hash_table_insert(index->places, GSIZE_TO_POINTER(num),
				    GSIZE_TO_POINTER((gsize)index->nums->len));
	}
	index->writes++;
	g_rw_lock_writer_unlock(&index->lock);
	return TRUE;
}

void spk_index_drop(SpkIndex *index, gint64 num)
{
	gsize place;

	g_rw_lock_writer_lock(&index->lock);
	place = place_of(index, num);
	if (place) {
		gsize last = index->nums->len;

		if (place < last)
			g_hash_table_insert(index->places,
					    GSIZE_TO_POINTER(g_array_index(
						    index->nums, gint64, last - 1)),
					    GSIZE_TO_POINTER(place));
		g_array_remove_index_fast(index->nums, place - 1);
		g_array_remove_index_fast(index->vectors, place - 1);
		g_hash_table_remove(index->places, GSIZE_TO_POINTER(num));
		index->writes++;
	}
	g_rw_lock_writer_unlock(&index->lock);
}

gboolean spk_index_has(SpkIndex *index, gint64 num)
{
	gboolean has;

	g_rw_lock_reader_lock(&index->lock);
	has = place_of(index, num) > 0;
	g_rw_lock_reader_unlock(&index->lock);
	return has;
}

gboolean spk_index_get(SpkIndex *index, gint64 num, float *ret_vector)
{
	gsize place;

	g_rw_lock_reader_lock(&index->lock);
	place = place_of(index, num);
	if (place)
		memcpy(ret_vector, vector_at(index, place - 1),
		       sizeof(float) * index->options.dims);
	g_rw_lock_reader_unlock(&index->lock);
	return place > 0;
}

static gboolean is_before(const SpkNear *a, const SpkNear *b)
{
	return a->score != b->score ? a->score > b->score : a->num < b->num;
}

/* Into the n best so far, of at most k. */
static gsize keep(SpkNear *best, gsize n, gsize k, SpkNear one)
{
	gsize at = n < k ? n++ : n;

	for (; at > 0 && is_before(&one, &best[at - 1]); at--)
		if (at < n)
			best[at] = best[at - 1];
	if (at < n)
		best[at] = one;
	return n;
}

gsize spk_index_search(SpkIndex *index, const float *query, gsize k,
		       SpkIndexFilter filter, gpointer user, SpkNear *ret)
{
	guint dims = index->options.dims;
	g_autofree float *unit = g_new(float, dims);
	gsize n = 0;

	if (k == 0 || !normalise(query, dims, unit))
		return 0;
	g_rw_lock_reader_lock(&index->lock);
	for (gsize i = 0; i < index->nums->len; i++) {
		SpkNear one = { g_array_index(index->nums, gint64, i), 0 };
		const float *vector = vector_at(index, i);

		for (guint d = 0; d < dims; d++)
			one.score += vector[d] * unit[d];
		if ((n == k && !is_before(&one, &ret[k - 1])) ||
		    (filter && !filter(one.num, user)))
			continue;
		n = keep(ret, n, k, one);
	}
	g_rw_lock_reader_unlock(&index->lock);
	return n;
}

void spk_index_settle(SpkIndex *index)
{
}

void spk_index_stats(SpkIndex *index, SpkIndexStats *ret)
{
	g_rw_lock_reader_lock(&index->lock);
	*ret = (SpkIndexStats){
		.live = index->nums->len,
		.bytes = index->nums->len * (sizeof(float) * index->options.dims + 40),
		.writes = index->writes,
	};
	g_rw_lock_reader_unlock(&index->lock);
}

gboolean spk_index_save(SpkIndex *index, const char *path, const SpkIndexStamp *stamp,
			GError **error)
{
	return TRUE; /* a cache: nothing is lost */
}

SpkIndex *spk_index_load(const char *path, const SpkIndexOptions *options,
			 const SpkIndexStamp *want, gint64 *ret_change, GError **error)
{
	spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "%s: there is no saved index",
		      path);
	return NULL;
}
