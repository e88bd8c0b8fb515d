/*
 * What the tools of this room share: words for results, paths below the work tree, lists of
 * files. A tool writes plain text into its result; spk_tool_call() cleans and bounds it.
 */
#ifndef SPK_TOOL_TOOL_PRIV_H
#define SPK_TOOL_TOOL_PRIV_H

#include <sys/stat.h>

#include "tool/tool.h"

/* Largest file that file_read, file_edit and file_search take, in bytes. */
#define TOOL_FILE_MAX (16u << 20)

extern const SpkTool tool_file_read, tool_file_write, tool_file_edit, tool_file_list,
	tool_file_search, tool_shell, tool_git, tool_finish, tool_claude_code, tool_codex,
	tool_opencode, tool_memory_search, tool_memory_save;

/* For who writes a placeholder where there is nothing to put in its place. */
#define PLACEHOLDER_HELP                                                                       \
	"and this file has none by that name now. Read the file again; move a secret between " \
	"files with the shell; or have the program take it from its environment"

/* ---- result.c ---- */
void result_say(SpkToolResult *result, const char *format, ...) G_GNUC_PRINTF(2, 3);
void result_refuse(SpkToolResult *result, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What went wrong with the call becomes words with the hint (TRUE); what ends the task goes up
 * (FALSE). Takes `problem`. */
gboolean result_fail(SpkToolResult *result, GError *take_problem, GError **error);
/* Bytes of text a model gets to see of one call. */
gsize result_cap(const SpkToolCtx *ctx);
/* Cleans the text; past the cap the whole goes to the spill file and head and tail stay. */
gboolean result_bound(const SpkToolCtx *ctx, SpkToolResult *result, GError **error);

/* ---- spill.c ---- */
/* Path of this step's spill file; its folder is made. */
char *spill_path(const SpkToolCtx *ctx, GError **error);
/* Call it when that file is written: the number to name it by. An earlier step's when that has
 * the same content, so that equal runs give equal results (the loop guard compares them). */
gint64 spill_settle(const SpkToolCtx *ctx);
/* Path of the file that "spill:STEP" names, or NULL when `name` isn't of that form. */
char *spill_lookup(const SpkToolCtx *ctx, const char *name);

/* ---- path.c: every path here was given by a model ---- */
/* Relative to the top of the work tree, without "." and ".."; "" is the top. BAD_INPUT, or
 * POLICY for what lies outside, for .git, and for sensitive names. */
char *path_resolve(const SpkToolCtx *ctx, const char *path, GError **error);
/* Whether its name says so; relative to the top. */
gboolean path_is_secret(const SpkToolCtx *ctx, const char *rel);
/* How a path relative to the top is written for the model: from the folder it stands in. */
char *path_show(const SpkToolCtx *ctx, const char *rel);
/* Opens a regular file for reading. *ret_real: its path after symlinks, checked like the
 * path itself. NOT_FOUND with the nearest name; BAD_INPUT for what is no regular file. */
int path_open_file(const SpkToolCtx *ctx, const char *rel, char **ret_real,
		   struct stat *ret_st, GError **error);
/* The folder's own path after symlinks, relative to the top. */
char *path_real_folder(const SpkToolCtx *ctx, const char *rel, GError **error);
/* Replaces the file in one step, or creates it and its parents; keeps permission bits. A
 * symlink that stays below the work tree is followed. POLICY for a read-only spark. */
gboolean path_write(const SpkToolCtx *ctx, const char *rel, const char *data, gsize len,
		    gboolean *ret_created, GError **error);

/* ---- listing.c ---- */
/* Files below a folder (as path_real_folder() gives it) that git doesn't ignore, relative to
 * the top, sorted; those matching `glob` when it isn't NULL ("*.c": at any depth; with a
 * slash: from the folder). GPtrArray of char *. */
GPtrArray *listing_files(const SpkToolCtx *ctx, const char *folder, const char *glob,
			 SpkCancel *cancel, GError **error);

/* ---- near.c ---- */
/* Why `wanted` isn't in `text` (both NUL-terminated): the places that differ in white space
 * only, else the most similar line. Words for the model. */
char *near_explain(const char *text, const char *wanted);

/* ---- schema.c ---- */
json_t *schema_of(const SpkTool *tool);

/* ---- boxed.c ---- */
/* A run in the box where the model stands, but for the command. */
typedef struct {
	SpkBoxRun run; /* points into the rest and into ctx */
	const char *readable[2];
	char **env, *folder;
	GPtrArray *lent;
} BoxedCall;
void boxed_call_clear(BoxedCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BoxedCall, boxed_call_clear)
/* `more_env`: variables besides the usual, or NULL. Fills *ret_call in place, which must not be
 * copied: its parts point at each other. */
gboolean boxed_prepare(const SpkToolCtx *ctx, const char *const *more_env,
		       BoxedCall *ret_call, GError **error);
/* Runs argv in the box, where the model stands; exit code and output (head and tail) become
 * the result. timeout_ms 0: the box's own limit. A read-only spark's run can't write. */
gboolean boxed_run(const SpkToolCtx *ctx, const char *const *argv, gint64 timeout_ms,
		   SpkCancel *cancel, SpkToolResult *ret_result, GError **error);

#endif
