/* The parser and the renderings of the command table, for the files of this room only. */
#ifndef SPK_CMD_CMD_PRIV_H
#define SPK_CMD_CMD_PRIV_H

#include "cmd/cmd.h"

typedef struct {
	const SpkCmdOpt *opt;
	const char *value; /* NULL for flags */
} SpkGiven;

struct SpkArgs {
	const SpkProgram *program;
	const SpkCmd *cmd; /* the innermost command named; NULL when none was */
	char *path;	   /* "sparks tasks list" */
	GArray *given;	   /* SpkGiven, in order of the command line */
	GPtrArray *rest;   /* positionals, borrowed from argv, NULL-terminated */
	GHashTable *lists; /* name of a repeatable option -> const char ** */
	gboolean help, version;
};

/* Ends with a NULL name; valid before and after any command. */
extern const SpkCmdOpt spk_cmd_globals[];

/* argv is borrowed for the lifetime of the result. NULL: USAGE or, for what is not in this
 * version, USAGE with what works instead. */
SpkArgs *spk_args_parse(const SpkProgram *program, int argc, char **argv, GError **error);
void spk_args_free(SpkArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkArgs, spk_args_free)

/* The option of that long name, of a command (may be NULL) or a global one; or NULL. */
const SpkCmdOpt *spk_cmd_option(const SpkCmd *cmd, const char *name, gsize len);
/* The command of that name in a sorted table, or NULL. */
const SpkCmd *spk_cmd_find(const SpkCmd *const *commands, const char *name);

/* The warnings of a configuration, to stderr. */
void spk_cmd_warn(const SpkConf *conf);

/* --help of a command (path "sparks do"). */
char *spk_help_text(const char *path, const SpkCmd *cmd, int width);
/* --help of the program. */
char *spk_help_program(const SpkProgram *program, int width);
/* The whole table as a manual page in man(7) macros. */
char *spk_help_man(const SpkProgram *program);

#endif
