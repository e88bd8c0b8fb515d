/* The turns around one: same scope, by time, then by arrival. */
#include "base/error.h"
#include "store/memory/memory_priv.h"

typedef struct {
	char *scope;
	gint64 time_us;
} Place;

static gboolean keep_place(const SpkDbValue *row, gpointer user, GError **error)
{
	Place *place = user;

	place->scope = spk_db_dup_text(&row[0]);
	place->time_us = row[1].integer;
	return TRUE;
}

static gboolean add_num(const SpkDbValue *row, gpointer user, GError **error)
{
	g_array_append_val((GArray *)user, row[0].integer);
	return TRUE;
}

static GArray *list(SpkTx *tx, const char *sql, const Place *place, gint64 num,
		    guint limit, GError **error)
{
	g_autoptr(GArray) nums = g_array_new(FALSE, FALSE, sizeof(gint64));

	if (limit &&
	    !spk_tx_each(tx, sql,
			 SPK_ARGS(spk_db_text(place->scope), spk_db_int(place->time_us),
				  spk_db_int(num), spk_db_int(limit)),
			 add_num, nums, error))
		return NULL;
	return g_steal_pointer(&nums);
}

gboolean spk_memories_neighbours(SpkStore *store, gint64 num, guint before, guint after,
				 GArray **ret_before, GArray **ret_after, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GArray) earlier = NULL, later = NULL;
	g_autofree char *scope = NULL;
	Place place = { 0 };

	if (!tx || !spk_tx_each(tx, "SELECT scope, time_us FROM memories WHERE num = $1",
				SPK_ARGS(spk_db_int(num)), keep_place, &place, error))
		return FALSE;
	scope = place.scope;
	earlier = list(tx,
		       "SELECT num FROM memories WHERE scope = $1 AND state = 0"
		       " AND (time_us, num) < ($2, $3)"
		       " ORDER BY time_us DESC, num DESC LIMIT $4",
		       &place, num, scope ? before : 0, error);
	later = earlier ? list(tx,
			       "SELECT num FROM memories WHERE scope = $1 AND state = 0"
			       " AND (time_us, num) > ($2, $3)"
			       " ORDER BY time_us, num LIMIT $4",
			       &place, num, scope ? after : 0, error)
			: NULL;
	if (!later)
		return FALSE;
	*ret_before = g_steal_pointer(&earlier);
	*ret_after = g_steal_pointer(&later);
	return TRUE;
}
