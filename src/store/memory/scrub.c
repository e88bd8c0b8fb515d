/*
 * What forget leaves in the files beside the database. The counters remember that there may be
 * something, so that whoever writes next does it when the one who forgot could not, or was killed.
 */
#include "base/error.h"
#include "store/memory/memory_priv.h"

gboolean spk_memory_want_scrub(SpkTx *tx, GError **error)
{
	return spk_tx_exec(tx, "UPDATE memory_counters SET scrub = 1 WHERE scrub = 0",
			   NULL, NULL, error);
}

static gboolean scrub(SpkStore *store, gboolean waits, GError **error)
{
	return !store->impl->scrub ||
	       store->impl->scrub(store->db, "memor%",
				  "UPDATE memory_counters SET scrub = 0", waits, error);
}

gboolean spk_memories_scrub(SpkStore *store, GError **error)
{
	return scrub(store, TRUE, error);
}

void spk_memory_try_scrub(SpkStore *store, gboolean waits)
{
	/* what was asked for is committed; whoever writes next tries again */
	(void)scrub(store, waits, NULL);
}
