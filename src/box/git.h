/*
 * The `git` program as we run it: an argv, never a shell string, an environment from
 * scratch, global, system and repository configuration off, hooks, fsmonitor, filters,
 * aliases and transports off. Our git folder is our own (`git_dir`); the user's repository is
 * only ever reached by its object folder, its index file and plumbing that runs no code.
 */
#ifndef SPK_BOX_GIT_H
#define SPK_BOX_GIT_H

#include <glib.h>

#include "base/cancel.h"

typedef struct {
	const char *git_dir;   /* GIT_DIR; NULL: found from cwd (rev-parse, config) */
	const char *work_tree; /* GIT_WORK_TREE; NULL: none */
	const char *index;     /* GIT_INDEX_FILE; NULL: git_dir/index */
	const char *
		objects; /* GIT_OBJECT_DIRECTORY: where new objects go; NULL: git_dir's */
	const char *const *alternates; /* more object folders to read; NULL: none */
	const char *cwd;	       /* NULL: work_tree, else "/" */
	const char *const
		*extra_env; /* "K=V": GIT_AUTHOR_NAME and the like; may be NULL */
	gboolean
		users_config; /* the user's own global and system configuration is read: for
				 * `config --list` and `rev-parse` only, which run no code */
} SpkGit;

/* Runs `git ARGS…`. Output is stdout (at most max_out bytes; 0: 64 MiB; LIMIT past it).
 * FALSE and GIT with git's own first error line when it exits non-zero, unless ret_exit is
 * given (then TRUE and the code). ret_out may be NULL. Time limit 10 minutes. */
gboolean spk_git_run(const SpkGit *git, const char *const *args, const void *input,
		     gsize input_len, gsize max_out, SpkCancel *cancel, GString **ret_out,
		     int *ret_exit, GError **error);
/* Convenience: args NULL-terminated; the output without its last newline. */
char *spk_git_line(const SpkGit *git, GError **error, ...) G_GNUC_NULL_TERMINATED;

/* A folder of object folders' names as git's lists of alternates write it (quoted where it
 * needs to be). */
char *spk_git_quote_alternate(const char *folder);

#endif
