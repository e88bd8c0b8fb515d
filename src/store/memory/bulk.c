/*
 * Words of many memories at once: gathered in memory by word, then written a word at a time, in
 * the order of the database, for as many memories as fit a bound.
 */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "store/memory/memory_priv.h"

#define MAX_POSTINGS 400000 /* 24 bytes each */

struct SpkMemoryBulk {
	SpkTx *tx;
	GHashTable *words; /* char * -> GArray of SpkPosting */
	gsize n;
};

static void free_array(gpointer array)
{
	g_array_unref(array);
}

SpkMemoryBulk *spk_memory_bulk_new(SpkTx *tx)
{
	SpkMemoryBulk *bulk = g_new0(SpkMemoryBulk, 1);

	bulk->tx = tx;
	bulk->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_array);
	return bulk;
}

void spk_memory_bulk_free(SpkMemoryBulk *bulk)
{
	if (!bulk)
		return;
	g_hash_table_unref(bulk->words);
	g_free(bulk);
}

static void gather(SpkMemoryBulk *bulk, const SpkWord *word, SpkPosting posting)
{
	GArray *list = g_hash_table_lookup(bulk->words, word->word);

	if (!list) {
		list = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
		g_hash_table_insert(bulk->words, g_strdup(word->word), list);
	}
	posting.n = word->n;
	g_array_append_val(list, posting);
	bulk->n++;
}

static int by_bytes(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

gboolean spk_memory_bulk_finish(SpkMemoryBulk *bulk, GError **error)
{
	guint n;
	g_autofree gpointer *words = g_hash_table_get_keys_as_array(bulk->words, &n);

	qsort(words, n, sizeof(*words), by_bytes);
	for (guint i = 0; i < n; i++) {
		const GArray *list = g_hash_table_lookup(bulk->words, words[i]);

		if (!spk_memory_index_append(bulk->tx, words[i],
					     (const SpkPosting *)list->data, list->len,
					     error))
			return FALSE;
	}
	g_hash_table_remove_all(bulk->words);
	bulk->n = 0;
	return TRUE;
}

gboolean spk_memory_bulk_add(SpkMemoryBulk *bulk, const SpkMemoryRow *row, GError **error)
{
	g_autoptr(SpkWords) words = NULL;
	gint64 scope, kind;

	if (row->state != SPK_MEMORY_ACTIVE)
		return TRUE;
	words = spk_words_of(row->text, 0);
	if (!spk_memory_name_get(bulk->tx, SPK_MEMORY_SCOPE, row->scope, &scope, error) ||
	    !spk_memory_name_get(bulk->tx, SPK_MEMORY_KIND, row->kind, &kind, error) ||
	    !spk_memory_sums_add(bulk->tx, scope, kind, 1, words->length, error))
		return FALSE;
	for (guint i = 0; i < words->words->len; i++)
		gather(bulk, &g_array_index(words->words, SpkWord, i),
		       (SpkPosting){ .num = row->num,
				     .length = words->length,
				     .scope = (guint32)scope,
				     .kind = (guint32)kind });
	return bulk->n < MAX_POSTINGS || spk_memory_bulk_finish(bulk, error);
}

/* ---- all anew ---- */

static gboolean add_row(const SpkDbValue *column, gpointer user, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();

	return spk_memory_from_row(column, rows, error) &&
	       spk_memory_bulk_add(user, rows->pdata[0], error);
}

static gboolean add_all(SpkTx *tx, GError **error)
{
	g_autoptr(SpkMemoryBulk) bulk = spk_memory_bulk_new(tx);
	g_autofree char *sql = g_strconcat(spk_memory_select(),
					   "WHERE m.state = 0 ORDER BY m.num", NULL);

	return spk_tx_each(tx, sql, NULL, add_row, bulk, error) &&
	       spk_memory_bulk_finish(bulk, error);
}

gboolean spk_memory_index_rebuild(SpkTx *tx, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM memory_words", NULL, NULL, error) &&
	       spk_tx_exec(tx, "DELETE FROM memory_sums", NULL, NULL, error) &&
	       spk_tx_exec(tx,
			   "DELETE FROM memory_names"
			   " WHERE name LIKE 's%' OR name LIKE 'k%'",
			   NULL, NULL, error) &&
	       add_all(tx, error) &&
	       spk_memory_set_words_version(tx, SPK_WORDS_VERSION, error);
}

gboolean spk_memory_index_change(SpkTx *tx, const SpkMemoryRow *old,
				 const SpkMemoryRow *now, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (spk_memory_index_try(tx, old, now, &problem))
		return TRUE;
	if (!spk_error_is(problem, SPK_ERR_CORRUPT)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	spk_warn("store", "%s; they are made anew out of the memories", problem->message);
	return spk_memory_index_rebuild(tx, error);
}

gboolean spk_memory_index_current(SpkTx *tx, const SpkMemoryCounters *counters,
				  GError **error)
{
	return counters->words == SPK_WORDS_VERSION ||
	       spk_memory_index_rebuild(tx, error);
}

gboolean spk_memories_rebuild_words(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && spk_memory_index_rebuild(tx, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}
