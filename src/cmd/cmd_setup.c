/*
 * `sparks setup`: the command that tasks of a repository begin with. It is what `do --setup` has
 * remembered, or what was set here; never what a file of the repository says.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "box/tree.h"
#include "box/way_out.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "cmd/submit.h"
#include "store/setups.h"

static char *repository(const SpkArgs *args, char **ret_below, GError **error)
{
	const char *label;
	g_autofree char *folder =
		spk_submit_folder(spk_args_str(args, "repo"), &label, error);

	if (!folder)
		return NULL;
	if (!label)
		return spk_tree_top(folder, ret_below);
	spk_error_set(error, SPK_ERR_USAGE, "name a folder, such as .",
		      "--repo \"%s\" is no folder", label);
	return NULL;
}

static json_t *setup_to_json(const SpkSetup *setup)
{
	return json_pack("{s:o,s:o,s:o,s:O}", "repo", spk_json_text(setup->repo),
			 "folder", spk_json_text(setup->folder), "command",
			 spk_json_text(setup->command), "allow", setup->allow);
}

static void print(const SpkSetup *setup)
{
	const json_t *host;
	size_t i;

	printf("%s%s%s\n  %s\n", setup->repo, *setup->folder ? "/" : "", setup->folder,
	       setup->command);
	json_array_foreach(setup->allow, i, host)
		printf("  --allow %s\n", json_string_value(host));
}

static int run_list(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) list = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) all = json_array();
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	list = spk_setup_list(session.store, &error);
	if (!list)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	for (guint i = 0; i < list->len; i++) {
		if (session.json)
			json_array_append_new(all, setup_to_json(list->pdata[i]));
		else
			print(list->pdata[i]);
	}
	if (session.json)
		spk_cmd_print_json(all);
	else if (!list->len)
		printf("none is remembered: sparks setup set CMD, or do --setup CMD\n");
	return 0;
}

static json_t *texts_of(const char *const *texts)
{
	json_t *list = json_array();

	for (; *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

static int run_set(const SpkArgs *args)
{
	const char *command = spk_args_rest(args)[0];
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *below = NULL, *repo = NULL;
	g_autoptr(json_t) allow = texts_of(spk_args_list(args, "allow"));
	int code;

	if (!spk_session_open(&session, args, FALSE, &code))
		return code;
	if (!command[strspn(command, " \t\n")])
		spk_error_set(&error, SPK_ERR_USAGE, "sparks setup forget",
			      "the setup is empty");
	else if (spk_way_out_check(spk_args_list(args, "allow"), &error))
		repo = repository(args, &below, &error);
	if (!repo || !spk_setup_put(session.store,
				    &(SpkSetup){ .repo = repo,
						 .folder = below,
						 .command = (char *)command,
						 .allow = allow },
				    &error))
		return spk_cmd_fail(g_steal_pointer(&error), FALSE);
	return 0;
}

static int run_forget(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *below = NULL, *repo = NULL;
	gboolean was = FALSE;
	int code;

	if (!spk_session_open(&session, args, FALSE, &code))
		return code;
	repo = repository(args, &below, &error);
	if (repo && spk_setup_drop(session.store, repo, &was, &error) && !was)
		spk_error_set(&error, SPK_ERR_NOT_FOUND, "see `sparks setup list`",
			      "no setup is remembered for %s", repo);
	return error ? spk_cmd_fail(g_steal_pointer(&error), FALSE) : 0;
}

#define OPT_REPO                                                                     \
	{                                                                            \
		"repo", .type = SPK_CMD_STRING, .value = "PATH",                     \
			.sentence = "a folder of the repository (default: this one)" \
	}

static const SpkCmdOpt set_options[] = {
	{ "allow", .type = SPK_CMD_STRINGS, .value = "HOST[:PORT]",
	  .sentence = "let the setup reach this host, or a set like @npm" },
	OPT_REPO,
	{ NULL },
};

static const SpkCmdOpt forget_options[] = { OPT_REPO, { NULL } };

static const SpkCmd list = {
	.name = "list",
	.usage = "",
	.summary = "List the repositories that have a setup, with what it may reach.",
	.details = "--json: [{\"repo\",\"folder\",\"command\",\"allow\"}]",
	.example = "sparks setup list",
	.options = spk_only_json,
	.run = run_list,
};

static const SpkCmd set = {
	.name = "set",
	.usage = "CMD",
	.summary = "Let the tasks of this repository begin with a command.",
	.details = "It runs in the folder below the repository that you stand in. Put a "
		   "command of several words in quotes.",
	.example = "sparks setup set \"npm ci\" --allow @npm",
	.options = set_options,
	.min_args = 1,
	.max_args = 1,
	.run = run_set,
};

static const SpkCmd forget = {
	.name = "forget",
	.usage = "",
	.summary = "Let them begin without it again.",
	.example = "sparks setup forget",
	.options = forget_options,
	.run = run_forget,
};

static const SpkCmd *const subs[] = { &forget, &list, &set, NULL };

const SpkCmd spk_cmd_setup = {
	.name = "setup",
	.summary = "What is run in the sandbox before a task: list, set, forget.",
	.details =
		"`sparks do --setup CMD` remembers CMD when it has worked. What it leaves "
		"is there for commands and checks, and is part of no result.",
	.example = "sparks setup list",
	.subs = subs,
};
