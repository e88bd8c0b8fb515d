/* What happened that is no task's: bounded, numbered, in the words of the event stream. */
#include "base/clock.h"
#include "base/json.h"
#include "store/knobs.h"
#include "store/store_priv.h"

void spk_event_free(SpkEvent *event)
{
	if (!event)
		return;
	g_free(event->category);
	g_free(event->message);
	json_decref(event->details);
	g_free(event);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkEvent, spk_event_free)

gboolean spk_event_add(SpkTx *tx, const char *category, const char *message,
		       const json_t *details, GError **error)
{
	g_autofree char *text = details ? spk_json_dump(details) : NULL;
	gint64 seq = 0;

	return spk_tx_int(tx, "SELECT coalesce(max(seq), 0) FROM events", NULL, &seq,
			  error) &&
	       spk_tx_exec(tx,
			   "INSERT INTO events (seq, at_us, category, message, details)"
			   " VALUES ($1, $2, $3, $4, $5)",
			   SPK_ARGS(spk_db_int(seq + 1), spk_db_int(spk_now_us()),
				    spk_db_text(category), spk_db_text(message),
				    spk_db_text(text)),
			   NULL, error) &&
	       spk_tx_exec(tx, "DELETE FROM events WHERE seq <= $1",
			   SPK_ARGS(spk_db_int(seq + 1 - SPK_EVENTS_MAX)), NULL, error);
}

static gboolean add_row(const SpkDbValue *column, gpointer user, GError **error)
{
	g_autoptr(SpkEvent) event = g_new0(SpkEvent, 1);

	event->seq = column[0].integer;
	event->at_us = column[1].integer;
	event->category = spk_db_dup_text(&column[2]);
	event->message = spk_db_dup_text(&column[3]);
	if (!spk_db_dup_json(&column[4], &event->details, error))
		return FALSE;
	g_ptr_array_add(user, g_steal_pointer(&event));
	return TRUE;
}

GPtrArray *spk_event_list(SpkStore *store, const char *category, gint64 limit,
			  GError **error)
{
	g_autoptr(GPtrArray)
		all = g_ptr_array_new_with_free_func((GDestroyNotify)spk_event_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx ||
	    !spk_tx_each(tx,
			 "SELECT seq, at_us, category, message, details FROM events"
			 " WHERE category = $1 ORDER BY seq DESC LIMIT $2",
			 SPK_ARGS(spk_db_text(category), spk_db_int(limit)), add_row, all,
			 error))
		return NULL;
	return g_steal_pointer(&all);
}
