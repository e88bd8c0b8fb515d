/*
 * What a path is to verification, by the conventions of the languages' own tools: a test
 * file, or a build file that selects which tests run. Pure functions over relative paths.
 */
#ifndef SPK_AGENT_VERIFY_RULES_H
#define SPK_AGENT_VERIFY_RULES_H

#include <glib.h>

gboolean verify_is_test(const char *path);
gboolean verify_is_build(const char *path);
/* Paths of `tree_paths` that a shell command names as words: its own scripts. Relative to
 * `subdir` ("" or below the top) or to the top. NULL-terminated. */
char **verify_scripts(const char *command, const char *const *tree_paths, const char *subdir);

#endif
