/* `do` and `dispatch`: one option table, one way of giving a task and waiting for it. */
#ifndef SPK_CMD_SUBMIT_H
#define SPK_CMD_SUBMIT_H

#include "cmd/cmd.h"
#include "cmd/follow.h"

extern const SpkCmdOpt spk_submit_options[];

/* Goal by --goal or as the positional. */
int spk_submit(const SpkArgs *args);

/* Prints the end of a task that was followed: the JSON object, or the summary and the error
 * (taken) that ended it; returns the exit code. */
int spk_submit_close(SpkSession *session, const char *id, gboolean strict,
		     GError *take_error);

/* The id alone, or the object, of a task that was given away; the exit code. */
int spk_submit_detached(SpkSession *session, const char *id);

#endif
