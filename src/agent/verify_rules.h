/*
 * What a path is to verification, by the conventions of the languages' own tools: a test
 * file, or a build file that selects which tests run. Pure functions
 * over relative paths and over what shells print.
 */
#ifndef SPK_AGENT_VERIFY_RULES_H
#define SPK_AGENT_VERIFY_RULES_H

#include <glib.h>

gboolean verify_is_test(const char *path);
gboolean verify_is_build(const char *path);
/* Paths of `tree_paths` that a shell command names as words: its own scripts. Relative to
 * `subdir` ("" or below the top) or to the top. NULL-terminated. */
char **verify_scripts(const char *command, const char *const *tree_paths,
		      const char *subdir);
/* The program that a check begins with, when the check ended because the shell does not find it
 * in PATH (`output` says so); else NULL. Nothing that a task does could mend such a check. A
 * program named by a path, or looked for in a PATH of the command's own, is none. */
char *verify_missing(const char *command, int exit_code, const char *output);

#endif
