#include "base/error.h"
#include "store/memory/memory_priv.h"

void spk_memory_past_free(SpkMemoryPast *past)
{
	if (!past)
		return;
	g_free(past->id);
	g_free(past->text);
	g_free(past->source);
	g_free(past->task);
	g_free(past);
}

gboolean spk_memory_merged_remove(SpkTx *tx, const char *id, gint64 num, gint64 change,
				  GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM memory_past WHERE id = $1",
			   SPK_ARGS(spk_db_text(id)), NULL, error) &&
	       spk_tx_exec(
		       tx,
		       "UPDATE memories SET merged = (SELECT count(*) FROM memory_past"
		       " WHERE num = $1 AND id IS NOT NULL), change = $2"
		       " WHERE num = $1",
		       SPK_ARGS(spk_db_int(num), spk_db_int(change)), NULL, error);
}

gboolean spk_memory_merged_drop(SpkTx *tx, const char *id, gboolean *ret_scrub,
				GError **error)
{
	SpkMemoryCounters next;
	gint64 num = 0;

	*ret_scrub = FALSE;
	if (!spk_tx_int(tx, "SELECT num FROM memory_past WHERE id = $1",
			SPK_ARGS(spk_db_text(id)), &num, error))
		return FALSE;
	if (!num)
		return TRUE;
	if (!spk_memory_next(tx, FALSE, &next, error))
		return FALSE;
	*ret_scrub = next.scrub;
	return spk_memory_merged_remove(tx, id, num, next.change, error);
}

static gboolean add_past(const SpkDbValue *column, gpointer user, GError **error)
{
	SpkMemoryPast *past = g_new0(SpkMemoryPast, 1);

	g_ptr_array_add(user, past);
	past->id = spk_db_dup_text(&column[0]);
	past->text = spk_db_dup_text(&column[1]);
	past->source = spk_db_dup_text(&column[2]);
	past->task = spk_db_dup_text(&column[3]);
	past->entry = column[4].integer;
	past->time_us = column[5].integer;
	past->at_us = column[6].integer;
	return TRUE;
}

GPtrArray *spk_memories_history(SpkStore *store, gint64 num, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_past_free);
	static const char sql[] =
		"SELECT id, text, source, task, entry, time_us, at_us FROM memory_past"
		" WHERE num = $1 AND CASE WHEN id IS NULL THEN 1 ELSE 0 END = $2 ORDER BY seq";
	guint edits;

	if (!tx || !spk_tx_each(tx, sql, SPK_ARGS(spk_db_int(num), spk_db_int(1)),
				add_past, list, error))
		return NULL;
	edits = list->len;
	for (guint i = 0; i < edits / 2; i++) { /* newest first */
		gpointer other = list->pdata[i];

		list->pdata[i] = list->pdata[edits - 1 - i];
		list->pdata[edits - 1 - i] = other;
	}
	return spk_tx_each(tx, sql, SPK_ARGS(spk_db_int(num), spk_db_int(0)), add_past,
			   list, error)
		       ? g_steal_pointer(&list)
		       : NULL;
}

static gboolean add_id(const SpkDbValue *column, gpointer user, GError **error)
{
	g_ptr_array_add(user, spk_db_dup_text(&column[0]));
	return TRUE;
}

GPtrArray *spk_memories_merged_of(SpkStore *store, const char *task, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	return tx && spk_tx_each(tx,
				 "SELECT id FROM memory_past WHERE task = $1"
				 " AND id IS NOT NULL ORDER BY at_us, id",
				 SPK_ARGS(spk_db_text(task)), add_id, ids, error)
		       ? g_steal_pointer(&ids)
		       : NULL;
}
