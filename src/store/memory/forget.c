/* Really removing: nothing of what was said stays in the database or the files beside it. */
#include <string.h>

#include "base/error.h"
#include "store/memory/memory_priv.h"

#define GONE_MAX 10000

/* Names of forgotten ones go from those that replaced them. */
static gboolean drop_pointers(SpkTx *tx, const char *id, gint64 change, GError **error)
{
	return spk_tx_exec(tx,
			   "UPDATE memories SET supersedes = NULL, change = $2"
			   " WHERE supersedes = $1",
			   SPK_ARGS(spk_db_text(id), spk_db_int(change)), NULL, error) &&
	       spk_tx_exec(tx,
			   "UPDATE memories SET superseded_by = NULL, change = $2"
			   " WHERE superseded_by = $1",
			   SPK_ARGS(spk_db_text(id), spk_db_int(change)), NULL, error);
}

static gboolean forget_row(SpkTx *tx, const SpkMemoryRow *row, gint64 change,
			   GError **error)
{
	const SpkDbValue *num = SPK_ARGS(spk_db_int(row->num));

	return spk_tx_exec(tx, "DELETE FROM memories WHERE num = $1", num, NULL, error) &&
	       spk_tx_exec(tx, "DELETE FROM memory_past WHERE num = $1", num, NULL,
			   error) &&
	       spk_memory_vectors_drop(tx, row->num, error) &&
	       drop_pointers(tx, row->id, change, error) &&
	       spk_tx_exec(tx, "INSERT INTO memory_gone (num, change) VALUES ($1, $2)",
			   SPK_ARGS(spk_db_int(row->num), spk_db_int(change)), NULL,
			   error) &&
	       spk_memory_index_change(tx, row, NULL, error);
}

static gboolean keep_id(const SpkDbValue *row, gpointer user, GError **error)
{
	g_hash_table_add(user, spk_db_dup_text(&row[0]));
	return TRUE;
}

/* ids: gets all names of what is forgotten; unknown ones add nothing. */
static gboolean forget_one(SpkTx *tx, const char *id, GHashTable *ids, gboolean *ret_was,
			   GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;
	SpkMemoryCounters next;
	gint64 merged_into = 0;

	*ret_was = FALSE;
	if (!spk_memory_find_row(tx, "WHERE m.id = $1", SPK_ARGS(spk_db_text(id)), &row,
				 error) ||
	    (!row && !spk_tx_int(tx, "SELECT num FROM memory_past WHERE id = $1",
				 SPK_ARGS(spk_db_text(id)), &merged_into, error)))
		return FALSE;
	if (!row && !merged_into)
		return TRUE;
	*ret_was = TRUE;
	g_hash_table_add(ids, g_strdup(id));
	if (!spk_memory_next(tx, FALSE, &next, error) ||
	    !spk_memory_want_scrub(tx, SPK_SCRUB_MEMORIES, error))
		return FALSE;
	if (!row)
		return spk_memory_merged_remove(tx, id, merged_into, next.change, error);
	return spk_tx_each(tx,
			   "SELECT id FROM memory_past WHERE num = $1 AND id IS NOT NULL",
			   SPK_ARGS(spk_db_int(row->num)), keep_id, ids, error) &&
	       spk_memory_index_current(tx, &next, error) &&
	       forget_row(tx, row, next.change, error);
}

/* Numbers of forgotten ones are for caches that have yet to learn of them. When there are too many the
 * table gets another name, and with that every cache is made anew out of the rows. */
static gboolean bound_gone(SpkTx *tx, GError **error)
{
	gint64 beyond = 0;

	if (!spk_tx_int(
		    tx,
		    "SELECT change FROM memory_gone ORDER BY change LIMIT 1 OFFSET $1",
		    SPK_ARGS(spk_db_int(GONE_MAX)), &beyond, error))
		return FALSE;
	return !beyond ||
	       (spk_tx_exec(tx, "DELETE FROM memory_gone", NULL, NULL, error) &&
		spk_memory_rename_store(tx, error));
}

static gboolean forget_copies(SpkTx *tx, GHashTable *ids, GError **error)
{
	gboolean any;

	return spk_memory_copies_drop(tx, ids, &any, error) &&
	       (!any || spk_memory_want_scrub(tx, SPK_SCRUB_ALL, error));
}

gboolean spk_memories_forget_many(SpkStore *store, const char *const *ids, gsize n,
				  gsize *ret_n, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(GHashTable)
		names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gsize forgotten = 0;

	for (gsize i = 0; tx && i < n; i++) {
		gboolean was;

		if (!forget_one(tx, ids[i], names, &was, error))
			return FALSE;
		forgotten += was;
	}
	if (!tx)
		return FALSE;
	if (forgotten) {
		if (!bound_gone(tx, error) || !forget_copies(tx, names, error) ||
		    !spk_tx_commit(g_steal_pointer(&tx), error))
			return FALSE;
		spk_memory_try_scrub(store, TRUE);
	}
	if (ret_n)
		*ret_n = forgotten;
	return TRUE;
}

gboolean spk_memories_forget(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error)
{
	gsize n;

	if (!spk_memories_forget_many(store, &id, 1, &n, error))
		return FALSE;
	if (ret_was)
		*ret_was = n > 0;
	return TRUE;
}
