/* Numbers that only grow, and what the table is called by the caches over it. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/memory/memory_priv.h"

static gboolean keep(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkMemoryCounters *counters = user;

	if (row[0].type == SPK_DB_TEXT)
		g_strlcpy(counters->store, row[0].text, sizeof(counters->store));
	counters->num = row[1].integer;
	counters->change = row[2].integer;
	counters->words = row[3].integer;
	counters->scrub = row[4].integer != 0;
	return TRUE;
}

gboolean spk_memory_counters(SpkTx *tx, SpkMemoryCounters *ret, GError **error)
{
	*ret = (SpkMemoryCounters){ 0 };
	return spk_tx_each(tx,
			   "SELECT store, num, change, words, scrub FROM memory_counters",
			   NULL, keep, ret, error);
}

gboolean spk_memory_next(SpkTx *tx, gboolean new_num, SpkMemoryCounters *ret,
			 GError **error)
{
	*ret = (SpkMemoryCounters){ 0 };
	return spk_tx_each(
		       tx,
		       "UPDATE memory_counters SET num = num + $1, change = change + 1"
		       " RETURNING store, num, change, words, scrub",
		       SPK_ARGS(spk_db_int(new_num ? 1 : 0)), keep, ret, error) &&
	       (*ret->store || spk_memory_rename_store(tx, error));
}

gboolean spk_memory_rename_store(SpkTx *tx, GError **error)
{
	guint8 chance[16];
	char name[33];

	spk_random(chance, sizeof(chance));
	for (gsize i = 0; i < sizeof(chance); i++)
		g_snprintf(name + 2 * i, 3, "%02x", chance[i]);
	return spk_tx_exec(tx, "UPDATE memory_counters SET store = $1",
			   SPK_ARGS(spk_db_text(name)), NULL, error);
}

gboolean spk_memory_set_words_version(SpkTx *tx, gint64 version, GError **error)
{
	return spk_tx_exec(tx, "UPDATE memory_counters SET words = $1",
			   SPK_ARGS(spk_db_int(version)), NULL, error);
}

gboolean spk_memories_stamp(SpkStore *store, SpkMemoryStamp *ret, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	SpkMemoryCounters counters;

	if (!tx || !spk_memory_counters(tx, &counters, error))
		return FALSE;
	memcpy(ret->store, counters.store, sizeof(ret->store));
	ret->change = counters.change;
	return TRUE;
}
