#include "store/setups.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/store_priv.h"

#define ALLOW_MAX (64u << 10) /* bytes of the hosts */

void spk_setup_free(SpkSetup *setup)
{
	if (!setup)
		return;
	g_free(setup->repo);
	g_free(setup->folder);
	g_free(setup->command);
	json_decref(setup->allow);
	g_free(setup);
}

static gboolean add_row(const SpkDbValue *column, gpointer user, GError **error)
{
	g_autofree char *allow = spk_db_dup_text(&column[3]);
	SpkSetup *setup = g_new0(SpkSetup, 1);

	g_ptr_array_add(user, setup);
	setup->repo = spk_db_dup_text(&column[0]);
	setup->folder = spk_db_dup_text(&column[1]);
	setup->command = spk_db_dup_text(&column[2]);
	setup->allow = spk_json_parse(allow, strlen(allow), ALLOW_MAX, error);
	setup->set_us = column[4].integer;
	return setup->allow != NULL;
}

/* repo NULL: all. */
static GPtrArray *rows(SpkStore *store, const char *repo, GError **error)
{
	g_autoptr(GPtrArray)
		list = g_ptr_array_new_with_free_func((GDestroyNotify)spk_setup_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx || !spk_tx_each(tx,
				"SELECT repo, folder, command, allow, set_us FROM setups"
				" WHERE repo = coalesce($1, repo) ORDER BY repo",
				SPK_ARGS(spk_db_text(repo)), add_row, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

GPtrArray *spk_setup_list(SpkStore *store, GError **error)
{
	return rows(store, NULL, error);
}

gboolean spk_setup_find(SpkStore *store, const char *repo, SpkSetup **ret_setup,
			GError **error)
{
	g_autoptr(GPtrArray) list = rows(store, repo, error);

	if (!list)
		return FALSE;
	*ret_setup = list->len ? g_ptr_array_steal_index(list, 0) : NULL;
	return TRUE;
}

gboolean spk_setup_put(SpkStore *store, const SpkSetup *setup, GError **error)
{
	g_autofree char *allow = spk_json_dump(setup->allow);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx &&
	       spk_tx_exec(
		       tx,
		       "INSERT INTO setups (repo, folder, command, allow, set_us)"
		       " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (repo) DO UPDATE SET"
		       " folder = excluded.folder, command = excluded.command,"
		       " allow = excluded.allow, set_us = excluded.set_us",
		       SPK_ARGS(spk_db_text(setup->repo), spk_db_text(setup->folder),
				spk_db_text(setup->command), spk_db_text(allow),
				spk_db_int(setup->set_us ? setup->set_us : spk_now_us())),
		       NULL, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_setup_drop(SpkStore *store, const char *repo, gboolean *ret_was,
			GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx, "DELETE FROM setups WHERE repo = $1",
				SPK_ARGS(spk_db_text(repo)), &changed, error))
		return FALSE;
	*ret_was = changed > 0;
	return spk_tx_commit(g_steal_pointer(&tx), error);
}
