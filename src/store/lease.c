/* Leases. A token grows with each claim and each release. */
#include "base/clock.h"
#include "base/error.h"
#include "store/store_priv.h"

void spk_lease_free(SpkLease *lease)
{
	if (!lease)
		return;
	g_free(lease->task);
	g_free(lease);
}

/* Tasks for whoever comes: $1 and $2. The index tasks_open has them. One that waits is one of
 * them when its question is answered; while everything is stopped there are none. */
#define RUNNABLE                                                                          \
	"finished_us = 0 AND apart = 0 AND status <> $1 AND (status <> $2 OR NOT EXISTS"  \
	" (SELECT 1 FROM approvals WHERE approvals.task = tasks.id AND answer = 'open'))" \
	" AND NOT EXISTS (SELECT 1 FROM halt)"
#define RUNNABLE_ARGS                                  \
	spk_db_text(spk_state_name(SPK_STATE_PAUSED)), \
		spk_db_text(spk_state_name(SPK_STATE_WAITING))

static gint64 lease_end(void)
{
	return spk_now_us() + SPK_LEASE_MS * G_GINT64_CONSTANT(1000);
}

typedef struct {
	char *holder; /* NULL: nobody */
	gint64 until_us;
} Held;

static gboolean read_held(const SpkDbValue *row, gpointer user, GError **error)
{
	Held *held = user;

	held->holder = spk_db_dup_text(&row[0]);
	held->until_us = row[1].integer;
	return TRUE;
}

static gboolean check_free(SpkTx *tx, const char *task, GError **error)
{
	Held held = { NULL, 0 };
	g_autofree char *holder = NULL;

	if (!spk_tx_each(tx, "SELECT holder, until_us FROM leases WHERE task = $1",
			 SPK_ARGS(spk_db_text(task)), read_held, &held, error))
		return FALSE;
	holder = held.holder;
	if (!holder || held.until_us <= spk_now_us() || !spk_holder_alive(holder))
		return TRUE;
	spk_error_set(error, SPK_ERR_BUSY, "wait until it is done, or stop that process",
		      "task %s is being worked on by process %" G_GINT64_FORMAT, task,
		      spk_holder_pid(holder));
	return FALSE;
}

gboolean spk_lease_end(SpkTx *tx, const char *task, GError **error)
{
	return check_free(tx, task, error) &&
	       spk_tx_exec(
		       tx,
		       "UPDATE leases SET token = token + 1, holder = NULL, until_us = 0"
		       " WHERE task = $1 AND holder IS NOT NULL",
		       SPK_ARGS(spk_db_text(task)), NULL, error);
}

static SpkLease *take(SpkTx *tx, const char *task, const char *holder, GError **error)
{
	g_autoptr(SpkLease) lease = g_new0(SpkLease, 1);

	lease->task = g_strdup(task);
	if (!spk_tx_int(tx,
			"INSERT INTO leases (task, token, holder, until_us)"
			" VALUES ($1, 1, $2, $3)"
			" ON CONFLICT (task) DO UPDATE SET token = leases.token + 1,"
			" holder = excluded.holder, until_us = excluded.until_us"
			" RETURNING token",
			SPK_ARGS(spk_db_text(task), spk_db_text(holder),
				 spk_db_int(lease_end())),
			&lease->token, error))
		return NULL;
	return g_steal_pointer(&lease);
}

SpkLease *spk_lease_claim(SpkStore *store, const char *task, const char *holder,
			  GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkLease) lease = NULL;
	SpkState state;

	if (!tx || !spk_task_state(tx, task, &state, error))
		return NULL;
	if (spk_state_is_terminal(state)) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL, "task %s is finished: %s",
			      task, spk_state_name(state));
		return NULL;
	}
	if (!check_free(tx, task, error))
		return NULL;
	lease = take(tx, task, holder, error);
	if (!lease || !spk_tx_commit(g_steal_pointer(&tx), error))
		return NULL;
	return g_steal_pointer(&lease);
}

static gboolean collect_gone(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autofree char *holder = spk_db_dup_text(&row[0]);

	if (!spk_holder_alive(holder))
		g_ptr_array_add(user, g_steal_pointer(&holder));
	return TRUE;
}

/* Ends the leases of processes that are gone, so that one query finds what is free. */
static gboolean expire_gone(SpkTx *tx, GError **error)
{
	g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);

	if (!spk_tx_each(tx,
			 "SELECT DISTINCT holder FROM leases WHERE holder IS NOT NULL",
			 NULL, collect_gone, gone, error))
		return FALSE;
	for (guint i = 0; i < gone->len; i++)
		if (!spk_tx_exec(tx, "UPDATE leases SET until_us = 0 WHERE holder = $1",
				 SPK_ARGS(spk_db_text(gone->pdata[i])), NULL, error))
			return FALSE;
	return TRUE;
}

