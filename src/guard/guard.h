/*
 * What may happen, first part: the loop guard, the rules for `git` lines, the list of
 * sensitive files, the list of files that run code elsewhere. Pure functions over values.
 */
#ifndef SPK_GUARD_GUARD_H
#define SPK_GUARD_GUARD_H

#include <glib.h>

/* ---- loop guard (reference: window 12, threshold 2) ---- */
typedef struct SpkLoopGuard SpkLoopGuard;
typedef enum { SPK_LOOP_OK, SPK_LOOP_WARN, SPK_LOOP_STOP } SpkLoopVerdict;
SpkLoopGuard *spk_loop_guard_new(guint window, guint threshold);
void spk_loop_guard_free(SpkLoopGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLoopGuard, spk_loop_guard_free)
/* One call with its result (hashes or texts). The same call with the same result seen more
 * than `threshold` times within the window: WARN once (tell the model), STOP when it goes on. */
SpkLoopVerdict spk_loop_guard_note(SpkLoopGuard *guard, const char *call, const char *result,
				   char **ret_reason);

/* ---- git lines a model may run in the box ---- */
/* TRUE, or FALSE with the reason in words: no push, fetch, pull, clone, remote, no rewriting
 * of history (rebase, reset --hard to elsewhere, commit --amend of the base, filter-branch, reflog,
 * gc, update-ref, replace), no config that runs programs, no -c, no --git-dir, --exec-path. */
gboolean spk_guard_git(const char *const *args, char **ret_reason);

/* ---- files ---- */
/* Glob patterns of names that never enter the box (reference §4: path rule). */
extern const char *const spk_sensitive_patterns[];
/* The pattern a relative path matches, or NULL. Case is ignored. */
const char *spk_guard_sensitive(const char *path);
/* Why this file runs code elsewhere ("CI definition", "git hook", "build script", "package script", …) or NULL. */
const char *spk_guard_risky(const char *path);

#endif
