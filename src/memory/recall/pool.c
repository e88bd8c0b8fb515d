/* The candidates of one search. */
#include "memory/recall/pool.h"

#include <string.h>

SpkPool *spk_pool_new(void)
{
	SpkPool *pool = g_new0(SpkPool, 1);

	pool->all = g_array_sized_new(FALSE, TRUE, sizeof(SpkCandidate), 256);
	pool->places = g_hash_table_new(NULL, NULL);
	pool->vectors = g_array_new(FALSE, TRUE, sizeof(float));
	return pool;
}

void spk_pool_free(SpkPool *pool)
{
	if (!pool)
		return;
	g_array_unref(pool->all);
	g_hash_table_unref(pool->places);
	g_array_unref(pool->vectors);
	g_free(pool);
}

SpkCandidate *spk_pool_at(SpkPool *pool, guint place)
{
	return &g_array_index(pool->all, SpkCandidate, place);
}

guint spk_pool_add(SpkPool *pool, SpkTurns *turns, gint64 num)
{
	gpointer key = GSIZE_TO_POINTER(num);
	guint place = GPOINTER_TO_UINT(g_hash_table_lookup(pool->places, key));
	SpkCandidate candidate = { .num = num,
				   .before = SPK_POOL_NONE,
				   .after = SPK_POOL_NONE };

	if (place)
		return place - 1;
	candidate.turn = spk_turns_get(turns, num);
	if (!candidate.turn)
		return SPK_POOL_NONE;
	g_array_append_val(pool->all, candidate);
	g_hash_table_insert(pool->places, key, GUINT_TO_POINTER(pool->all->len));
	return pool->all->len - 1;
}

static void add_beside(SpkPool *pool, SpkTurns *turns, guint from, guint to,
		       gint64 gap_us)
{
	for (guint i = from; i < to; i++) {
		SpkTurn *before, *after;
		guint at;

		spk_turns_beside(turns, spk_pool_at(pool, i)->turn, gap_us, &before,
				 &after);
		at = before ? spk_pool_add(pool, turns, before->num) : SPK_POOL_NONE;
		spk_pool_at(pool, i)->before = at;
		if (at != SPK_POOL_NONE)
			spk_pool_at(pool, at)->after = i;
		at = after ? spk_pool_add(pool, turns, after->num) : SPK_POOL_NONE;
		spk_pool_at(pool, i)->after = at;
		if (at != SPK_POOL_NONE)
			spk_pool_at(pool, at)->before = i;
	}
}

void spk_pool_add_neighbours(SpkPool *pool, SpkTurns *turns, guint reach, gint64 gap_us)
{
	guint from = 0;

	for (guint i = 0; i < reach; i++) {
		guint to = pool->all->len;

		add_beside(pool, turns, from, to, gap_us);
		from = to;
	}
}

const float *spk_pool_vector(const SpkPool *pool, guint place)
{
	return &g_array_index(pool->vectors, float, (gsize)place * pool->dims);
}

double spk_pool_dot(const float *a, const float *b, guint dims)
{
	/* Eight sums side by side: a compiler may not reorder one of floats by itself. */
	typedef float Lanes __attribute__((vector_size(32)));
	Lanes sums = { 0 }, x, y;
	double sum = 0;
	guint i = 0;

	for (; i + 8 <= dims; i += 8) {
		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		sums += x * y;
	}
	for (; i < dims; i++)
		sum += (double)a[i] * b[i];
	for (guint lane = 0; lane < 8; lane++)
		sum += sums[lane];
	return sum;
}

void spk_pool_turn_to(SpkPool *pool, const float *query)
{
	for (guint i = 0; pool->dims && i < pool->all->len; i++)
		spk_pool_at(pool, i)->cosine =
			spk_pool_dot(query, spk_pool_vector(pool, i), pool->dims);
}

void spk_pool_measure(SpkPool *pool, SpkIndex *index, guint dims, const float *query)
{
	pool->dims = dims;
	g_array_set_size(pool->vectors, pool->all->len * dims);
	for (guint i = 0; i < pool->all->len; i++) {
		float *vector = &g_array_index(pool->vectors, float, (gsize)i *dims);

		if (!spk_index_get(index, spk_pool_at(pool, i)->num, vector))
			memset(vector, 0, dims * sizeof(float));
	}
	spk_pool_turn_to(pool, query);
}

static int compare(gconstpointer a, gconstpointer b)
{
	const SpkCandidate *one = a, *two = b;

	if (one->score != two->score)
		return one->score > two->score ? -1 : 1;
	return (one->num < two->num) - (one->num > two->num);
}

void spk_pool_sort(SpkPool *pool)
{
	g_array_sort(pool->all, compare);
}
