/* The parser and the renderings of the command table, for the files of this room only. */
#ifndef SPK_CMD_CMD_PRIV_H
#define SPK_CMD_CMD_PRIV_H

#include "cmd/cmd.h"

struct SpkArgs {
	const SpkCmd *cmd;	/* the innermost command named; NULL when none was */
	char *path;		/* "sparks tasks list" */
	GArray *given;		/* Given, in order of the command line */
	GPtrArray *rest;	/* positionals, borrowed from argv, NULL-terminated */
	GHashTable *lists;	/* name of a repeatable option -> const char ** */
	gboolean help, version;
};

/* Ends with a NULL name; valid before and after any command. */
extern const SpkCmdOpt spk_cmd_globals[];

/* argv is borrowed for the lifetime of the result. NULL: USAGE or, for what is not in this
 * version, USAGE with what works instead. */
SpkArgs *spk_args_parse(int argc, char **argv, const SpkCmd *const *commands, GError **error);
void spk_args_free(SpkArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkArgs, spk_args_free)

/* The command of that name in a sorted table, or NULL. */
const SpkCmd *spk_cmd_find(const SpkCmd *const *commands, const char *name);

/* The warnings of a configuration, to stderr. */
void spk_cmd_warn(const SpkConf *conf);

/* Text of --help for a command ("sparks do"), or for the program when cmd is NULL. */
char *spk_help_text(const char *path, const SpkCmd *cmd, int width);
/* The whole table as a manual page in man(7) macros. */
char *spk_help_man(void);

#endif
