/*
 * A task on its way: run in this process, given to a daemon, or handed to a runner in the
 * background; and watched, by its journal, until it has ended or waits for somebody.
 */
#ifndef SPK_CMD_FOLLOW_H
#define SPK_CMD_FOLLOW_H

#include "cmd/show/progress.h"
#include "cmd/session.h"

typedef enum {
	SPK_RUN_HERE,	/* there is no daemon */
	SPK_RUN_DAEMON, /* one would run it as we do */
	SPK_RUN_APART,	/* one would not */
} SpkRunner;

/* Who should run a task with these options. When a daemon is passed by, one line on stderr
 * says why. `detach`: it would run in the background then. */
SpkRunner spk_follow_choose(const SpkSession *session, const json_t *options,
			    gboolean detach);

typedef struct {
	SpkRunner runner;
	gboolean detach;  /* only see to it that somebody runs it */
	gint64 wait_secs; /* 0: until it ends */
	gint64 seen;	  /* journal entries up to this one are known already */
} SpkFollow;

/* FALSE when the task could not go on (what happened) or, WAITING, when the wait is over.
 * Ctrl-C cancels the task; the call then returns when it is cancelled. */
gboolean spk_follow_run(SpkSession *session, const SpkArgs *args, const char *id,
			const SpkFollow *how, SpkProgress *progress, GError **error);

/* Calls on_entry for each entry after *seen (which moves along) until the task has ended,
 * waits, is paused, or nobody runs it. cancel ends the watching only. */
typedef void (*SpkFollowFn)(const SpkJournalEntry *entry, gpointer user);
gboolean spk_follow_watch(SpkStore *store, const char *id, gint64 *seen,
			  SpkCancel *cancel, SpkFollowFn on_entry, gpointer user,
			  GError **error);

#endif
