/*
 * The task machine: takes requests into the store, moves tasks through their states with
 * one step function per state, holds them by leases, renews these, hears the mailbox,
 * resumes after a crash. Front ends and commands use only this.
 */
#ifndef SPK_CORE_CORE_H
#define SPK_CORE_CORE_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "conf/conf.h"
#include "guard/approval.h"
#include "store/memory_records.h"
#include "store/store.h"

typedef struct SpkCore SpkCore;

SpkCore *spk_core_open(SpkConf *conf, GError **error);
void spk_core_close(SpkCore *core);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkCore, spk_core_close)
SpkStore *spk_core_store(SpkCore *core);
const char *spk_core_home(SpkCore *core);
/* What holds now: the configuration with the knobs of the store. A new reference. */
SpkConf *spk_core_conf(SpkCore *core);

typedef struct {
	const char *goal;
	const char *spark;  /* NULL: coder */
	const char *folder; /* absolute */
	const char *label;
	json_t *options; /* checks:[…], context, max_steps, model, strict, level, untrusted, … */
	const char *
		parent; /* id of the task that this is a part of: it may do no more; NULL */
	gboolean apart; /* not for a daemon: only spk_core_run() by its id takes it */
} SpkRequest;
/* Queues it; returns the id. */
char *spk_core_accept(SpkCore *core, const SpkRequest *request, GError **error);

/* Opens what every task runs in, so that a machine without it is known before a task is made:
 * BOX_TIER, CONFIG, … */
gboolean spk_core_ready(SpkCore *core, GError **error);

/* Runs one task in this thread until it is finished, waiting or paused, or cancel fires (then
 * it is cancelled, and can be resumed). BUSY when another living process holds it. */
gboolean spk_core_run(SpkCore *core, const char *id, SpkCancel *cancel, GError **error);
/* Daemon: `workers` threads take tasks until cancel fires; then running tasks end their step and
 * are given back (drain). */
gboolean spk_core_serve(SpkCore *core, guint workers, SpkCancel *cancel, GError **error);

/* Reads the configuration again, with these overrides ("name=value", may be NULL) over all else. */
typedef SpkConf *(*SpkReloadFn)(const char *const *pinned, gpointer user, GError **error);
/* What spk_core_serve() calls when a file of the configuration has changed; to be set before.
 * Tasks that begin afterwards have the new values; what is wrong changes nothing, and is logged. */
void spk_core_on_reload(SpkCore *core, SpkReloadFn fn, gpointer user);

/* Tells what this process runs tasks with, for as long as it is a daemon: SPARKS_HOME/up.json. */
gboolean spk_core_announce(SpkCore *core, GError **error);
void spk_core_withdraw(SpkCore *core);
/* The options, as "a, b", that the daemon `holder` would run a task with these options
 * differently by; "" when it has not told us; NULL when it would run it as we do. */
char *spk_core_daemon_differs(SpkCore *core, const char *holder, const json_t *options);

/* ---- questions ---- */
/* Whom spk_core_run() and a chat ask when the task waits for an answer; NULL: nobody, and they
 * return with the task waiting. Borrowed. */
void spk_core_on_question(SpkCore *core, const SpkAsker *asker);
/* The asker is asked the open question of a waiting task that somebody else runs. *ret_goes_on: it
 * waits for no answer (any more). */
gboolean spk_core_ask(SpkCore *core, const char *id, gboolean *ret_goes_on,
		      GError **error);
/* spk_approval_answer(), and whoever waits for it is woken. */
gboolean spk_core_answer(SpkCore *core, const char *id, const SpkReply *reply,
			 const char *how, SpkQuestion **ret, GError **error);

/* ---- the emergency stop ---- */
typedef struct {
	gboolean was;	  /* it was on already */
	GPtrArray *tasks; /* char *: that ran, and run no more */
	GPtrArray *
		killed; /* char *, "process N": holders that did not let go, and were killed */
	GPtrArray *
		left; /* char *: tasks held on another machine, or that could not be ended */
} SpkStopped;
void spk_stopped_clear(SpkStopped *stopped);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkStopped, spk_stopped_clear)
/* No task is taken up from now on, by any process on this store, until it is lifted; those that
 * run are ended, and paused. */
gboolean spk_core_stop_all(SpkCore *core, const char *note, SpkStopped *ret,
			   GError **error);
/* *ret_was: it was on. Paused tasks stay paused. */
gboolean spk_core_stop_lift(SpkCore *core, gboolean *ret_was, GError **error);

gboolean spk_core_cancel(SpkCore *core, const char *id, GError **error);
gboolean spk_core_pause(SpkCore *core, const char *id, GError **error);
/* Makes a paused, cancelled or interrupted task one to run again, by a daemon or `apart`. */
gboolean spk_core_resume(SpkCore *core, const char *id, gboolean apart, GError **error);

/* ---- the memory ---- */
typedef struct {
	GPtrArray *forgotten; /* char *: ids of memories that the task has left */
	GPtrArray *revived;   /* char *: ids of those whose place these took */
} SpkUnlearned;
void spk_unlearned_clear(SpkUnlearned *unlearned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkUnlearned, spk_unlearned_clear)
/* Forgets what the task has taught the memory, at its end or by notes of its spark, and puts back
 * in use what that took the place of; on record as `learn.undone` when there was anything. CONFLICT
 * while the task goes on: it might add to it. */
gboolean spk_core_unlearn(SpkCore *core, const char *id, SpkUnlearned *ret,
			  GError **error);

/* Looks for the texts in all that is on record of tasks, long outputs included, and with `take_out`
 * puts SPK_MEMORY_FORGOTTEN in their place where the task is over (store/memory_records.h); what was
 * typed in a chat goes line by line. A file that can't be read or written is passed over with a
 * warning. A kill leaves what is left for the next call. */
gboolean spk_core_said(SpkCore *core, const GPtrArray *texts, gboolean take_out,
		       SpkMemorySaid *ret, GError **error);

/* interface.md, Tasks: the object of `do`, `tasks show`, …; brief leaves out `checks`. A task
 * without an id is one that was never made: `task` and `status` are null. */
json_t *spk_core_report(SpkCore *core, const SpkTask *task, gboolean brief,
			GError **error);
/* Exit code of a task as it stands. */
int spk_core_exit_code(const SpkTask *task, gboolean strict);

#endif
