/*
 * Tools a model may call. One row per tool: name, sentence, arguments (the table also gives
 * the JSON Schema), effect class, function. Everything a tool touches lies in the private
 * work tree (descriptors that can't leave it) or runs in the box. Results are text for the
 * model: bounded, cleaned, the rest in a spill file that `file_read` can page.
 */
#ifndef SPK_TOOL_TOOL_H
#define SPK_TOOL_TOOL_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "box/box.h"
#include "box/tree.h"
#include "box/way_out.h"
#include "conf/conf.h"
#include "guard/redact.h"
#include "guard/decision.h"
#include "memory/memory.h"
#include "store/store.h"

/* What a program that a tool runs has spent at somebody's server, as it says itself. */
typedef struct {
	const char *purpose; /* name of the tool */
	const char *provider, *model;
	guint number; /* of the attempt within the call */
	gint64 input, output, cached, cache_write;
	double usd; /* < 0: it does not say */
} SpkToolBill;

/* Who pays. All are called by the thread of the tool; one close() or fail() for each open(). */
typedef struct {
	/* Puts aside what an attempt may take, before it is made: *ret_tokens and *ret_usd are the
	 * most (0: no limit). `knows_usd`: the program tells its cost and keeps to it. LIMIT where a
	 * budget has no room, or is in money that nobody would count. */
	gboolean (*open)(const SpkToolBill *bill, gboolean knows_usd, gint64 *ret_tokens,
			 double *ret_usd, gpointer user, GError **error);
	/* Books what it took and puts `envelope` on record, both or neither. */
	gboolean (*close)(const SpkToolBill *bill, const json_t *envelope, gpointer user,
			  GError **error);
	/* It ended in the middle: books what it has told so far, apart. */
	void (*fail)(const SpkToolBill *bill, gpointer user);
	/* Dollars by our own prices; < 0: they are not known. */
	double (*cost)(const SpkToolBill *bill, gpointer user);
	gpointer user;
} SpkToolPurse;

/* What the tools of the memory need to know of who calls them. */
typedef struct {
	/* Opened when it is first asked for; borrowed. */
	SpkMemory *(*open)(gpointer user, GError **error);
	gpointer user;
	const char *const *scopes;	/* that are searched; ends with NULL */
	const char *repo, *spark, *who; /* scopes of both, and who keeps a note */
	SpkTaint taint;			/* what the model has read so far */
	guint kept;			/* notes of the task so far */
} SpkToolMemory;

typedef struct {
	SpkConf *conf;
	SpkBox *box;
	SpkTree *tree;
	SpkWayOut *way;		 /* NULL: commands have no network */
	const char *spill_dir;	 /* SPARKS_HOME/spill/ID; made on first use */
	const char *task;	 /* id */
	gboolean read_only;	 /* the spark may not change files (scout) */
	const GPtrArray *mounts; /* SpkBoxMount of the spark; NULL: none */
	const char *image;	 /* of the spark's containers; NULL: as configured */
	/* Patterns of files that may hold secrets; NULL: spk_sensitive_patterns. */
	const char *const *sensitive;
	/* Of the call: other names of such files in the work tree, once they were looked for. */
	struct SpkLinks **links;
	gint64 step; /* names spill files: spill/ID/STEP.txt, shown as "spill:STEP" */
	/* For tools that run programs of their own mind (cli.c). */
	const char *const *names;  /* tools that the task may use */
	const char *last_tree;	   /* raw tree before the call */
	const char *cli_model;	   /* model of such a program; NULL: [cli] model */
	gint64 left_ms;		   /* of the task's time; 0: no limit */
	const SpkToolPurse *purse; /* NULL: nobody counts */
	SpkVault *vault; /* what placeholders for secrets stand for; NULL: nothing */
	const SpkToolMemory *memory; /* NULL: the task runs without */
} SpkToolCtx;

typedef struct {
	char *text;	   /* what the model sees */
	gboolean ok;	   /* FALSE: the tool says why it failed, in text */
	gboolean finished; /* `finish` was called: text is the summary */
	json_t *meta; /* for the record: exit_code, bytes, seconds, spill, … or NULL */
	SpkTaint
		brings; /* of a `trusted` tool: what this very result has the model read */
} SpkToolResult;
void spk_tool_result_clear(SpkToolResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkToolResult, spk_tool_result_clear)

/* What the law looks at in a call (`subject` is the argument). */
typedef enum {
	SPK_DEED_PLAIN,	  /* nothing but what `does` says */
	SPK_DEED_PATH,	  /* a path in the work tree */
	SPK_DEED_COMMAND, /* a line for a shell */
	SPK_DEED_GIT,	  /* words behind `git` */
	SPK_DEED_AGENT,	  /* an agent program, which the operator has named */
} SpkDeed;

typedef enum { SPK_ARG_STRING, SPK_ARG_INT, SPK_ARG_BOOL, SPK_ARG_STRINGS } SpkArgType;

typedef struct {
	const char *name; /* NULL ends the table */
	SpkArgType type;
	gboolean required;
	gint64 min, max; /* integers; for strings max is the most bytes (0: 1 MiB) */
	const char *sentence;
} SpkToolArg;

typedef struct {
	const char *name;
	const char *sentence; /* told to the model */
	const SpkToolArg *args;
	SpkEffect effect; /* PURE: reads only; IDEMPOTENT: run again after a crash */
	gboolean writes;  /* may change work/: a snapshot follows */
	gboolean talks;	  /* needs neither box nor tree */
	gboolean
		restores; /* placeholders of the vault stand for what they hide in its arguments */
	/* For the law: what it does whatever its arguments are, and what to look at in them. */
	SpkDoesSet does;
	SpkDeed deed;
	const char *subject;
	gboolean
		trusted; /* what it says holds nothing but our own words and the model's */
	/* Optional: why it can't be offered here, in words; NULL: it can. */
	char *(*absent)(SpkConf *conf);
	/* FALSE with *error only when the task cannot go on (cancelled, box broken); what went
	 * wrong with the call itself is a result with ok FALSE. args are checked already. */
	gboolean (*run)(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
			SpkToolResult *ret_result, GError **error);
} SpkTool;

/* tool_all.c; ends with NULL. */
extern const SpkTool *const spk_tools[];
const SpkTool *spk_tool_find(const char *name);
/* "tools" of a request for these names (NULL-terminated), in the order of the registry:
 * equal for equal sets. */
json_t *spk_tool_schemas(const char *const *names);
/* TRUE: it runs an agent program of others, which works on its own. */
gboolean spk_tool_is_cli(const char *name);
/* Sets the error for a task that was nothing but a run of one, which failed: `meta` and `text` of
 * its result. Always FALSE. */
gboolean spk_tool_cli_fail(const json_t *meta, const char *text, GError **error);
/* Parses and checks `arguments` (a JSON text as the model sent it) against the table; the
 * reason, made for the model ("missing "path"", "did you mean …"), goes to *ret_reason. */
json_t *spk_tool_parse_args(const SpkTool *tool, const char *arguments,
			    char **ret_reason);
/* Whole call: unknown tool, not allowed for this spark (`names`), bad arguments, read-only:
 * all results with ok FALSE. */
gboolean spk_tool_call(const SpkToolCtx *ctx, const char *const *names, const char *name,
		       const char *arguments, SpkCancel *cancel,
		       SpkToolResult *ret_result, GError **error);

#endif
