/*
 * git: one git command in the box, on the box's throw-away repository, within the rules of
 * spk_guard_git().
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/json.h"
#include "guard/guard.h"

/* The list as an argv with room for `before` words in front. */
static const char **to_argv(const json_t *list, gsize before)
{
	const char **argv = g_new0(const char *, before + json_array_size(list) + 1);
	gsize i;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
		argv[before + i] = json_string_value(item);
	return argv;
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	g_autofree const char **argv = to_argv(json_object_get(args, "args"), 2);
	const char **words = argv + 2;
	g_autofree char *reason = NULL;

	if (words[0] && !strcmp(words[0], "git")) /* models write the whole line */
		words++;
	if (!spk_guard_git(words, &reason)) {
		result_refuse(ret_result, "%s", reason);
		return TRUE;
	}
	*--words = "--no-pager";
	*--words = "git";
	return boxed_run(ctx, words, 0, cancel, ret_result, error);
}

const SpkTool tool_git = {
	.name = "git",
	.sentence =
		"Runs one git command, without a shell, on a private copy of the repository. "
		"Reading, add, commit, restore, checkout, branch, stash, merge and the like "
		"work; network, rewriting of history and configuration are refused. The "
		"result of the task is what the files are at the end, committed or not.",
	.args =
		(const SpkToolArg[]){
			{ "args", SPK_ARG_STRINGS, TRUE, 0, 200,
			  "the words after git, each on its own: [\"log\", \"--oneline\", \"-5\"]" },
			{ NULL },
		},
	.effect = SPK_EFFECT_UNSAFE,
	.writes = TRUE,
	.restores = TRUE,
	.deed = SPK_DEED_GIT,
	.subject = "args",
	.run = run,
};
