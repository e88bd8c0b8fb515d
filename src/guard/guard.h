/*
 * What may happen, first part: the rules for `git` lines, the list of sensitive files, the list
 * of files that run code elsewhere. Pure functions over values, any thread.
 */
#ifndef SPK_GUARD_GUARD_H
#define SPK_GUARD_GUARD_H

#include <glib.h>

#include "conf/conf.h"

/* ---- git lines a model may run in the box ---- */
/* `args` is what follows the word git, NULL-terminated. TRUE, or FALSE with the reason in words
 * that tell what to do instead. Sub-commands that the table doesn't know are refused. Refused
 * too: the network, rewriting of history, configuration and options that run programs, and
 * whatever waits for a terminal. It keeps a model on the path; the wall is the box. */
gboolean spk_guard_git(const char *const *args, char **ret_reason);

/* ---- files ---- */
/* Glob patterns of names that never enter the box (reference §4: path rule), NULL-terminated,
 * in the language of spk_guard_match(). */
extern const char *const spk_sensitive_patterns[];
/* The last pattern of `patterns` that matches, or NULL when none does or that one starts with
 * "!" (an exception). A pattern is tried on every run of whole components of the relative
 * `path`, so ".env" also covers "a/.env" and what lies in a folder of that name; "*" and "?"
 * don't match "/"; one that ends in "/" needs something below. Case is ignored. */
const char *spk_guard_match(const char *const *patterns, const char *path);
/* The patterns in force: the built-in ones, then those of [guard] sensitive_files, whose "!NAME"
 * takes names out. g_strfreev(). */
char **spk_sensitive_list(const SpkConf *conf);
/* spk_guard_match() with spk_sensitive_patterns. */
const char *spk_guard_sensitive(const char *path);
/* What makes this file run code elsewhere ("CI definition", "git hook", "build script",
 * "package script", …), or NULL. */
const char *spk_guard_risky(const char *path);

#endif
