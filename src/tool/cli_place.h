/*
 * Where an agent program's files are: what the box has to be shown so that it runs there, and how
 * it is started. Symlinks are followed to the real files, interpreters of scripts are found, and
 * nothing else of the user's folders comes along. In a container /usr and its like are the image's:
 * what of a program lies in ours is shown at another place there, and an interpreter that lies in
 * ours is the image's own.
 */
#ifndef SPK_TOOL_CLI_PLACE_H
#define SPK_TOOL_CLI_PLACE_H

#include <glib.h>

#include "box/box.h"

typedef struct {
	char *program;	/* as it was found: folder of the search and name */
	char *real;	/* behind all symlinks */
	char **command; /* first words of its command line: interpreter, options, script */
	GPtrArray *mounts; /* SpkBoxMount, all read-only, at the same path but for what is
			  * said above; may be empty */
} CliPlace;
void cli_place_clear(CliPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliPlace, cli_place_clear)

typedef struct {
	const char *const *folders; /* where to look first; "~/" is expanded */
	const char *work;	    /* the task's files; NULL: none */
	gboolean in_image;	    /* it is to run in a container */
} CliSearch;

/* Looks for an executable `name` in the folders of the search, then in PATH, then where its
 * installers put it. NOT_FOUND naming the folders; POLICY when it lies where no box may look (state
 * of sparks, the task's files); BAD_INPUT when its interpreter is missing. */
gboolean cli_place_find(const char *name, const CliSearch *search, CliPlace *ret_place,
			GError **error);

#endif
