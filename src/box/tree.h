/*
 * The private copy of a task: SPARKS_HOME/trees/ID/ with `work/` (what the box sees), `git/`
 * (our own object store and refs: what every file was, byte for byte, no conversion) and
 * `user/` (our git folder for the user's view, with their attributes). The user's own files
 * are only read until spk_tree_apply(). One thread at a time per SpkTree.
 *
 * "Raw tree": a tree sha in git/, of work/ as it is. "User tree": what a commit of the user's
 * repository would hold (their line-end conversions, LFS pointers of untouched files kept).
 */
#ifndef SPK_BOX_TREE_H
#define SPK_BOX_TREE_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "box/git.h"
#include "box/toolchains.h"

typedef struct SpkTree SpkTree;

typedef struct {
	gint64 max_files; /* 0: 200,000 */
	gint64 max_bytes; /* 0: 4 GiB */
	/* patterns of spk_guard_match(): what matches never enters the box; may be NULL */
	const char *const *sensitive;
	/* names of folders that are lent to the box where git ignores them; may be NULL */
	char *const *carry;
} SpkTreeLimits;

/* Snapshot of `folder` as it is (uncommitted and untracked files in, ignored and sensitive
 * ones out) and the private copy. Works for a git repository (also a subfolder of one, a
 * linked worktree, detached HEAD, no commit yet, sha256 objects) and for a plain folder.
 * REPO_UNSUPPORTED with the reason for what cannot be handled. A half-made tree of the same
 * id (after a crash) is made anew, and so is a whole one. Returned tree is open. */
SpkTree *spk_tree_create(const char *home, const char *id, const char *folder,
			 const SpkTreeLimits *limits, SpkCancel *cancel, GError **error);
/* NOT_FOUND when there is none or only half of one. */
SpkTree *spk_tree_open(const char *home, const char *id, GError **error);
void spk_tree_free(SpkTree *tree);
/* The top of the repository that `folder` (absolute) is in, or the folder; *ret_below: "" or the
 * way down from there. Looks for `.git` only, and runs nothing. */
char *spk_tree_top(const char *folder, char **ret_below);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTree, spk_tree_free)

/* Folder of the private copy, and a borrowed descriptor of it (O_PATH | O_DIRECTORY). */
const char *spk_tree_work(SpkTree *tree);
int spk_tree_work_fd(SpkTree *tree);
/* "" or the folder below work/ that the user stood in. */
const char *spk_tree_subdir(SpkTree *tree);
/* Folder that the box needs to read, at the same path: the alternate of its .git. */
const char *spk_tree_objects(SpkTree *tree);
/* Whether the user's folder is in a git repository. */
gboolean spk_tree_is_git(SpkTree *tree);
/* Raw tree of the snapshot. */
const char *spk_tree_base(SpkTree *tree);
/* The commit the result's parent will be: the user's HEAD, or a commit of their uncommitted
 * changes on top of it (in user/, handed over with the result). NULL for a plain folder. */
const char *spk_tree_base_commit(SpkTree *tree);
/* User tree of the base. */
const char *spk_tree_base_user(SpkTree *tree);
/* git/ over work/, to ask git what it ignores there (ls-files); for reading only. Looks over
 * work/ first and removes what would make git wait. The strings live as long as the tree. */
void spk_tree_git(SpkTree *tree, SpkGit *ret_git);
/* What people should know: submodules, sensitive files and others left out, filters not run.
 * Sentences; NULL-terminated. */
const char *const *spk_tree_notes(SpkTree *tree);

/* ---- dependency folders that git ignores (tree_carry.c) ---- */
/* Paths of those that there were at the start, NULL-terminated. */
char *const *spk_tree_carried(SpkTree *tree);
/* Sensitive files in them, to be masked; likewise. */
char *const *spk_tree_hidden(SpkTree *tree);

typedef struct {
	char *path; /* below the work tree; absolute: elsewhere in the box */
	char *from; /* folder of the host; NULL: there is none, and upper is all */
	/* What the setup wrote over `from`, or instead of it; NULL: nothing. */
	char *middle;
	/* Folders of an overlay that takes what is written; NULL: read-only. */
	char *upper, *spare;
	char *masked; /* absolute, in the box: not to be seen; NULL: nothing */
	gboolean masked_folder;
} SpkTreeLent;

