#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

/* A process we can look for lives as long as it is there; of others we know only that they
 * have not been heard of for the time of a lease. */
static gboolean lives(const char *holder, gint64 seen_us)
{
	if (spk_holder_local(holder))
		return spk_holder_alive(holder);
	return spk_now_us() < seen_us + SPK_LEASE_MS * G_GINT64_CONSTANT(1000);
}

typedef struct {
	const char *except; /* NULL: nobody */
	char *living;
	GPtrArray *gone;
} Search;

static void search_clear(Search *search)
{
	g_free(search->living);
	g_ptr_array_unref(search->gone);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

static gboolean sort_worker(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autofree char *holder = spk_db_dup_text(&row[0]);
	Search *search = user;

	if (search->except && !strcmp(holder, search->except))
		return TRUE;
	if (!lives(holder, row[1].integer)) {
		g_ptr_array_add(search->gone, g_steal_pointer(&holder));
	} else if (!search->living) {
		search->living = g_steal_pointer(&holder);
	}
	return TRUE;
}

static gboolean run_search(SpkTx *tx, Search *search, GError **error)
{
	return spk_tx_each(tx, "SELECT holder, seen_us FROM workers", NULL, sort_worker,
			   search, error);
}

static gboolean forget(SpkTx *tx, const char *holder, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM workers WHERE holder = $1",
			   SPK_ARGS(spk_db_text(holder)), NULL, error);
}

static gboolean put(SpkTx *tx, const char *holder, GError **error)
{
	return spk_tx_exec(
		tx,
		"INSERT INTO workers (holder, seen_us) VALUES ($1, $2)"
		" ON CONFLICT (holder) DO UPDATE SET seen_us = excluded.seen_us",
		SPK_ARGS(spk_db_text(holder), spk_db_int(spk_now_us())), NULL, error);
}

gboolean spk_worker_register(SpkStore *store, const char *holder, GError **error)
{
	g_auto(Search) search = { holder, NULL, g_ptr_array_new_with_free_func(g_free) };
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	if (!tx || !run_search(tx, &search, error))
		return FALSE;
	if (search.living) {
		spk_error_set(
			error, SPK_ERR_BUSY, "stop that one first (SIGTERM drains it)",
			"a daemon already runs on this store: process %" G_GINT64_FORMAT,
			spk_holder_pid(search.living));
		return FALSE;
	}
	for (guint i = 0; i < search.gone->len; i++)
		if (!forget(tx, search.gone->pdata[i], error))
			return FALSE;
	return put(tx, holder, error) && spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_worker_unregister(SpkStore *store, const char *holder, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx && forget(tx, holder, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

char *spk_worker_find(SpkStore *store, GError **error)
{
	g_auto(Search) search = { NULL, NULL, g_ptr_array_new_with_free_func(g_free) };
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !run_search(tx, &search, error))
		return NULL;
	return g_steal_pointer(&search.living);
}
