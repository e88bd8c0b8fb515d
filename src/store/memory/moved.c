/* Memories from elsewhere. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/memory/memory_priv.h"

#define MAX_WHY 20

void spk_memory_moved_clear(SpkMemoryMoved *moved)
{
	g_clear_pointer(&moved->why, g_ptr_array_unref);
}

void spk_memory_moved_refuse(SpkMemoryMoved *moved, const char *which, GError *take_error)
{
	if (!moved->why)
		moved->why = g_ptr_array_new_with_free_func(g_free);
	moved->refused++;
	if (moved->why->len < MAX_WHY)
		g_ptr_array_add(moved->why,
				g_strdup_printf("%s: %s", which, take_error->message));
	g_error_free(take_error);
}

static gboolean is_there(SpkTx *tx, const char *id, gboolean *ret, GError **error)
{
	gint64 n = 0;

	if (!spk_tx_int(tx,
			"SELECT (SELECT count(*) FROM memories WHERE id = $1)"
			" + (SELECT count(*) FROM memory_past WHERE id = $1)",
			SPK_ARGS(spk_db_text(id)), &n, error))
		return FALSE;
	*ret = n > 0;
	return TRUE;
}

static gboolean put_past(SpkTx *tx, gint64 num, gint64 seq, const SpkMemoryPast *past,
			 GError **error)
{
	return spk_tx_exec(tx,
			   "INSERT INTO memory_past (num, seq, id, text, source, task,"
			   " entry, time_us, at_us)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
			   " ON CONFLICT DO NOTHING",
			   SPK_ARGS(spk_db_int(num), spk_db_int(seq),
				    spk_db_text(past->id), spk_db_text(past->text),
				    spk_db_text(past->source), spk_db_text(past->task),
				    spk_db_int(past->entry), spk_db_int(past->time_us),
				    spk_db_int(past->at_us)),
			   NULL, error);
}

/* Of merged ones those whose id is free; earlier texts come newest first and are kept oldest
 * first. */
static gboolean put_all_past(SpkTx *tx, SpkMemoryRow *row, const GPtrArray *past,
			     GError **error)
{
	guint edits = 0;

	row->merged = 0;
	while (edits < past->len && !((SpkMemoryPast *)past->pdata[edits])->id)
		edits++;
	for (guint i = 0; i < past->len; i++) {
		const SpkMemoryPast *one = past->pdata[i < edits ? edits - 1 - i : i];
		gboolean taken = FALSE;

		if (one->id && !is_there(tx, one->id, &taken, error))
			return FALSE;
		if (taken)
			continue;
		if (!put_past(tx, row->num, i + 1, one, error))
			return FALSE;
		row->merged += one->id != NULL;
	}
	return TRUE;
}

static gboolean put_vectors(SpkTx *tx, SpkMemoryRow *row, GHashTable *vectors,
			    SpkMemoryMoved *moved, GError **error)
{
	GHashTableIter iter;
	gpointer model, bytes;

	if (!vectors)
		return TRUE;
	g_hash_table_iter_init(&iter, vectors);
	while (g_hash_table_iter_next(&iter, &model, &bytes)) {
		gsize len;
		const float *vector = g_bytes_get_data(bytes, &len);

		if (!spk_memory_vector_put(tx, row->num, model, vector,
					   (guint)(len / sizeof(float)), error))
			return FALSE;
		g_free(row->model);
		row->model = g_strdup(model);
		moved->vectors++;
	}
	return TRUE;
}

gboolean spk_memory_moved_put(SpkTx *tx, SpkMemoryBulk *bulk, SpkMemoryRow *row,
			      const GPtrArray *past, GHashTable *vectors,
			      SpkMemoryMoved *moved, GError **error)
{
	SpkMemoryCounters next;
	gboolean there;

	if (!is_there(tx, row->id, &there, error))
		return FALSE;
	if (there) {
		moved->there++;
		return TRUE;
	}
	if (!spk_memory_next(tx, TRUE, &next, error) ||
	    !spk_memory_index_current(tx, &next, error))
		return FALSE;
	row->num = next.num;
	row->change = next.change;
	if (!put_vectors(tx, row, vectors, moved, error) ||
	    (past && !put_all_past(tx, row, past, error)) ||
	    !spk_memory_write_row(tx, row, error) ||
	    !spk_memory_bulk_add(bulk, row, error))
		return FALSE;
	moved->taken++;
	return TRUE;
}
