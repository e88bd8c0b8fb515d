/*
 * What the files of the store share. They lie on each other in this order:
 * states, dialect, holder | tx | migrations, fence, short_id | lease, journal, rules, halt |
 * approvals | task_row | tasks, mailbox, evidence, worker, prune, sessions, setups, events |
 * knobs | sqlite_conn, sqlite_copy, sqlite_scrub | sqlite | store_all | store | backup.
 */
#ifndef SPK_STORE_STORE_PRIV_H
#define SPK_STORE_STORE_PRIV_H

#include <jansson.h>

#include "store/ledger.h"
#include "store/rules.h"
#include "store/store.h"
#include "store/store_impl.h"

struct SpkStore {
	const SpkDbImpl *impl;
	SpkDb *db;
	char *path;
	int version;
	GMutex observer_lock; /* guards the two below; never held while one is called */
	SpkJournalFn observer;
	gpointer observer_user;
};

/* ---- tx.c: transactions and queries ---- */
/* One that goes out of scope is rolled back. */
SpkTx *spk_tx_begin(SpkStore *store, SpkTxMode mode, GError **error);
gboolean spk_tx_commit(SpkTx *take_tx, GError **error);
void spk_tx_rollback(SpkTx *take_tx);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTx, spk_tx_rollback)

SpkDbValue spk_db_text(const char *text); /* NULL becomes SQL's NULL */
SpkDbValue spk_db_int(gint64 value);
SpkDbValue spk_db_real(double value);
SpkDbValue spk_db_blob(const void *blob, gsize len);
#define SPK_ARGS(...) ((const SpkDbValue[]){ __VA_ARGS__, { .type = SPK_DB_END } })

/* ret_changed may be NULL. */
gboolean spk_tx_exec(SpkTx *tx, const char *sql, const SpkDbValue *args,
		     gint64 *ret_changed, GError **error);
gboolean spk_tx_each(SpkTx *tx, const char *sql, const SpkDbValue *args, SpkDbRowFn fn,
		     gpointer user, GError **error);
/* First column of the last row; *value stays as it is when there is none. */
gboolean spk_tx_int(SpkTx *tx, const char *sql, const SpkDbValue *args, gint64 *value,
		    GError **error);
gboolean spk_tx_text(SpkTx *tx, const char *sql, const SpkDbValue *args, char **value,
		     GError **error);

/* Columns of a row, copied. A NULL column becomes NULL; broken JSON is CORRUPT. */
char *spk_db_dup_text(const SpkDbValue *column);
gboolean spk_db_dup_json(const SpkDbValue *column, json_t **ret_json, GError **error);

/* ---- events.c ---- */
/* In the transaction of what it tells. details may be NULL. */
gboolean spk_event_add(SpkTx *tx, const char *category, const char *message,
		       const json_t *details, GError **error);

/* ---- migrations.c ---- */
extern const int spk_store_newest;
/* Brings the schema to `target` in one transaction; the tests make old databases by it. */
gboolean spk_store_migrate(SpkStore *store, int target, GError **error);

/* ---- holder.c ---- */
/* Process id of a holder, 0 when it has none that can be read. */
gint64 spk_holder_pid(const char *holder);
/* Whether spk_holder_alive() knows, instead of taking it for granted. */
gboolean spk_holder_local(const char *holder);

/* ---- fence.c ---- */
/* Sets LEASE_LOST; always FALSE. */
gboolean spk_lease_lost(const char *task, GError **error);
/* TRUE when the token is that of the task's present lease, else FALSE and LEASE_LOST. */
gboolean spk_lease_fence(SpkTx *tx, const char *task, gint64 token, GError **error);
/* The task's state; NOT_FOUND. */
gboolean spk_task_state(SpkTx *tx, const char *task, SpkState *ret_state, GError **error);

/* ---- lease.c ---- */
/* Makes stale whatever token is out; BUSY when a living process holds the task. */
gboolean spk_lease_end(SpkTx *tx, const char *task, GError **error);

/* ---- ledger.c ---- */
/* Books the call as settled; one that is settled already stays as it is. */
gboolean spk_ledger_put(SpkTx *tx, const SpkCall *call, GError **error);

/* ---- journal.c ---- */
/* Commits the transaction of spk_journal_put(); then the observer hears of the entry. */
gboolean spk_journal_finish(SpkStore *store, SpkTx *take_tx, const char *task,
			    SpkJournalEntry *take_entry, GError **error);
SpkJournalEntry *spk_journal_put(SpkTx *tx, const char *task, const char *kind,
				 SpkEffect effect, json_t *payload, GError **error);

/* ---- tasks.c ---- */
/* spk_task_insert() inside a transaction, up to spk_journal_finish(). */
SpkJournalEntry *spk_task_put(SpkTx *tx, const SpkTask *task, GError **error);

/* ---- task_row.c ---- */
/* "SELECT … FROM tasks … " up to where the WHERE goes. */
const char *spk_task_select(void);
/* An SpkDbRowFn: adds the SpkTask of a row of spk_task_select() to the GPtrArray `user`. */
gboolean spk_task_from_row(const SpkDbValue *row, gpointer user, GError **error);
/* UPDATE of the columns named by `fields`; INTERNAL for a key or type that cannot be set. */
/* Options without secrets but in what is run as it is, setup and checks; a new reference. */
json_t *spk_task_veil_options(json_t *options);
gboolean spk_task_set_fields(SpkTx *tx, const char *id, json_t *fields, GError **error);

/* ---- short_id.c ---- */
/* 5 characters of those that spk_id_new() uses, at random: whoever inserts tries again when they
 * are taken. */
char *spk_short_id(void);
/* What of `table`.id begins with `id`: the one, whole. NOT_FOUND and USAGE speak of a `what`; the
 * hint of the former is `where`. */
char *spk_short_id_find(SpkTx *tx, const char *table, const char *id, const char *what,
			const char *where, GError **error);

/* ---- rules.c ---- */
/* spk_rules_add() in a transaction. */
gboolean spk_rules_put(SpkTx *tx, const SpkRule *rule, char **ret_id, GError **error);

/* ---- approvals.c ---- */
/* The task has ended: nobody is asked any more. */
gboolean spk_approvals_withdraw(SpkTx *tx, const char *task, GError **error);
/* What a finished task needs no longer; the journal keeps what was asked and answered. */
gboolean spk_approvals_drop(SpkTx *tx, const char *task, GError **error);

/* ---- store.c ---- */
/* spk_store_open() without migrating or refusing a version. */
SpkStore *spk_store_open_as_is(const char *path, const char *synchronous, guint flags,
			       GError **error);

#endif
