/* What every task command begins with: the configuration, the core, a task by its id. */
#ifndef SPK_CMD_SESSION_H
#define SPK_CMD_SESSION_H

#include "cmd/cmd.h"
#include "core/core.h"

typedef struct {
	SpkConf *conf;
	SpkCore *core;
	SpkStore *store; /* borrowed from core */
	SpkTask *task;	 /* only after spk_session_open_task() */
	gboolean json;
} SpkSession;

/* FALSE: the failure is printed, *ret_exit is the exit code. */
gboolean spk_session_open(SpkSession *session, const SpkArgs *args, gboolean json,
			  int *ret_exit);
/* The same with options of the command's own: "name=value", NULL-terminated. */
gboolean spk_session_open_with(SpkSession *session, const SpkArgs *args,
			       const char *const *overrides, gboolean json,
			       int *ret_exit);
void spk_session_clear(SpkSession *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkSession, spk_session_clear)

/* The same with the task that the first positional names. */
gboolean spk_session_open_task(SpkSession *session, const SpkArgs *args, gboolean json,
			       int *ret_exit);

/* Not finished, and nobody lives who would go on with it: to be resumed by hand. */
gboolean spk_task_is_stranded(const SpkTask *task, gboolean daemon_alive);

/* What most task commands have in their option table, and those about one task in theirs. */
#define SPK_OPT_JSON                                                                  \
	{                                                                             \
		"json", .type = SPK_CMD_FLAG, .sentence = "one JSON object on stdout" \
	}

extern const SpkCmdOpt spk_only_json[];
#define SPK_TAKES_ID .usage = "ID", .min_args = 1, .max_args = 1

#endif
