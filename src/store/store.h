/*
 * The store: tasks, journal, leases, mailbox, evidence, in one database behind a backend
 * interface (store/store_impl.h; SQLite now). One SpkStore may be used by many threads.
 * What a call acknowledged (TRUE) survives SIGKILL.
 *
 * Fencing: a worker holds a task by a lease whose token grows with every claim. Every write
 * of a holder carries the token; a stale one is refused with LEASE_LOST and changes nothing.
 */
#ifndef SPK_STORE_STORE_H
#define SPK_STORE_STORE_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "store/states.h"

typedef struct SpkStore SpkStore;

typedef enum {
	SPK_STORE_READ_ONLY = 1 << 0,
	SPK_STORE_MUST_EXIST = 1 << 1, /* NOT_FOUND instead of creating it */
} SpkStoreFlags;

/* path of the database file; `synchronous` is "normal" or "full". Creates, migrates.
 * STORE_NEWER, CORRUPT, READ_ONLY, DISK_FULL, BUSY (locked for 5 s), POLICY (a database that
 * is not ours: never written). */
SpkStore *spk_store_open(const char *path, const char *synchronous, guint flags,
			 GError **error);
void spk_store_close(SpkStore *store);
/* Nobody will ask for a while: what is kept in memory for speed goes. */
void spk_store_rest(SpkStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkStore, spk_store_close)
const char *spk_store_path(SpkStore *store);
int spk_store_schema_version(SpkStore *store);
/* PRAGMA integrity_check and foreign keys; FALSE and CORRUPT with the first findings. */
gboolean spk_store_check(SpkStore *store, GError **error);

/* ---- copies ---- */
/* All that was acknowledged until now, at one instant, as one new file (0600); a daemon may go
 * on meanwhile. The copy is checked before it gets its name. CONFLICT when `path` exists and
 * `replace` doesn't say so; CANCELLED, DISK_FULL, CORRUPT (the copy, hence the store). */
gboolean spk_store_backup(SpkStore *store, const char *path, gboolean replace,
			  SpkCancel *cancel, GError **error);
/* Puts such a file in the place of all there is, in one transaction; whoever still held a task
 * has lost it. What was there goes to *ret_aside first; an emergency stop stays on. BUSY while a daemon or another process
 * works on a task; NOT_FOUND, POLICY (not ours), STORE_NEWER, CORRUPT: nothing was changed. */
gboolean spk_store_restore(SpkStore *store, const char *path, char **ret_aside,
			   SpkCancel *cancel, GError **error);

/* ---- tasks ---- */
typedef struct {
	char *id;
	char *goal;
	char *spark;
	SpkState status;
	SpkVerdict verdict;
	char *reason;	 /* why this status or verdict; NULL */
	char *summary;	 /* the model's own words; NULL */
	char *repo;	 /* absolute path of the folder it was given in */
	char *label;	 /* the reference's repository label; NULL */
	json_t *options; /* checks, context, max_steps, model, ... as accepted */
	char *base, *branch, *commit; /* NULL until known */
	char *tier;		      /* sandbox tier it ran in; NULL */
	gint64 steps, tokens_in, tokens_out, tokens_cached;
	double cost_usd; /* < 0: unknown */
	double seconds;	 /* working time so far */
	json_t *changes; /* {"files":[…],"risky":[…]} or NULL */
	json_t *error;	 /* {"code","message","hint"} or NULL */
	gint64 created_us, updated_us, finished_us; /* finished 0: not yet */
	gint64 apart;				    /* 1: see spk_task_set_apart() */
	char *holder;				    /* of the lease, or NULL */
	gint64 lease_until_us;
} SpkTask;

void spk_task_free(SpkTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTask, spk_task_free)

/* Row in state queued and the journal's first entry `accepted` in one transaction. Reads id,
 * goal, spark, repo, label, options, apart and created_us (0: now). CONFLICT when the id is
 * there. */
