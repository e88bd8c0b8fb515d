/* Inside the room: the supervisor that watches over held tasks, and the machine. */
#ifndef SPK_CORE_CORE_PRIV_H
#define SPK_CORE_CORE_PRIV_H

#include "agent/agent.h"
#include "core/core.h"
#include "guard/approval.h"

/* ---- parts ---- */
struct SpkCore {
	SpkReloadFn reload;
	gpointer reload_user;
	GMutex conf_lock; /* guards the two that follow */
	SpkConf *base;	  /* as loaded */
	SpkConf *conf;	  /* with the knobs */
	SpkStore *store;
	char *home;
	GMutex box_lock;
	SpkBox *box; /* guarded by box_lock until it is set, then constant */
	struct Supervisor *supervisor;
	const SpkAsker *asker; /* NULL: nobody is there to be asked */
};

/* A reference to one of the two configurations. */
SpkConf *core_ref_conf(SpkCore *core, SpkConf **which);
/* Puts another in its place; the old one is the caller's. */
SpkConf *core_swap_conf(SpkCore *core, SpkConf **which, SpkConf *take_conf);
/* The sandbox, opened when it is first asked for. */
SpkBox *core_box(SpkCore *core, GError **error);

/* ---- knobs ---- */
/* Reads the knobs anew: TRUE when something changed by that. A store that cannot be asked
 * changes nothing. */
gboolean core_hear_knobs(SpkCore *core);
/* knobs.c: `base` with the knobs of the store. A new reference. */
SpkConf *knobs_over(SpkConf *base, SpkStore *store, GError **error);
/* daemon.c: whether the daemon `holder` was given the option on its command line. */
gboolean core_daemon_fixed(SpkCore *core, const char *holder, const char *option);

/* ---- wake: tells other processes on this store that something is new ---- */
void wake_others(const char *home);
/* inotify descriptor that becomes readable on wake_others() of anybody; -1: not to be had. */
int wake_watch(const char *home);
void wake_drain(int fd);

/* ---- reload: a changed configuration ---- */
/* inotify descriptor for what the configuration is read from; -1: not to be had. */
int reload_watch(SpkCore *core);
/* Empties it; TRUE when one of our files was among what has changed. */
gboolean reload_is_due(SpkCore *core, int fd);
/* The configuration anew, with what needs a restart as in `old`; NULL: said why. */
SpkConf *reload_read(SpkReloadFn fn, gpointer user, const SpkConf *old);
/* Reads it and puts it in force, below the knobs. TRUE: values have changed. */
gboolean core_reload(SpkCore *core);

/* ---- filler.c: vectors that memories lack, made while the daemon has nothing to do ---- */
typedef struct Filler Filler;
Filler *filler_new(SpkCore *core);
/* Ends what goes on first. */
void filler_free(Filler *filler);
/* Nothing runs: looks after the memories, in a thread of its own, if any were written since. */
void filler_start(Filler *filler);
/* Milliseconds until filler_start() has something to do of itself, after a failure that may pass; -1:
 * it has not. */
int filler_due(Filler *filler);
/* Something is to run: it ends within a few texts. Returns at once. */
void filler_stop(Filler *filler);

/* ---- held: a task this process holds, and what is asked of it ---- */
/* The greater one wins. */
typedef enum {
	WANT_NOTHING,
	WANT_DRAIN,
	WANT_PAUSE,
	WANT_STOP, /* the emergency stop: at once, and to be resumed */
	WANT_CANCEL
} Want;

/* Shared by its worker and the supervisor, hence counted. */
typedef struct {
	gatomicrefcount refs;
	SpkLease *lease;
	SpkCancel *cancel; /* fired on cancel and when the lease is lost */
	gint want;	   /* Want; atomic */
	gint gone;	   /* its worker is done with it; atomic */
} Held;
Held *held_new(SpkLease *take_lease, SpkCancel *parent);
Held *held_ref(Held *held);
void held_unref(Held *held);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Held, held_unref)
void held_want(Held *held, Want want);
Want held_wants(Held *held);
/* Mail of this kind. */
void held_obey(Held *held, const char *kind);
/* FALSE with *error when it is to stop here. */
gboolean held_may_go_on(Held *held, GError **error);
/* Wants what an earlier holder heard and did not live to obey. */
gboolean held_recall(Held *held, SpkStore *store, GError **error);

/* ---- supervisor: one thread that renews leases and hears the mailbox ---- */
typedef struct Supervisor Supervisor;

Supervisor *supervisor_new(SpkStore *store, const char *home);
void supervisor_free(Supervisor *supervisor);
/* The thread starts with the first one. */
void supervisor_add(Supervisor *supervisor, Held *held);
void supervisor_remove(Supervisor *supervisor, Held *held);

/* ---- approve.c ---- */
/* The asker answers the open question of a task that waits. *ret_goes_on: it has none any more. */
gboolean core_ask(SpkCore *core, const char *id, gboolean *ret_goes_on, GError **error);
/* Whether an open question keeps it waiting. */
gboolean core_still_waits(SpkStore *store, const SpkTask *task, gboolean *ret,
			  GError **error);

/* ---- machine ---- */
typedef struct {
	SpkCore *core;
	SpkStore *store;
	SpkConf *conf;
	const char *home;
	const SpkLlmSink
		*sink; /* hears the model's answers as they stream; may be NULL */
} MachineEnv;

/* Moves the held task along until it is finished, waiting, paused or given back. FALSE only
 * when that itself failed (lease lost, store broken): the task stays as it is. */
gboolean machine_run(const MachineEnv *env, Held *held, GError **error);

/* Runs a held task under the supervisor's eyes and gives the lease back. */
gboolean core_run_held(SpkCore *core, Held *held, const SpkLlmSink *sink, GError **error);
/* spk_core_run() with somebody who listens. */
gboolean core_run(SpkCore *core, const char *id, const SpkLlmSink *sink,
		  SpkCancel *cancel, GError **error);
/* spk_core_accept() of the next turn of a session; NULL: of none. */
char *core_accept(SpkCore *core, const SpkRequest *request, const char *session,
		  GError **error);

#endif
