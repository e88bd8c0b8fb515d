/*
 * The agent programs there are: one row each says how it is called without a person, what it wants
 * to know, and how to read what it writes. Flags and variables are those that the programs
 * document; the tests run the real ones.
 */
#ifndef SPK_TOOL_CLI_TABLE_H
#define SPK_TOOL_CLI_TABLE_H

#include <glib.h>

#include "conf/conf.h"
#include "tool/cli_watch.h"

/* What one call needs to know. */
typedef struct {
	const char *provider;	 /* section of the configuration: "anthropic", ... */
	const char *model;	 /* in the program's spelling; NULL: its own default */
	const char *url;	 /* base URL of the model's server, as the box sees it */
	const char *placeholder; /* in place of the key */
	const char *style;	 /* "chat_completions", "responses", "messages" */
	double usd;		 /* most that it may cost; 0: no limit */
} CliCall;

typedef struct {
	const char *tool;    /* "claude_code" */
	const char *program; /* "claude" */
	const char *title;   /* for people */
	gboolean bounds_usd; /* tells its cost, and keeps to CliCall.usd by itself */
	/* The origin's last part that it adds by itself; NULL: none. */
	const char *drops;
	/* Its own tries of a request that are waited for. */
	guint failures_max;
	CliEventFn event;
	/* Which provider's server it asks, and which model: *ret_model as of CliCall. FALSE: CONFIG. */
	gboolean (*choose)(SpkConf *conf, const char *wanted, char **ret_provider,
			   char **ret_model, GError **error);
	/* Adds the words behind the program, and variables "K=V", all owned by the arrays. The
	 * prompt comes on stdin. */
	void (*build)(const CliCall *call, GPtrArray *argv, GPtrArray *env);
} Cli;

/* NULL-terminated, in the order of the tools. */
extern const Cli *const cli_table[];
const Cli *cli_find(const char *tool);

#endif
