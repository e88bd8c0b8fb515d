/* What is so old, or so far down, that it is taken out of use. */
#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/memory/memory_priv.h"

#define DAY_US (86400.0 * G_USEC_PER_SEC)

typedef struct {
	gint64 num;
	double score;
} Score;

typedef struct {
	const SpkMemoryPrune *rules;
	gint64 now_us;
	GArray *scores;
} Scoring;

void spk_memory_old_free(SpkMemoryOld *old)
{
	if (!old)
		return;
	spk_memory_row_free(old->row);
	g_free(old);
}

/* A time to come counts as now: clocks go wrong. */
static gboolean add_score(const SpkDbValue *row, gpointer user, GError **error)
{
	Scoring *scoring = user;
	double days = MAX(0, (double)(scoring->now_us - row[1].integer)) / DAY_US;
	Score score = { row[0].integer,
			row[2].real * exp2(-days / scoring->rules->half_life_days) };

	g_array_append_val(scoring->scores, score);
	return TRUE;
}

static int worst_first(gconstpointer a, gconstpointer b)
{
	const Score *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return x->num < y->num ? -1 : x->num > y->num;
}

static gboolean check_rules(const SpkMemoryPrune *rules, GError **error)
{
	if (rules->half_life_days > 0 && isfinite(rules->half_life_days) &&
	    isfinite(rules->min_score) && rules->max_entries >= 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "a half-life above 0 days, a score from 0 to 1, no negative limit",
		      "these rules of pruning have no meaning");
	return FALSE;
}

/* Scores of all active ones, the worst first; *ret_n of them are to go. */
static GArray *find(SpkTx *tx, const SpkMemoryPrune *rules, guint *ret_n, GError **error)
{
	g_autoptr(GArray) scores = g_array_new(FALSE, FALSE, sizeof(Score));
	Scoring scoring = { rules, rules->now_us ? rules->now_us : spk_now_us(), scores };
	guint n = 0;

	if (!check_rules(rules, error) ||
	    !spk_tx_each(tx,
			 "SELECT num, time_us, confidence FROM memories WHERE state = 0",
			 NULL, add_score, &scoring, error))
		return NULL;
	g_array_sort(scores, worst_first);
	while (n < scores->len &&
	       g_array_index(scores, Score, n).score < rules->min_score)
		n++;
	if (rules->max_entries && scores->len > rules->max_entries)
		n = MAX(n, (guint)(scores->len - rules->max_entries));
	*ret_n = n;
	return g_steal_pointer(&scores);
}

static gboolean read_row(SpkTx *tx, gint64 num, SpkMemoryRow **ret, GError **error)
{
	return spk_memory_find_row(tx, "WHERE m.num = $1", SPK_ARGS(spk_db_int(num)), ret,
				   error);
}

GPtrArray *spk_memories_prune_find(SpkStore *store, const SpkMemoryPrune *rules,
				   GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_old_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GArray) scores = NULL;
	guint n = 0;

	scores = tx ? find(tx, rules, &n, error) : NULL;
	if (!scores)
		return NULL;
	for (guint i = 0; i < n; i++) {
		const Score *score = &g_array_index(scores, Score, i);
		SpkMemoryOld *old = g_new0(SpkMemoryOld, 1);

		g_ptr_array_add(list, old);
		old->score = score->score;
		if (!read_row(tx, score->num, &old->row, error))
			return NULL;
	}
	return g_steal_pointer(&list);
}

static gboolean retire(SpkTx *tx, gint64 num, GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;
	SpkMemoryCounters next;

	return read_row(tx, num, &row, error) &&
	       spk_memory_set_state(tx, row, SPK_MEMORY_RETIRED, NULL, &next, error);
}

gboolean spk_memories_prune(SpkStore *store, const SpkMemoryPrune *rules, gsize *ret_n,
			    GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(GArray) scores = NULL;
	guint n = 0;

	scores = tx ? find(tx, rules, &n, error) : NULL;
	if (!scores)
		return FALSE;
	for (guint i = 0; i < n; i++)
		if (!retire(tx, g_array_index(scores, Score, i).num, error))
			return FALSE;
	if (!spk_tx_commit(g_steal_pointer(&tx), error))
		return FALSE;
	*ret_n = n;
	return TRUE;
}

/* ---- more than there may be ---- */

static gboolean add_num(const SpkDbValue *row, gpointer user, GError **error)
{
	g_array_append_val((GArray *)user, row[0].integer);
	return TRUE;
}

static gboolean is_one_of(const gint64 *nums, gsize n, gint64 num)
{
	for (gsize i = 0; i < n; i++)
		if (nums[i] == num)
			return TRUE;
	return FALSE;
}

gboolean spk_memories_retire_oldest(SpkStore *store, gint64 keep, const gint64 *spared,
				    gsize n, guint most, gint64 *ret_n, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(GArray) oldest = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 active = 0, beyond, retired = 0;

	if (!tx || !spk_tx_int(tx, "SELECT count(*) FROM memories WHERE state = 0", NULL,
			       &active, error))
		return FALSE;
	beyond = CLAMP(active - keep, 0, (gint64)most);
	if (beyond && !spk_tx_each(tx,
				   "SELECT num FROM memories WHERE state = 0"
				   " ORDER BY time_us, num LIMIT $1",
				   SPK_ARGS(spk_db_int(beyond + (gint64)n)), add_num,
				   oldest, error))
		return FALSE;
	for (guint i = 0; i < oldest->len && retired < beyond; i++) {
		gint64 num = g_array_index(oldest, gint64, i);

		if (is_one_of(spared, n, num))
			continue;
		if (!retire(tx, num, error))
			return FALSE;
		retired++;
	}
	*ret_n = retired;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}
