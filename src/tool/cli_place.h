/*
 * Where an agent program's files are: what the box has to be shown so that it runs there, and how
 * it is started. Symlinks are followed to the real files, interpreters of scripts are found, and
 * nothing else of the user's folders comes along.
 */
#ifndef SPK_TOOL_CLI_PLACE_H
#define SPK_TOOL_CLI_PLACE_H

#include <glib.h>

#include "box/box.h"

typedef struct {
	char *program;	/* as it was found: folder of the search and name */
	char *real;	/* behind all symlinks */
	char **command; /* first words of its command line: interpreter, options, script */
	GPtrArray
		*mounts; /* SpkBoxMount, all read-only, at the same path; may be empty */
} CliPlace;
void cli_place_clear(CliPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliPlace, cli_place_clear)

/* Looks for an executable `name` in `folders` ("~/" is expanded), then in PATH, then where its
 * installers put it. NOT_FOUND naming the folders; POLICY when it lies where no box may look (state
 * of sparks, the task's `work` tree, which may be NULL); BAD_INPUT when its interpreter is missing. */
gboolean cli_place_find(const char *name, const char *const *folders, const char *work,
			CliPlace *ret_place, GError **error);

#endif
