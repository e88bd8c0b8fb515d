#include "base/error.h"
#include "store/memory/memory_priv.h"

static void clear_sum(gpointer sum)
{
	g_free(((SpkMemorySum *)sum)->name);
}

void spk_memory_stats_clear(SpkMemoryStats *stats)
{
	g_clear_pointer(&stats->scopes, g_array_unref);
	g_clear_pointer(&stats->kinds, g_array_unref);
	g_clear_pointer(&stats->models, g_array_unref);
	g_clear_pointer(&stats->vectors, g_array_unref);
}

static gboolean add_state(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkMemoryStats *stats = user;

	if (row[0].integer >= 0 && row[0].integer < SPK_N_MEMORY_STATES)
		stats->by_state[row[0].integer] = row[1].integer;
	return TRUE;
}

static gboolean keep_active(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkMemoryStats *stats = user;

	stats->untrusted = row[0].integer;
	stats->merged = row[1].integer;
	stats->text_bytes = row[2].integer;
	stats->oldest_us = row[3].integer;
	stats->newest_us = row[4].integer;
	return TRUE;
}

static gboolean add_sum(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkMemorySum sum = { spk_db_dup_text(&row[0]), row[1].integer };

	g_array_append_val((GArray *)user, sum);
	return TRUE;
}

static gboolean list_sums(SpkTx *tx, const char *sql, GArray **ret, GError **error)
{
	*ret = g_array_new(FALSE, FALSE, sizeof(SpkMemorySum));
	g_array_set_clear_func(*ret, clear_sum);
	return spk_tx_each(tx, sql, NULL, add_sum, *ret, error);
}

#define BY(column)                                                              \
	"SELECT " column ", count(*) FROM memories WHERE state = 0 AND " column \
	" IS NOT NULL GROUP BY " column " ORDER BY 2 DESC, 1"

static gboolean read_all(SpkTx *tx, SpkMemoryStats *stats, GError **error)
{
	return spk_tx_each(tx, "SELECT state, count(*) FROM memories GROUP BY state",
			   NULL, add_state, stats, error) &&
	       spk_tx_each(tx,
			   "SELECT coalesce(sum(untrusted), 0), coalesce(sum(merged), 0),"
			   " coalesce(sum(length(text)), 0), coalesce(min(time_us), 0),"
			   " coalesce(max(time_us), 0) FROM memories WHERE state = 0",
			   NULL, keep_active, stats, error) &&
	       spk_tx_int(tx,
			  "SELECT count(DISTINCT num) FROM memory_past WHERE id IS NULL",
			  NULL, &stats->edited, error) &&
	       spk_tx_int(tx, "SELECT count(*) FROM memory_gone", NULL, &stats->gone,
			  error) &&
	       spk_tx_int(tx, "SELECT count(DISTINCT word) FROM memory_words", NULL,
			  &stats->words, error) &&
	       list_sums(tx, BY("scope"), &stats->scopes, error) &&
	       list_sums(tx, BY("kind"), &stats->kinds, error) &&
	       list_sums(tx, BY("model"), &stats->models, error) &&
	       list_sums(
		       tx,
		       "SELECT substr(n.name, 2), v.n FROM memory_names n,"
		       " (SELECT model, count(*) AS n FROM memory_vectors GROUP BY model) v"
		       " WHERE n.id = v.model ORDER BY 2 DESC, 1",
		       &stats->vectors, error);
}

gboolean spk_memories_stats(SpkStore *store, SpkMemoryStats *ret, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	*ret = (SpkMemoryStats){ 0 };
	if (tx && read_all(tx, ret, error))
		return TRUE;
	spk_memory_stats_clear(ret);
	return FALSE;
}