typedef enum {
	SPK_LEND_NOTHING,
	SPK_LEND_READ_ONLY,
	SPK_LEND_KEPT,	/* what is written stays for the task's next command */
	SPK_LEND_FRESH, /* nothing was written: a check shows what is in the commit */
	SPK_LEND_SETUP, /* what is written is below all that the others write */
} SpkTreeLending;

/* For a run that shows work/ or a `checkout`: SpkTreeLent, without folders that are gone by now.
 * Makes those they are shown at, and puts files there that the setup left; with SPK_LEND_NOTHING
 * its folders, too. `tools`: with their caches; may be NULL. */
GPtrArray *spk_tree_lend(SpkTree *tree, const char *checkout, SpkTreeLending how,
			 const SpkToolchains *tools, GError **error);
/* The caches alone that projects in `folder` use, with their layers below `dir`. (Each layer
 * costs some 20 ms when it goes: the kernel waits for all its processors.) */
GPtrArray *spk_tree_lend_caches(const char *dir, const char *folder,
				const SpkToolchains *tools, GError **error);

/* ---- what the task's setup leaves (tree_setup.c) ---- */
typedef struct { /* paths (char *) below the work tree */
	GPtrArray *folders,
		*files; /* new ones: there for commands, and part of no result */
	GPtrArray *
		dropped; /* files of the repository that it changed: they are as they were */
} SpkTreeSetup;
void spk_tree_setup_clear(SpkTreeSetup *setup);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkTreeSetup, spk_tree_setup_clear)
/* A clean checkout of the base for the setup's command, which is lent SPK_LEND_SETUP. What an
 * earlier attempt has left goes. */
char *spk_tree_setup_begin(SpkTree *tree, SpkCancel *cancel, GError **error);
/* The command is through; from now on what it left is lent. `lent`: it had the folders that
 * are lent. LIMIT when that is too much. */
gboolean spk_tree_setup_end(SpkTree *tree, gboolean lent, SpkCancel *cancel,
			    GError **error);
/* NULL: there was none, or it is not through. */
const SpkTreeSetup *spk_tree_setup(SpkTree *tree);

/* Records work/ as a raw tree and keeps it on refs/steps/STEP; the same sha when nothing
 * changed. Ignored files are not recorded, nor repositories' own `.git` that a command made. */
char *spk_tree_snapshot(SpkTree *tree, gint64 step, SpkCancel *cancel, GError **error);
/* work/ becomes exactly that tree (ignored files that a command made are removed too, the
 * box's own .git is made anew). */
gboolean spk_tree_restore(SpkTree *tree, const char *raw, SpkCancel *cancel,
			  GError **error);
/* A clean checkout of `raw` in a new folder trees/ID/NAME (replaced if there), for a check.
 * It gets a throw-away .git too. Caller frees the path; spk_tree_drop_checkout removes it. */
char *spk_tree_checkout(SpkTree *tree, const char *raw, const char *name,
			SpkCancel *cancel, GError **error);
gboolean spk_tree_drop_checkout(SpkTree *tree, const char *name, GError **error);
/* `onto` with the listed paths as they are in `from` (absent there: removed). */
char *spk_tree_graft(SpkTree *tree, const char *onto, const char *from,
		     const char *const *paths, SpkCancel *cancel, GError **error);

typedef struct {
	char *path;  /* relative to the work tree's top, raw bytes */
	char status; /* 'A' added, 'M' modified, 'D' deleted, 'T' type changed */
	guint old_mode, new_mode;  /* git modes, 0: absent */
	char *old_blob, *new_blob; /* NULL: absent */
} SpkTreeChange;
void spk_tree_change_free(SpkTreeChange *change);
/* Sorted by path; GPtrArray of SpkTreeChange. */
GPtrArray *spk_tree_changes(SpkTree *tree, const char *from, const char *to,
			    GError **error);
/* Unified diff, cleaned of nothing: the caller cleans for a terminal. */
char *spk_tree_diff(SpkTree *tree, const char *from, const char *to, GError **error);
char *spk_tree_read_blob(SpkTree *tree, const char *blob, gsize max, gsize *ret_len,
			 GError **error);
