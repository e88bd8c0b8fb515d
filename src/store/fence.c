/* What a write looks at first: is the token the present one, is the task there. */
#include "base/error.h"
#include "store/store_priv.h"

gboolean spk_lease_lost(const char *task, GError **error)
{
	spk_error_set(error, SPK_ERR_LEASE_LOST,
		      "nothing was written; whoever has the task now goes on with it",
		      "the lease on task %s is another worker's now, or was given back",
		      task);
	return FALSE;
}

gboolean spk_lease_fence(SpkTx *tx, const char *task, gint64 token, GError **error)
{
	gint64 current = 0;

	if (!spk_tx_int(tx,
			"SELECT token FROM leases WHERE task = $1 AND holder IS NOT NULL",
			SPK_ARGS(spk_db_text(task)), &current, error))
		return FALSE;
	return current == token && token > 0 ? TRUE : spk_lease_lost(task, error);
}

gboolean spk_task_state(SpkTx *tx, const char *task, SpkState *ret_state, GError **error)
{
	g_autofree char *name = NULL;

	if (!spk_tx_text(tx, "SELECT status FROM tasks WHERE id = $1",
			 SPK_ARGS(spk_db_text(task)), &name, error))
		return FALSE;
	if (!name) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "see `sparks tasks list`",
			      "there is no task %s", task);
		return FALSE;
	}
	if (spk_state_parse(name, ret_state))
		return TRUE;
	spk_error_set(error, SPK_ERR_CORRUPT, "run `sparks doctor`",
		      "task %s is in a state that does not exist: %s", task, name);
	return FALSE;
}
