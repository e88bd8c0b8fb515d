/* One attempt of an agent program in the box, and what became of it. */
#ifndef SPK_TOOL_CLI_RUN_PRIV_H
#define SPK_TOOL_CLI_RUN_PRIV_H

#include "tool/cli_contract.h"
#include "tool/cli_table.h"
#include "tool/cli_watch.h"
#include "tool/tool_priv.h"

#define CLI_TEXT_MAX 16000 /* bytes of stdout and of stderr in the envelope */

typedef struct {
	const Cli *cli;
	const char *model;  /* as wanted; NULL: the default */
	const char *prompt; /* the whole of it */
	guint number;	    /* of the attempt within the call: 0, 1, ... */
} CliAttempt;

typedef struct {
	CliCause cause;
	int exit_code;	 /* -1: it has none */
	char *words;	 /* of the model, at the end; NULL: none */
	char *problem;	 /* why it failed; NULL: nothing to say */
	char *out, *err; /* stdout and stderr, cleaned and bounded; NULL: it never ran */
	char *provider, *model;
	gint64 input, output, cached, cache_write;
	double usd; /* < 0: not told */
	gint64 started_us, ended_us;
	gint64 timeout_secs;
	char *tree;	    /* raw tree after it; NULL: it never ran */
	GPtrArray *changed; /* paths (char *), at most CLI_CHANGED_MAX; NULL likewise */
	guint n_changed;
	json_t *blocked;
} CliEnd;
#define CLI_CHANGED_MAX 200
void cli_end_clear(CliEnd *end);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliEnd, cli_end_clear)

/* Why we ended it. */
typedef enum {
	CLI_STOP_NONE,
	CLI_STOP_FLOOD,
	CLI_STOP_FAILURES,
	CLI_STOP_BUDGET
} CliStop;
/* What ended it, by its exit, its words and ours. */
CliCause cli_judge(const CliEnd *end, const CliReport *report, CliStop stop,
		   gboolean timed_out);

/* Why it could not be run here, found out without running it: NOT_INSTALLED, NO_CREDENTIAL,
 * REFUSED; DONE: nothing stands in the way. The reason goes to *ret_why. */
CliCause cli_obstacle(SpkConf *conf, const Cli *cli, const char *model, char **ret_why);

/* Whether its model is on this machine or in its private network; FALSE when that is not known. */
gboolean cli_is_local(SpkConf *conf, const Cli *cli, const char *model);

/* FALSE only when the task cannot go on: cancelled, the sandbox broken, no room in a budget. */
gboolean cli_attempt(const SpkToolCtx *ctx, const CliAttempt *attempt, SpkCancel *cancel,
		     CliEnd *ret_end, GError **error);

/* The normalised envelope: "tool","task_id","attempt","exit_code","status","code","cause",
 * "problem","stdout","stderr","artifacts","changed","started_at","ended_at","timeout_secs",
 * "message" (its last words), "provider","model","usage","cost_usd". */
json_t *cli_envelope(const SpkToolCtx *ctx, const CliAttempt *attempt, const CliEnd *end);

#endif
