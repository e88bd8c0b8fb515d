/*
 * What forget leaves in the files beside the database. The counters remember that there may be
 * something, so that whoever writes next does it when the one who forgot could not, or was killed.
 */
#include "base/error.h"
#include "store/memory/memory_priv.h"

gboolean spk_memory_want_scrub(SpkTx *tx, SpkMemoryScrub which, GError **error)
{
	return spk_tx_exec(tx, "UPDATE memory_counters SET scrub = $1 WHERE scrub < $1",
			   SPK_ARGS(spk_db_int(which)), NULL, error);
}

static gboolean read_wanted(SpkStore *store, gint64 *ret_which, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	*ret_which = SPK_SCRUB_NONE;
	return tx && spk_tx_int(tx, "SELECT scrub FROM memory_counters", NULL, ret_which,
				error);
}

static gboolean scrub(SpkStore *store, gboolean waits, GError **error)
{
	gint64 which;

	if (!store->impl->scrub)
		return TRUE;
	if (!read_wanted(store, &which, error))
		return FALSE;
	if (which == SPK_SCRUB_ALL)
		return store->impl->scrub(store->db, "%",
					  "UPDATE memory_counters SET scrub = 0", waits,
					  error);
	/* somebody may want more meanwhile */
	return store->impl->scrub(store->db, "memor%",
				  "UPDATE memory_counters SET scrub = 0 WHERE scrub < 2",
				  waits, error);
}

void spk_memory_try_scrub(SpkStore *store, gboolean waits)
{
	/* what was asked for is committed; whoever writes next tries again */
	(void)scrub(store, waits, NULL);
}