gboolean spk_task_insert(SpkStore *store, const SpkTask *task, GError **error);
/* By id or unique prefix of at least 4 characters. NOT_FOUND, or USAGE when ambiguous. */
SpkTask *spk_task_get(SpkStore *store, const char *id, GError **error);
/* Newest first; state < 0: all; limit 0: all. GPtrArray of SpkTask. */
GPtrArray *spk_task_list(SpkStore *store, int state, guint limit, GError **error);
/* Sets columns from an object (keys are names of SpkTask's fields out of: reason summary base
 * branch commit tier steps tokens_in tokens_out tokens_cached cost_usd seconds changes error
 * verdict), fenced. null is for those that may be NULL above, and cost_usd. INTERNAL when a
 * key or type is none of these; then nothing is changed. */
gboolean spk_task_update(SpkStore *store, const char *id, gint64 token, json_t *fields,
			 GError **error);
/* Moves the state along the table (else INTERNAL) with a journal entry `state`
 * {"from","to","reason"} in the same transaction, fenced; sets finished_us on terminal ones.
 * `reason` becomes the task's; NULL clears it, but keeps it where `to` is terminal. CONFLICT
 * when the task is not in `from`. */
gboolean spk_task_move(SpkStore *store, const char *id, gint64 token, SpkState from,
		       SpkState to, const char *reason, GError **error);

/* A task that stands apart is not taken by spk_lease_claim_next(), only by its id: it is to run
 * with other settings than a daemon has. Unfenced: BUSY when a living process holds it, a token
 * still out becomes stale; NOT_FOUND. */
gboolean spk_task_set_apart(SpkStore *store, const char *id, gboolean apart,
			    GError **error);

/* Puts a paused or cancelled task back into state `to`, unfenced: CONFLICT when it is not in
 * `from` any more, BUSY when a living process holds it; a token still out becomes stale.
 * Journalled as `state`; clears finished_us, error and the mailbox. */
gboolean spk_task_reopen(SpkStore *store, const char *id, SpkState from, SpkState to,
			 const char *reason, GError **error);

/* Merges limits, or a model, into the options of a task, unfenced: BUSY when a living process
 * holds it. */
gboolean spk_task_raise(SpkStore *store, const char *id, json_t *limits, GError **error);

/* ---- journal ---- */
typedef enum { SPK_EFFECT_PURE, SPK_EFFECT_IDEMPOTENT, SPK_EFFECT_UNSAFE } SpkEffect;
const char *spk_effect_name(SpkEffect effect);

typedef struct {
	gint64 seq; /* 1, 2, 3 ... per task, no gaps */
	char *kind; /* "model.intent", "tool.result", ... (docs/journal.md) */
	SpkEffect effect;
	json_t *payload;
	gint64 created_us;
} SpkJournalEntry;
void spk_journal_entry_free(SpkJournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkJournalEntry, spk_journal_entry_free)

/* Appends, fenced. token 0 is for the entries of somebody who needs no lease (accepted,
 * apply, undo, mail). ret_seq may be NULL. */
gboolean spk_journal_append(SpkStore *store, const char *task, gint64 token,
			    const char *kind, SpkEffect effect, json_t *payload,
			    gint64 *ret_seq, GError **error);
/* Entries with seq > after, at most `limit` (0: all). GPtrArray of SpkJournalEntry. */
GPtrArray *spk_journal_read(SpkStore *store, const char *task, gint64 after, guint limit,
			    GError **error);
/* The last entry of the kind; *ret_entry is NULL when there is none. */
gboolean spk_journal_last(SpkStore *store, const char *task, const char *kind,
			  SpkJournalEntry **ret_entry, GError **error);
/* Called in the appending thread after the commit; for the live line of a command. */
typedef void (*SpkJournalFn)(const char *task, const SpkJournalEntry *entry,
			     gpointer user);
void spk_store_on_journal(SpkStore *store, SpkJournalFn fn, gpointer user);

/* Drops the model's and the tools' entries of a finished task and leaves `pruned` {"what",
 * "entries","bytes","tree"?} in their place: states, checks, verdict, commit, apply and undo stay, so that
 * what was done and on what evidence can still be told. 0 entries: there was nothing to drop,
 * and nothing is written. CONFLICT when it is not finished. */
gboolean spk_journal_thin(SpkStore *store, const char *task, gint64 *ret_entries,
			  gint64 *ret_bytes, GError **error);
