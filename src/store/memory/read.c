#include <string.h>

#include "base/error.h"
#include "store/memory/memory_priv.h"

#define MIN_PREFIX 4
#define AFTER_TEXT "\xf4\x8f\xbf\xbf" /* the last character: sorts behind all others */

gboolean spk_memories_get(SpkStore *store, const char *id, SpkMemoryRow **ret,
			  GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	*ret = NULL;
	if (!tx || !spk_memory_find_row(tx, "WHERE m.id = $1", SPK_ARGS(spk_db_text(id)),
					ret, error))
		return FALSE;
	return *ret || spk_memory_find_row(tx,
					   "WHERE m.num = (SELECT num FROM memory_past"
					   " WHERE id = $1)",
					   SPK_ARGS(spk_db_text(id)), ret, error);
}

static gboolean several(const char *prefix, const GPtrArray *rows, GError **error)
{
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < rows->len; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "",
				       ((SpkMemoryRow *)rows->pdata[i])->id);
	spk_error_set(error, SPK_ERR_USAGE, "give more characters of the id",
		      "%s may be several: %s", prefix, list->str);
	return FALSE;
}

gboolean spk_memories_find(SpkStore *store, const char *prefix, SpkMemoryRow **ret,
			   GError **error)
{
	g_autofree char *end = g_strconcat(prefix, AFTER_TEXT, NULL);
	g_autofree char *sql =
		g_strconcat(spk_memory_select(),
			    "WHERE m.id >= $1 AND m.id < $2 ORDER BY m.id LIMIT 5", NULL);
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();
	g_autoptr(SpkTx) tx = NULL;

	if (!spk_memories_get(store, prefix, ret, error))
		return FALSE;
	if (*ret)
		return TRUE;
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	if (!tx || (strlen(prefix) >= MIN_PREFIX &&
		    !spk_tx_each(tx, sql, SPK_ARGS(spk_db_text(prefix), spk_db_text(end)),
				 spk_memory_from_row, rows, error)))
		return FALSE;
	if (rows->len > 1)
		return several(prefix, rows, error);
	if (!rows->len) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "`sparks memory list` shows what there is",
			      "there is no memory %s", prefix);
		return FALSE;
	}
	*ret = g_ptr_array_steal_index(rows, 0);
	return TRUE;
}

GPtrArray *spk_memories_by_num(SpkStore *store, const gint64 *nums, gsize n,
			       GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();

	if (!tx)
		return NULL;
	for (gsize i = 0; i < n; i++) {
		SpkMemoryRow *row = NULL;

		if (!spk_memory_find_row(tx, "WHERE m.num = $1",
					 SPK_ARGS(spk_db_int(nums[i])), &row, error))
			return NULL;
		g_ptr_array_add(rows, row);
	}
	return g_steal_pointer(&rows);
}

GPtrArray *spk_memories_without_vector(SpkStore *store, const char *model, guint dims,
				       gint64 after, guint limit, gint64 *ret_left,
				       GError **error)
{
	static const char lacks[] =
		"m.state = 0 AND NOT EXISTS (SELECT 1 FROM memory_vectors v"
		" WHERE v.num = m.num AND v.model = $1"
		" AND ($2 = 0 OR length(v.vector) = $2))";
	const SpkDbValue bytes = spk_db_int((gint64)dims * (gint64)sizeof(float));
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();
	g_autofree char *sql = g_strconcat(spk_memory_select(), "WHERE ", lacks,
					   " AND m.num > $3 ORDER BY m.num LIMIT $4",
					   NULL);
	g_autofree char *count =
		g_strconcat("SELECT count(*) FROM memories m WHERE ", lacks, NULL);
	gint64 id;

	if (!tx || !spk_memory_name_find(tx, SPK_MEMORY_MODEL, model, &id, error) ||
	    !spk_tx_each(tx, sql,
			 SPK_ARGS(spk_db_int(id), bytes, spk_db_int(after),
				  spk_db_int(limit)),
			 spk_memory_from_row, rows, error) ||
	    (ret_left &&
	     !spk_tx_int(tx, count, SPK_ARGS(spk_db_int(id), bytes), ret_left, error)))
		return NULL;
	return g_steal_pointer(&rows);
}
