/* The best of the candidates, alike ones apart where that is asked for. */
#include "memory/recall/fusion.h"

/* What no leg found and nothing was lent to is none. */
static gboolean is_hit(const SpkCandidate *c)
{
	return c->rank_words || c->rank_vector || c->lent > 0;
}

/* The greatest likeness to one that is taken already. */
static double likeness(SpkPool *pool, const GArray *taken, guint place)
{
	double most = 0;

	for (guint i = 0; i < taken->len; i++)
		most = MAX(most,
			   spk_pool_dot(spk_pool_vector(pool, place),
					spk_pool_vector(pool,
							g_array_index(taken, guint, i)),
					pool->dims));
	return most;
}

/* Pulls the scores down by likeness to better ones: greedily, at most k of them; the rest goes. */
static void spread(SpkPool *pool, double diversity, guint k)
{
	g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autofree gboolean *used = g_new0(gboolean, pool->all->len + 1);
	g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(SpkCandidate));

	while (kept->len < k) {
		guint best = SPK_POOL_NONE;
		double best_score = 0;

		for (guint i = 0; i < pool->all->len; i++) {
			double score;

			if (used[i] || !is_hit(spk_pool_at(pool, i)))
				continue;
			score = (1 - diversity) * spk_pool_at(pool, i)->score -
				diversity * likeness(pool, taken, i);
			if (best == SPK_POOL_NONE || score > best_score) {
				best = i;
				best_score = score;
			}
		}
		if (best == SPK_POOL_NONE)
			break;
		used[best] = TRUE;
		g_array_append_val(taken, best);
		g_array_append_val(kept, *spk_pool_at(pool, best));
		g_array_index(kept, SpkCandidate, kept->len - 1).score = best_score;
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