/* Bytes of the payloads above; 0 when they were dropped. */
gboolean spk_journal_bulk(SpkStore *store, const char *task, gint64 *ret_bytes,
			  GError **error);

/* ---- leases ---- */
#define SPK_LEASE_MS 30000

typedef struct {
	char *task;
	gint64 token;
} SpkLease;
void spk_lease_free(SpkLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLease, spk_lease_free)

/* Names this process: "boot-id/pid-namespace/pid/start-time". Others on this machine can
 * tell whether it still lives. */
const char *spk_holder_self(void);
/* FALSE when the holder ran on this boot of this machine and is gone; TRUE when alive or when
 * it cannot be known (another machine, another pid namespace, no /proc). */
gboolean spk_holder_alive(const char *holder);
/* Its process id when it is a living process of this machine that we can see, other than this one;
 * else 0. */
gint64 spk_holder_here(const char *holder);

/* Claims one task: free, lease expired, or holder gone. BUSY when held by a living one;
 * CONFLICT when it is finished. */
SpkLease *spk_lease_claim(SpkStore *store, const char *task, const char *holder,
			  GError **error);
/* Oldest runnable task (not finished, paused, apart or waiting for an answer), or NULL without
 * error; none while everything is stopped (store/halt.h). */
SpkLease *spk_lease_claim_next(SpkStore *store, const char *holder, GError **error);
gboolean spk_lease_renew(SpkStore *store, const SpkLease *lease, GError **error);
gboolean spk_lease_release(SpkStore *store, const SpkLease *lease, GError **error);

/* When the first lease on a runnable task runs out (wall clock, us); 0: there is none. One
 * of a running task is renewed before that. */
gboolean spk_lease_next_expiry(SpkStore *store, gint64 *ret_until_us, GError **error);

typedef struct {
	char *task;
	char *holder;
} SpkLeaseHeld;
void spk_lease_held_free(SpkLeaseHeld *held);
/* The leases of living holders. GPtrArray of SpkLeaseHeld. */
GPtrArray *spk_lease_list_living(SpkStore *store, GError **error);

/* Holder of a living process that works on some task, other than `except`; or NULL. */
char *spk_lease_find_living(SpkStore *store, const char *except, GError **error);

/* ---- mailbox: what others ask of a running task ---- */
/* kind "cancel" | "pause" | "resume" | "note". CONFLICT when the task is finished. */
gboolean spk_mail_post(SpkStore *store, const char *task, const char *kind,
		       json_t *payload, GError **error);
/* Takes the oldest unread one (fenced) or returns NULL without error. *ret_kind allocated. */
json_t *spk_mail_take(SpkStore *store, const char *task, gint64 token, char **ret_kind,
		      GError **error);
/* Kind of the oldest unread one, NULL when there is none: one cheap query for the
 * supervisor. FALSE only on an error. Who must not lose mail peeks, acts, then takes. */
gboolean spk_mail_peek(SpkStore *store, const char *task, char **ret_kind,
		       GError **error);

/* ---- evidence ---- */
typedef struct {
	char *phase; /* "before" | "after" | "original_tests" | "original_build" */
	char *command;
	int exit_code;
	char *output_sha256;
	char *output_tail; /* bounded */
	char *tree;	   /* sha of the tree it ran on */
	double seconds;
	gint64 round; /* 0 the first verification, +1 per heal */
	gint64 created_us;
} SpkEvidence;
void spk_evidence_free(SpkEvidence *evidence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkEvidence, spk_evidence_free)
/* Same (task, round, phase, command) again: replaced, so that a resumed check isn't doubled. */
gboolean spk_evidence_add(SpkStore *store, const char *task, gint64 token,
			  const SpkEvidence *evidence, GError **error);
GPtrArray *spk_evidence_list(SpkStore *store, const char *task, GError **error);

/* ---- workers: who runs tasks on this store ---- */
/* Registers or renews this process as daemon; BUSY naming the pid when another one lives. */
gboolean spk_worker_register(SpkStore *store, const char *holder, GError **error);
gboolean spk_worker_unregister(SpkStore *store, const char *holder, GError **error);
/* Holder of a living daemon, or NULL. */
char *spk_worker_find(SpkStore *store, GError **error);

#endif
