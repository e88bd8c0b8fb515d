/*
 * Commands: one file per command (cmd/cmd_NAME.c, which opens with what it does), one sorted
 * table (cmd/cmd_all.c). The option tables give parsing, --help, the man page and the
 * completions. A command returns its exit code; errors go through spk_cmd_fail().
 */
#ifndef SPK_CMD_CMD_H
#define SPK_CMD_CMD_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "conf/conf.h"

typedef enum {
	SPK_CMD_FLAG,
	SPK_CMD_STRING, /* given twice: the last one counts */
	SPK_CMD_INT,
	SPK_CMD_STRINGS, /* may be repeated, all count */
} SpkCmdOptType;

typedef struct {
	const char *name; /* "max-steps"; NULL ends the table */
	const char *
		alias; /* other long name for the same flag ("spark" for "ghost"), or NULL */
	char letter; /* 'n' or 0 */
	SpkCmdOptType type;
	const char *value;   /* "N", "CMD": placeholder; NULL for flags */
	const char *choices; /* "a|b" or NULL */
	gint64 min, max;     /* SPK_CMD_INT */
	const char *sentence;
	/* Not NULL: a flag of the reference that this version refuses; says what to do instead. */
	const char *unbuilt;
} SpkCmdOpt;

typedef struct SpkArgs SpkArgs;

typedef struct SpkCmd {
	const char *name;  /* "do", "tasks" */
	const char *usage; /* "GOAL", "" when nothing follows; NULL when it doesn't run */
	const char *summary; /* one line */
	const char *details; /* paragraph(s) for --help and the man page; may be NULL */
	const char *example; /* at least one line, mandatory */
	const SpkCmdOpt *options; /* may be NULL */
	int min_args, max_args;	  /* positional; max -1: any */
	gboolean rest; /* everything after the first positional or "--" is left alone */
	const struct SpkCmd *const
		*subs; /* sub-commands, sorted, NULL-terminated; or NULL */
	/* NULL: only its subs do; with both, what it does without one */
	int (*run)(const SpkArgs *args);
} SpkCmd;

/* A command that is known by name but not in this version: refused with what works instead. */
typedef struct {
	const char *name; /* NULL ends the table */
	const char *hint;
} SpkCmdLater;

/* The table of commands as a value: it lies on top of what it lists, so the parser and the
 * commands get it handed down. */
typedef struct {
	const SpkCmd *const *commands; /* sorted by name, NULL-terminated */
	const SpkCmdLater *later;      /* sorted by name */
	const char *usual; /* command of a call without one, on a terminal; or NULL */
	/* words that are no commands, and what is typed instead; or NULL */
	const SpkCmdLater *others;
} SpkProgram;

/* Accessors of parsed options (by long name; a name not in the table is a g_assert). */
gboolean spk_args_flag(const SpkArgs *args, const char *name);
const char *spk_args_str(const SpkArgs *args, const char *name); /* NULL: not given */
gint64 spk_args_int(const SpkArgs *args, const char *name, gint64 fallback);
gboolean spk_args_has(const SpkArgs *args, const char *name);
const char *const *spk_args_list(const SpkArgs *args, const char *name); /* never NULL */
const char *const *spk_args_rest(const SpkArgs *args); /* positionals, NULL-terminated */
/* The global options --config PATH, --set NAME=VALUE and -y/--yes. */
const char *spk_args_config(const SpkArgs *args);
const char *const *spk_args_set(const SpkArgs *args); /* never NULL */
gboolean spk_args_yes(const SpkArgs *args);

/* Parses and runs: the whole of main(). */
int spk_cmd_main(const SpkProgram *program, int argc, char **argv);

/* Prints "sparks: what\n  hint" to stderr (and the JSON error object to stdout when json) and
 * returns the exit code of the error. Takes the error. */
int spk_cmd_fail(GError *take_error, gboolean json);
/* The words alone, on stderr. */
void spk_cmd_say_error(const GError *error);
/* To stderr, indented: on a terminal folded, with commands in one piece; elsewhere one line for
 * a script to read. */
void spk_cmd_say_hint(const char *hint);
/* {"code","message","hint"} */
json_t *spk_cmd_error_to_json(const GError *error);
/* Loads the configuration for a command, warnings to stderr; NULL with *ret_exit set. */
SpkConf *spk_cmd_conf(const SpkArgs *args, gboolean json, int *ret_exit);
/* The same with options of the command's own flags: "name=value", NULL-terminated. */
SpkConf *spk_cmd_conf_with(const SpkArgs *args, const char *const *overrides,
			   gboolean json, int *ret_exit);
/* A token (a new reference, the same each time) that fires on the first SIGINT or SIGTERM;
 * the second leaves at once with 130. */
SpkCancel *spk_cmd_interrupt(void);
/* The same for what begins now: a token that has not fired, whose first signal is still to
 * come. For a program that goes on after Ctrl-C (chat). */
SpkCancel *spk_cmd_interrupt_anew(void);
/* The signal that fired the present token, or 0. */
int spk_cmd_interrupted_by(void);
/* A JSON value of one line, for people to look at, too: what a terminal would act on (controls,
 * and marks that turn text round or hide) is written as an escape. */
char *spk_cmd_json_text(const json_t *json);
/* One JSON object or array and a newline on stdout. */
void spk_cmd_print_json(const json_t *json);

/* ---- terminal ---- */
gboolean spk_term_is_tty(int fd);
gboolean spk_term_colour(int fd); /* tty, NO_COLOR unset, TERM not dumb */
int spk_term_width(int fd);
/* SGR start of a role ("ok", "bad", "dim", "bold", "warn", "add", "del"; "reset" ends one), or
 * "" without colour. */
const char *spk_term_sgr(int fd, const char *role);

#endif
