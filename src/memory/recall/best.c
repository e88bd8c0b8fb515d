/* The best of the candidates, alike ones apart where that is asked for. */
#include "memory/recall/fusion.h"

#include <string.h>

/* How many of the best may be among the k most diverse. */
#define CONTENDERS     4
#define CONTENDERS_MIN 64

/* What no leg found, nothing was lent to and is of no time that was asked for is none. */
static gboolean is_hit(const SpkCandidate *c)
{
	return c->rank_words || c->rank_vector || c->lent > 0 || c->by_date;
}

/* Of the places of hits: the one with the better score first. */
static int by_score(gconstpointer a, gconstpointer b, gpointer user)
{
	const SpkCandidate *one = spk_pool_at(user, *(const guint *)a);
	const SpkCandidate *two = spk_pool_at(user, *(const guint *)b);

	if (one->score != two->score)
		return one->score > two->score ? -1 : 1;
	return (one->num < two->num) - (one->num > two->num);
}

/* The best `most` hits, by their places. */
static GArray *contenders(SpkPool *pool, guint most)
{
	GArray *places = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < pool->all->len; i++)
		if (is_hit(spk_pool_at(pool, i)))
			g_array_append_val(places, i);
	g_array_sort_with_data(places, by_score, pool);
	g_array_set_size(places, MIN(places->len, most));
	return places;
}

/* Of the greatest likeness of each contender to one that is taken already. */
static void compare_all(SpkPool *pool, const GArray *places, guint taken, double *alike)
{
	for (guint i = 0; i < places->len; i++)
		alike[i] =
			MAX(alike[i],
			    spk_pool_dot(spk_pool_vector(pool,
							 g_array_index(places, guint, i)),
					 spk_pool_vector(pool, taken), pool->dims));
}

/* Pulls the scores down by likeness to better ones: greedily, at most k of them; the rest goes. */
static void spread(SpkPool *pool, double diversity, guint k)
{
	g_autoptr(GArray) places = contenders(pool, MAX(CONTENDERS * k, CONTENDERS_MIN));
	g_autofree double *alike = g_new0(double, places->len + 1);
	g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(SpkCandidate));
	/* lambda * score - (1 - lambda) * likeness in the scale of the scores */
	double price = diversity / MAX(1 - diversity, 0.01);

	while (kept->len < k && places->len) {
		SpkCandidate best;
		guint at = 0, place;
		double most = -G_MAXDOUBLE;

		for (guint i = 0; i < places->len; i++) {
			const SpkCandidate *c =
				spk_pool_at(pool, g_array_index(places, guint, i));
			double score = c->score - price * alike[i];

			if (score > most) {
				most = score;
				at = i;
			}
		}
		place = g_array_index(places, guint, at);
		best = *spk_pool_at(pool, place);
		best.apart = most - best.score;
		best.score = most;
		g_array_append_val(kept, best);
		/* In the order of their scores still, so that equal ones stay so. */
		g_array_remove_index(places, at);
		memmove(alike + at, alike + at + 1, (places->len - at) * sizeof(*alike));
		compare_all(pool, places, place, alike);
	}
	g_array_unref(pool->all);
	pool->all = g_steal_pointer(&kept);
}

void spk_fusion_best(SpkPool *pool, const SpkFusionKnobs *knobs, guint k)
{
	guint n = 0;

	if (knobs->diversity > 0 && pool->dims && knobs->fusion == SPK_FUSION_SCALED) {
		spread(pool, knobs->diversity, k);
		return;
	}
	spk_pool_sort(pool);
	for (guint i = 0; i < pool->all->len && n < k; i++) {
		SpkCandidate c = *spk_pool_at(pool, i);

		if (is_hit(&c))
			*spk_pool_at(pool, n++) = c;
	}
	g_array_set_size(pool->all, n);
}
