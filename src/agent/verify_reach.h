/*
 * What a check runs without naming it: `make test` runs the script that the Makefile names.
 * A task that rewrites that script writes its own judge. Found by reading, not by running: a
 * word counts when it follows an interpreter or begins a command, and leads to a file whose name
 * or place says that it is no part of what is judged. Pure functions.
 */
#ifndef SPK_AGENT_VERIFY_REACH_H
#define SPK_AGENT_VERIFY_REACH_H

#include <glib.h>

/* Content of a file of the tree; NULL: none, too large or no text. Free with g_free. */
typedef char *(*VerifyReadFn)(const char *path, gpointer user);

/* Paths of `tree_paths` that the build files among them and the checks' own scripts run, also
 * by way of each other. Keys are borrowed from tree_paths. */
GHashTable *verify_reached(const char *const *tree_paths, char *const *checks,
			   const char *subdir, VerifyReadFn read, gpointer user);
/* Whether a check runs this file in place of the program it means: `python3 -m unittest` looks
 * for unittest.py and unittest/ in its folder first. */
gboolean verify_replaces_runner(const char *path, char *const *checks,
				const char *subdir);

#endif
