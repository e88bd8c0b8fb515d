#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "store/memory/memory_priv.h"

#define PAGE 200

static gboolean add_vector(const SpkDbValue *row, gpointer user, GError **error)
{
	json_t *json = user;
	g_autofree char *model = spk_db_dup_text(&row[0]);
	g_autofree char *text = NULL;

	if (row[1].type != SPK_DB_BLOB || !model)
		return TRUE;
	text = g_base64_encode(row[1].blob, row[1].len); /* as it is: little-endian */
	spk_json_set(json, model + 1, json_string(text));
	return TRUE;
}

static gboolean add_vectors(SpkTx *tx, gint64 num, json_t *json, GError **error)
{
	json_t *vectors = json_object();

	spk_json_set(json, "vectors", vectors);
	return spk_tx_each(tx,
			   "SELECT n.name, v.vector FROM memory_vectors v"
			   " JOIN memory_names n ON n.id = v.model WHERE v.num = $1",
			   SPK_ARGS(spk_db_int(num)), add_vector, vectors, error);
}

static gboolean tell_line(json_t *take_json, SpkMemoryLineFn fn, gpointer user,
			  GError **error)
{
	g_autoptr(json_t) json = take_json;
	g_autofree char *line = spk_json_dump(json);

	return fn(line, user, error);
}

static gboolean tell_row(SpkStore *store, const SpkMemoryRow *row, gboolean vectors,
			 SpkMemoryLineFn fn, gpointer user, GError **error)
{
	g_autoptr(GPtrArray) past = spk_memories_history(store, row->num, error);
	g_autoptr(json_t) json = past ? spk_memory_to_json(row, past) : NULL;

	if (!json)
		return FALSE;
	if (vectors) {
		g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

		if (!tx || !add_vectors(tx, row->num, json, error))
			return FALSE;
	}
	return tell_line(g_steal_pointer(&json), fn, user, error);
}

static GPtrArray *read_page(SpkStore *store, gint64 after, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GPtrArray) rows = spk_memory_rows_new();
	g_autofree char *sql = g_strconcat(
		spk_memory_select(), "WHERE m.num > $1 ORDER BY m.num LIMIT $2", NULL);

	return tx && spk_tx_each(tx, sql, SPK_ARGS(spk_db_int(after), spk_db_int(PAGE)),
				 spk_memory_from_row, rows, error)
		       ? g_steal_pointer(&rows)
		       : NULL;
}

/* A page at a time, so that whoever writes meanwhile isn't kept from folding its log. */
gboolean spk_memories_export(SpkStore *store, gboolean vectors, SpkMemoryLineFn fn,
			     gpointer user, GError **error)
{
	gint64 after = 0;
	guint n = 1;

	if (!tell_line(json_pack("{s:i}", "memories", 1), fn, user, error))
		return FALSE;
	while (n > 0) {
		g_autoptr(GPtrArray) rows = read_page(store, after, error);

		if (!rows)
			return FALSE;
		n = rows->len;
		for (guint i = 0; i < n; i++) {
			const SpkMemoryRow *row = rows->pdata[i];

			after = row->num;
			if (!tell_row(store, row, vectors, fn, user, error))
				return FALSE;
		}
	}
	return TRUE;
}
