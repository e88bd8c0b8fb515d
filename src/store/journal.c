#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "store/store_priv.h"

const char *spk_effect_name(SpkEffect effect)
{
	static const char *const names[] = {
		[SPK_EFFECT_PURE] = "pure",
		[SPK_EFFECT_IDEMPOTENT] = "idempotent",
		[SPK_EFFECT_UNSAFE] = "unsafe",
	};

	g_assert((guint)effect < G_N_ELEMENTS(names));
	return names[effect];
}

void spk_journal_entry_free(SpkJournalEntry *entry)
{
	if (!entry)
		return;
	g_free(entry->kind);
	json_decref(entry->payload);
	g_free(entry);
}

void spk_store_on_journal(SpkStore *store, SpkJournalFn fn, gpointer user)
{
	g_mutex_lock(&store->observer_lock);
	store->observer = fn;
	store->observer_user = user;
	g_mutex_unlock(&store->observer_lock);
}

SpkJournalEntry *spk_journal_put(SpkTx *tx, const char *task, const char *kind,
				 SpkEffect effect, json_t *payload, GError **error)
{
	g_autoptr(SpkJournalEntry) entry = g_new0(SpkJournalEntry, 1);
	g_autofree char *text = NULL;

	entry->kind = g_strdup(kind);
	entry->effect = effect;
	entry->payload = payload ? spk_veil_json(payload) : json_object();
	entry->created_us = spk_now_us();
	text = spk_json_dump(entry->payload);
	/* No gaps: nobody else writes between the two, and both commit or neither. */
	if (!spk_tx_int(tx, "SELECT max(seq) FROM journal WHERE task = $1",
			SPK_ARGS(spk_db_text(task)), &entry->seq, error))
		return NULL;
	entry->seq++;
	if (!spk_tx_exec(
		    tx,
		    "INSERT INTO journal (task, seq, kind, effect, payload, created_us)"
		    " VALUES ($1, $2, $3, $4, $5, $6)",
		    SPK_ARGS(spk_db_text(task), spk_db_int(entry->seq), spk_db_text(kind),
			     spk_db_int(effect), spk_db_text(text),
			     spk_db_int(entry->created_us)),
		    NULL, error))
		return NULL;
	return g_steal_pointer(&entry);
}

gboolean spk_journal_finish(SpkStore *store, SpkTx *take_tx, const char *task,
			    SpkJournalEntry *take_entry, GError **error)
{
	g_autoptr(SpkJournalEntry) entry = take_entry;
	SpkJournalFn observer;
	gpointer user;

	if (!spk_tx_commit(take_tx, error))
		return FALSE;
	g_mutex_lock(&store->observer_lock);
	observer = store->observer;
	user = store->observer_user;
	g_mutex_unlock(&store->observer_lock);
	if (observer)
		observer(task, entry, user);
	return TRUE;
}

static gboolean append(SpkStore *store, const char *task, gint64 token, const char *kind,
		       SpkEffect effect, json_t *payload, const SpkCall *call,
		       gint64 *ret_seq, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkJournalEntry) entry = NULL;
	SpkState state;
	gint64 seq;

	if (!tx)
		return FALSE;
	if (token ? !spk_lease_fence(tx, task, token, error)
		  : !spk_task_state(tx, task, &state, error))
		return FALSE;
	entry = spk_journal_put(tx, task, kind, effect, payload, error);
	if (!entry || (call && !spk_ledger_put(tx, call, error)))
		return FALSE;
	seq = entry->seq;
	if (!spk_journal_finish(store, g_steal_pointer(&tx), task,
				g_steal_pointer(&entry), error))
		return FALSE;
	if (ret_seq)
		*ret_seq = seq;
	return TRUE;
}

gboolean spk_journal_append(SpkStore *store, const char *task, gint64 token,
			    const char *kind, SpkEffect effect, json_t *payload,
			    gint64 *ret_seq, GError **error)
{
	return append(store, task, token, kind, effect, payload, NULL, ret_seq, error);
}

gboolean spk_journal_settle(SpkStore *store, gint64 token, const char *kind,
			    json_t *payload, const SpkCall *call, GError **error)
{
	return append(store, call->task, token, kind, SPK_EFFECT_IDEMPOTENT, payload,
		      call, NULL, error);
}

static gboolean entry_from_row(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autoptr(SpkJournalEntry) entry = g_new0(SpkJournalEntry, 1);

	entry->seq = row[0].integer;
	entry->kind = spk_db_dup_text(&row[1]);
	entry->effect = (SpkEffect)CLAMP(row[2].integer, 0, SPK_EFFECT_UNSAFE);
	entry->created_us = row[4].integer;
	if (!spk_db_dup_json(&row[3], &entry->payload, error)) {
		g_prefix_error(error, "journal entry %" G_GINT64_FORMAT ": ", entry->seq);
		return FALSE;
	}
	g_ptr_array_add(user, g_steal_pointer(&entry));
	return TRUE;
}

GPtrArray *spk_journal_read(SpkStore *store, const char *task, gint64 after, guint limit,
			    GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_journal_entry_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx ||
	    !spk_tx_each(tx,
			 "SELECT seq, kind, effect, payload, created_us FROM journal"
			 " WHERE task = $1 AND seq > $2 ORDER BY seq LIMIT $3",
			 SPK_ARGS(spk_db_text(task), spk_db_int(after),
				  spk_db_int(limit ? limit : G_MAXINT64)),
			 entry_from_row, entries, error))
		return NULL;
	return g_steal_pointer(&entries);
}

gboolean spk_journal_last(SpkStore *store, const char *task, const char *kind,
			  SpkJournalEntry **ret_entry, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_journal_entry_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx ||
	    !spk_tx_each(tx,
			 "SELECT seq, kind, effect, payload, created_us FROM journal"
			 " WHERE task = $1 AND kind = $2 ORDER BY seq DESC LIMIT 1",
			 SPK_ARGS(spk_db_text(task), spk_db_text(kind)), entry_from_row,
			 entries, error))
		return FALSE;
	*ret_entry = entries->len ? g_ptr_array_steal_index(entries, 0) : NULL;
	return TRUE;
}