SpkLease *spk_lease_claim_next(SpkStore *store, const char *holder, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkLease) lease = NULL;
	g_autofree char *task = NULL;

	if (!tx || !expire_gone(tx, error))
		return NULL;
	if (!spk_tx_text(
		    tx,
		    "SELECT id FROM tasks LEFT JOIN leases ON task = id WHERE " RUNNABLE
		    " AND (holder IS NULL OR until_us <= $3)"
		    " ORDER BY created_us, id LIMIT 1",
		    SPK_ARGS(RUNNABLE_ARGS, spk_db_int(spk_now_us())), &task, error) ||
	    !task)
		return NULL;
	lease = take(tx, task, holder, error);
	if (!lease || !spk_tx_commit(g_steal_pointer(&tx), error))
		return NULL;
	return g_steal_pointer(&lease);
}

/* UPDATE of one lease by its token: $1 task, $2 token, $3 end. */
static gboolean change(SpkStore *store, const SpkLease *lease, const char *sql,
		       gint64 until_us, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	gint64 changed = 0;

	if (!tx || !spk_tx_exec(tx, sql,
				SPK_ARGS(spk_db_text(lease->task),
					 spk_db_int(lease->token), spk_db_int(until_us)),
				&changed, error))
		return FALSE;
	if (!changed)
		return spk_lease_lost(lease->task, error);
	return spk_tx_commit(g_steal_pointer(&tx), error);
}

gboolean spk_lease_renew(SpkStore *store, const SpkLease *lease, GError **error)
{
	return change(store, lease,
		      "UPDATE leases SET until_us = $3 WHERE task = $1 AND token = $2",
		      lease_end(), error);
}

gboolean spk_lease_release(SpkStore *store, const SpkLease *lease, GError **error)
{
	return change(store, lease,
		      "UPDATE leases SET token = token + 1, holder = NULL, until_us = $3"
		      " WHERE task = $1 AND token = $2",
		      0, error);
}

gboolean spk_lease_next_expiry(SpkStore *store, gint64 *ret_until_us, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	gint64 until = 0;

	if (!tx || !spk_tx_int(tx,
			       "SELECT min(until_us) FROM leases JOIN tasks ON task = id"
			       " WHERE " RUNNABLE " AND holder IS NOT NULL",
			       SPK_ARGS(RUNNABLE_ARGS), &until, error))
		return FALSE;
	*ret_until_us = until;
	return TRUE;
}

void spk_lease_held_free(SpkLeaseHeld *held)
{
	if (!held)
		return;
	g_free(held->task);
	g_free(held->holder);
	g_free(held);
}

static gboolean add_living(const SpkDbValue *row, gpointer user, GError **error)
{
	SpkLeaseHeld *held = g_new0(SpkLeaseHeld, 1);

	held->task = spk_db_dup_text(&row[0]);
	held->holder = spk_db_dup_text(&row[1]);
	if (spk_holder_alive(held->holder))
		g_ptr_array_add(user, held);
	else
		spk_lease_held_free(held);
	return TRUE;
}

GPtrArray *spk_lease_list_living(SpkStore *store, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_lease_held_free);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	if (!tx ||
	    !spk_tx_each(tx,
			 "SELECT task, holder FROM leases"
			 " WHERE holder IS NOT NULL AND until_us > $1",
			 SPK_ARGS(spk_db_int(spk_now_us())), add_living, list, error))
		return NULL;
	return g_steal_pointer(&list);
}

typedef struct {
	const char *except;
	char *living;
} Living;

static gboolean keep_living(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autofree char *holder = spk_db_dup_text(&row[0]);
	Living *search = user;

	if (!search->living && g_strcmp0(holder, search->except) != 0 &&
	    spk_holder_alive(holder))
		search->living = g_steal_pointer(&holder);
	return TRUE;
}

char *spk_lease_find_living(SpkStore *store, const char *except, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	Living search = { except, NULL };

	if (tx &&
	    spk_tx_each(tx,
			"SELECT DISTINCT holder FROM leases"
			" WHERE holder IS NOT NULL AND until_us > $1",
			SPK_ARGS(spk_db_int(spk_now_us())), keep_living, &search, error))
		return search.living;
	g_free(search.living);
	return NULL;
}
