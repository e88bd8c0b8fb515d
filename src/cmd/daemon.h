/*
 * What a daemon runs its tasks with, told to the commands that give tasks: SPARKS_HOME/up.json
 * holds its values while it runs. A command whose own values differ keeps its task apart.
 */
#ifndef SPK_CMD_DAEMON_H
#define SPK_CMD_DAEMON_H

#include "cmd/session.h"

/* Writes up.json for this process. */
gboolean spk_daemon_announce(const SpkSession *session, GError **error);
/* Removes it, unless it is another daemon's by now. */
void spk_daemon_leave(const SpkSession *session);

/* The options, as "a, b", that `holder` would run a task with these options differently by;
 * "" when that is not known; NULL when it would run it as we do. */
char *spk_daemon_differs(const SpkSession *session, const char *holder,
			 const json_t *options);

typedef enum {
	SPK_RUN_HERE,	/* there is no daemon */
	SPK_RUN_DAEMON, /* one would run it as we do */
	SPK_RUN_APART,	/* one would not */
} SpkRunner;

/* Who should run a task with these options. When a daemon is passed by, one line on stderr
 * says why. `detach`: it would run in the background then. */
SpkRunner spk_daemon_ask(const SpkSession *session, const json_t *options,
			 gboolean detach);

#endif
