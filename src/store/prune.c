/* What the journal of a finished task can do without. */
#include "base/error.h"
#include "base/json.h"
#include "store/store_priv.h"

/* Kinds that hold what was said and done on the way; by far the most of a journal. */
#define BULK                                                            \
	" FROM journal WHERE task = $1 AND kind IN ('model.intent',"    \
	" 'model.result', 'model.error', 'tool.intent', 'tool.result'," \
	" 'note', 'history', 'recall', 'compaction')"

static gboolean count(SpkTx *tx, const char *task, gint64 *ret_entries, gint64 *ret_bytes,
		      GError **error)
{
	*ret_entries = *ret_bytes = 0;
	return spk_tx_int(tx, "SELECT count(*)" BULK, SPK_ARGS(spk_db_text(task)),
			  ret_entries, error) &&
	       spk_tx_int(tx, "SELECT coalesce(sum(length(payload)), 0)" BULK,
			  SPK_ARGS(spk_db_text(task)), ret_bytes, error);
}

gboolean spk_journal_bulk(SpkStore *store, const char *task, gint64 *ret_bytes,
			  GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	gint64 entries;

	return tx && count(tx, task, &entries, ret_bytes, error);
}

static gboolean is_finished(SpkTx *tx, const char *task, GError **error)
{
	SpkState state;

	if (!spk_task_state(tx, task, &state, error))
		return FALSE;
	if (spk_state_is_terminal(state))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT, "its steps are needed to go on",
		      "task %s is %s", task, spk_state_name(state));
	return FALSE;
}

static gboolean keep_tree(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autoptr(json_t) payload = NULL;
	const char *tree;
	char **last = user;

	if (!spk_db_dup_json(&row[0], &payload, error))
		return FALSE;
	tree = spk_json_str(payload, "tree");
	if (tree) {
		g_free(*last);
		*last = g_strdup(tree);
	}
	return TRUE;
}

/* The raw tree that the last step left: what apply and undo begin from. */
static gboolean last_tree(SpkTx *tx, const char *task, char **ret_tree, GError **error)
{
	return spk_tx_each(tx,
			   "SELECT payload FROM journal WHERE task = $1"
			   " AND kind = 'tool.result' ORDER BY seq",
			   SPK_ARGS(spk_db_text(task)), keep_tree, ret_tree, error);
}

gboolean spk_journal_thin(SpkStore *store, const char *task, gint64 *ret_entries,
			  gint64 *ret_bytes, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkJournalEntry) entry = NULL;
	g_autoptr(json_t) payload = NULL;
	g_autofree char *tree = NULL;

	if (!tx || !is_finished(tx, task, error) ||
	    !count(tx, task, ret_entries, ret_bytes, error))
		return FALSE;
	if (!*ret_entries)
		return TRUE;
	if (!last_tree(tx, task, &tree, error))
		return FALSE;
	payload = json_pack("{s:s,s:I,s:I,s:o*}", "what", "steps", "entries",
			    (json_int_t)*ret_entries, "bytes", (json_int_t)*ret_bytes,
			    "tree", tree ? spk_json_text(tree) : NULL);
	if (!spk_tx_exec(tx, "DELETE" BULK, SPK_ARGS(spk_db_text(task)), NULL, error) ||
	    !spk_approvals_drop(tx, task, error))
		return FALSE;
	entry = spk_journal_put(tx, task, "pruned", SPK_EFFECT_IDEMPOTENT, payload,
				error);
	return entry && spk_journal_finish(store, g_steal_pointer(&tx), task,
					   g_steal_pointer(&entry), error);
}
