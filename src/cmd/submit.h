/* `do` and `dispatch`: one option table, one way of giving a task and waiting for it. */
#ifndef SPK_CMD_SUBMIT_H
#define SPK_CMD_SUBMIT_H

#include "cmd/cmd.h"
#include "cmd/show/follow.h"

extern const SpkCmdOpt spk_submit_options[];

/* Goal by --goal or as the positional. */
int spk_submit(const SpkArgs *args);

/* What --repo means (interface.md, Places): a path if it has a slash, is "." or is a folder,
 * made absolute; else a label (borrowed) for the current folder. NULL: the current folder. */
char *spk_submit_folder(const char *repo, const char **ret_label, GError **error);
/* What --model means: "script:FILE" gets an absolute FILE, as who runs it may stand elsewhere.
 * NULL stays NULL. USAGE when it names nothing. */
gboolean spk_submit_model(const char *given, char **ret_model, GError **error);

/* --budget-usd as `budget_usd` into the options; USAGE when it is no amount. */
gboolean spk_submit_budget(const SpkArgs *args, json_t *options, GError **error);

/* Makes the task one to run again, follows it as `how` says (runner and seen are filled in) and
 * prints its end; the exit code. */
int spk_submit_resume(SpkSession *session, const SpkArgs *args, const char *id,
		      SpkFollow *how, gboolean strict);

/* Prints the end of a task that was followed: the JSON object, or the summary and the error
 * (taken) that ended it; returns the exit code. */
int spk_submit_close(SpkSession *session, const char *id, gboolean strict,
		     GError *take_error);

/* The id alone, or the object, of a task that was given away; the exit code. */
int spk_submit_detached(SpkSession *session, const char *id);

#endif