/* Paths of a tree, NULL-terminated. */
char **spk_tree_paths(SpkTree *tree, const char *raw, GError **error);

typedef struct {
	const char *message; /* with trailers */
	const char *branch;  /* "sparks/ID" */
	gint64 time_us; /* author and committer date: equal for equal runs after a crash */
	gboolean kept;	/* nothing is written into the user's repository */
} SpkTreeCommit;
/* The user tree of `raw`: base_user with the task's changes applied. */
char *spk_tree_user_tree(SpkTree *tree, const char *raw, SpkCancel *cancel,
			 GError **error);
/* Paths the task wrote that a checkout of its commit would have with other bytes than `raw`:
 * conversions of the user's repository that lose something. Nearly always empty. */
GPtrArray *spk_tree_lossy(SpkTree *tree, const char *raw, SpkCancel *cancel,
			  GError **error);
/* One commit on refs/heads/BRANCH of the user's repository (objects copied in, ref written
 * last; doing it twice gives the same commit). Plain folder, or kept: commit and branch stay with
 * the task and *ret_in_user_repo is FALSE. CONFLICT when the branch's name is taken, READ_ONLY when the
 * repository may not be written. Returns the commit's sha. */
char *spk_tree_commit(SpkTree *tree, const char *raw, const SpkTreeCommit *how,
		      gboolean *ret_in_user_repo, SpkCancel *cancel, GError **error);

/* ---- apply and undo (interface.md) ---- */
typedef struct {
	gboolean markers; /* leave conflicts in the files; no effect with `commit` */
	gboolean commit;  /* on the current branch */
	gboolean dry_run;
	const char *message; /* with commit */
} SpkTreeApply;

typedef struct {
	GPtrArray *written;   /* paths (char *) */
	GPtrArray *merged;    /* of these, by three-way merge */
	GPtrArray *conflicts; /* "path: reason"; not empty: nothing was changed (unless
			       * markers) */
	char *commit;	      /* with commit, or of the revert */
	json_t *record;	      /* what undo needs; NULL when nothing was written */
} SpkTreeApplied;
void spk_tree_applied_clear(SpkTreeApplied *applied);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkTreeApplied, spk_tree_applied_clear)

/* All or nothing. `record` is called with the undo record *before* the first file is written
 * (to journal it); its FALSE stops everything. After a crash in between, the same call goes
 * on: files already written count as written, and the record is that of the first attempt.
 * CONFLICT when conflicts is not empty; the lists of *ret_applied are filled then too. */
typedef gboolean (*SpkTreeRecordFn)(json_t *record, gpointer user, GError **error);
gboolean spk_tree_apply(SpkTree *tree, const char *raw, const SpkTreeApply *how,
			SpkTreeRecordFn record, gpointer user, SpkCancel *cancel,
			SpkTreeApplied *ret_applied, GError **error);
/* Takes back exactly what the record says was written; CONFLICT with the list (and nothing
 * changed) when those places were edited since. Doing it twice is fine. */
gboolean spk_tree_undo(SpkTree *tree, json_t *record, SpkCancel *cancel,
		       SpkTreeApplied *ret_undone, GError **error);

/* ---- what becomes of it in the end (tree_drop.c) ---- */
/* Bytes on disk below a folder; -1: there is none. */
gint64 spk_tree_bytes(const char *path);

typedef enum {
	SPK_BRANCH_DROPPED,
	SPK_BRANCH_GONE,     /* there is no such branch, repository or folder any more */
	SPK_BRANCH_MOVED,    /* it is not at that commit any more */
	SPK_BRANCH_IN_USE,   /* checked out somewhere */
	SPK_BRANCH_UNMERGED, /* no other ref holds the commit */
} SpkTreeBranch;
/* Removes refs/heads/BRANCH of the user's repository, which must be at `commit`; `dry_run`:
 * only says what it would do. FALSE when that could not be found out. */
gboolean spk_tree_drop_branch(const char *folder, const char *branch, const char *commit,
			      gboolean even_unmerged, gboolean dry_run,
			      SpkTreeBranch *ret, SpkCancel *cancel, GError **error);

#endif
