#include "store/knobs.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/store_priv.h"

void spk_knob_row_free(SpkKnobRow *row)
{
	if (!row)
		return;
	g_free(row->name);
	g_free(row->value);
	g_free(row);
}

typedef struct {
	GPtrArray *rows;
	const char *daemon; /* NULL: none lives */
} Reading;

/* Of one name the daemon's comes first. */
static gboolean add_row(const SpkDbValue *column, gpointer user, GError **error)
{
	Reading *reading = user;
	GPtrArray *rows = reading->rows;
	g_autofree char *name = spk_db_dup_text(&column[0]);
	g_autofree char *holder = spk_db_dup_text(&column[3]);
	const SpkKnobRow *last = rows->len ? rows->pdata[rows->len - 1] : NULL;
	SpkKnobRow *row;

	if ((!column[1].integer && g_strcmp0(holder, reading->daemon) != 0) ||
	    (last && !strcmp(last->name, name)))
		return TRUE;
	row = g_new0(SpkKnobRow, 1);
	row->name = g_steal_pointer(&name);
	row->kept = column[1].integer != 0;
	row->value = spk_db_dup_text(&column[2]);
	row->set_us = column[4].integer;
	g_ptr_array_add(rows, row);
	return TRUE;
}

GPtrArray *spk_knob_rows(SpkStore *store, GError **error)
{
	g_autoptr(GPtrArray)
		rows = g_ptr_array_new_with_free_func((GDestroyNotify)spk_knob_row_free);
	g_autoptr(GError) broken = NULL;
	g_autofree char *daemon = spk_worker_find(store, &broken);
	g_autoptr(SpkTx) tx = NULL;
	Reading reading = { rows, daemon };

	if (broken) {
		g_propagate_error(error, g_steal_pointer(&broken));
		return NULL;
	}
	tx = spk_tx_begin(store, SPK_TX_READ, error);
	if (!tx || !spk_tx_each(tx,
				"SELECT name, kept, value, holder, set_us FROM knobs"
				" ORDER BY name, kept",
				NULL, add_row, &reading, error))
		return NULL;
	return g_steal_pointer(&rows);
}

static gboolean tell(SpkTx *tx, const char *name, const char *value, gboolean kept,
		     GError **error)
{
	g_autofree char *message =
		value ? g_strdup_printf("%s = %s%s", name, value, kept ? ", kept" : "")
		      : g_strdup_printf("%s is as configured", name);
	g_autoptr(json_t) details = json_pack("{s:s,s:o,s:b}", "knob", name, "value",
					      spk_json_text(value), "kept", kept);

	return spk_event_add(tx, "KnobChange", message, details, error);
}

static gboolean drop(SpkTx *tx, const char *name, gint64 most_kept, gint64 *ret_changed,
		     GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM knobs WHERE name = $1 AND kept <= $2",
			   SPK_ARGS(spk_db_text(name), spk_db_int(most_kept)),
			   ret_changed, error);
}

gboolean spk_knob_put(SpkStore *store, const char *name, const char *value,
		      const char *holder, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && drop(tx, name, 0, NULL, error) &&
	       spk_tx_exec(
		       tx,
		       "INSERT INTO knobs (name, kept, value, holder, set_us)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, kept) DO UPDATE"
		       " SET value = excluded.value, holder = excluded.holder,"
		       " set_us = excluded.set_us",
		       SPK_ARGS(spk_db_text(name), spk_db_int(holder == NULL),
				spk_db_text(value), spk_db_text(holder),
				spk_db_int(spk_now_us())),
		       NULL, error) &&
	       tell(tx, name, value, holder == NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_knob_drop(SpkStore *store, const char *name, gboolean *ret_was,
		       GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !drop(tx, name, 1, &changed, error) ||
	    (changed && !tell(tx, name, NULL, FALSE, error)))
		return FALSE;
	*ret_was = changed > 0;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}
