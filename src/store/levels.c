#include "store/levels.h"

#include "base/clock.h"
#include "store/store_priv.h"

void spk_level_row_free(SpkLevelRow *row)
{
	if (!row)
		return;
	g_free(row->spark);
	g_free(row->repo);
	g_free(row->level);
	g_free(row->by);
	g_free(row);
}

static gboolean add_row(const SpkDbValue *column, gpointer user, GError **error)
{
	SpkLevelRow *row = g_new0(SpkLevelRow, 1);

	(void)error;
	g_ptr_array_add(user, row);
	row->spark = spk_db_dup_text(&column[0]);
	row->repo = spk_db_dup_text(&column[1]);
	row->level = spk_db_dup_text(&column[2]);
	row->by = spk_db_dup_text(&column[3]);
	row->set_us = column[4].integer;
	return TRUE;
}

GPtrArray *spk_levels_list(SpkStore *store, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)spk_level_row_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !spk_tx_each(tx,
				"SELECT spark, repo, level, set_by, set_us FROM autonomy"
				" ORDER BY repo, spark",
				NULL, add_row, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

gboolean spk_levels_put(SpkStore *store, const SpkLevelRow *row, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx &&
	       spk_tx_exec(
		       tx,
		       "INSERT INTO autonomy (spark, repo, level, set_by, set_us)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (spark, repo) DO UPDATE"
		       " SET level = excluded.level, set_by = excluded.set_by,"
		       " set_us = excluded.set_us",
		       SPK_ARGS(spk_db_text(row->spark), spk_db_text(row->repo),
				spk_db_text(row->level), spk_db_text(row->by),
				spk_db_int(row->set_us ? row->set_us : spk_now_us())),
		       NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_levels_drop(SpkStore *store, const char *spark, const char *repo,
			 gboolean *ret_was, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx, "DELETE FROM autonomy WHERE spark = $1 AND repo = $2",
				SPK_ARGS(spk_db_text(spark), spk_db_text(repo)), &changed,
				error))
		return FALSE;
	*ret_was = changed > 0;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}
