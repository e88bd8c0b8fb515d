#include "store/halt.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

void spk_halt_free(SpkHalt *halt)
{
	if (!halt)
		return;
	g_free(halt->by);
	g_free(halt->note);
	g_free(halt);
}

static gboolean read_row(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkHalt *halt = g_new0(SpkHalt, 1);

	halt->by = spk_db_dup_text(&row[0]);
	halt->note = spk_db_dup_text(&row[1]);
	halt->set_us = row[2].integer;
	*(SpkHalt **)user = halt;
	return TRUE;
}

gboolean spk_halt_find(SpkStore *store, SpkHalt **ret, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(SpkHalt) halt = NULL;

	if (!tx || !spk_tx_each(tx, "SELECT set_by, note, set_us FROM halt", NULL,
				read_row, &halt, error))
		return FALSE;
	*ret = g_steal_pointer(&halt);
	return TRUE;
}

gboolean spk_halt_set(SpkStore *store, const char *by, const char *note,
		      gboolean *ret_was, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx,
				"INSERT INTO halt (one, set_by, note, set_us)"
				" VALUES (1, $1, $2, $3) ON CONFLICT (one) DO NOTHING",
				SPK_ARGS(spk_db_text(by), spk_db_text(note),
					 spk_db_int(spk_now_us())),
				&changed, error))
		return FALSE;
	if (ret_was)
		*ret_was = changed == 0;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_halt_lift(SpkStore *store, gboolean *ret_was, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx, "DELETE FROM halt", NULL, &changed, error))
		return FALSE;
	*ret_was = changed > 0;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_halt_check(SpkStore *store, GError **error)
{
	g_autoptr(SpkHalt) halt = NULL;
	g_autofree char *since = NULL;

	if (!spk_halt_find(store, &halt, error))
		return FALSE;
	if (!halt)
		return TRUE;
	since = spk_time_format(halt->set_us);
	spk_error_set(error, SPK_ERR_POLICY, "lift it with `sparks stop --lift`",
		      "everything is stopped since %s by %s%s%s%s", since, halt->by,
		      halt->note ? " (" : "", halt->note ? halt->note : "",
		      halt->note ? ")" : "");
	return FALSE;
}
