#include "cmd/submit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/show/changes.h"
#include "cmd/show/consent.h"
#include "cmd/show/summary.h"
#include "cmd/ui.h"
#include "conf/prices.h"
#include "core/prune.h"
#include "llm/llm.h"
#include "tool/image.h"
#include "tool/tool.h"

#define SCRIPT	     "script:"
#define TIDY_MS	     2000
#define KIND_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
#define KIND_MAX     64

const SpkCmdOpt spk_submit_options[] = {
	{ "goal", .type = SPK_CMD_STRING, .value = "TEXT",
	  .sentence = "the goal, also as argument" },
	{ "ghost", "spark", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "who works on it (`sparks ghosts`)" },
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH|LABEL",
	  .sentence = "folder to work on, or a label for the current one" },
	{ "check", .type = SPK_CMD_STRINGS, .value = "CMD",
	  .sentence = "command that must pass at the end" },
	{ "allow", .type = SPK_CMD_STRINGS, .value = "HOST[:PORT]",
	  .sentence = "let commands and checks reach this host through the proxy; with "
		      "--setup: let that one alone" },
	{ "setup", .type = SPK_CMD_STRING, .value = "CMD",
	  .sentence = "run this in the sandbox first; remembered when it works" },
	{ "no-setup", .type = SPK_CMD_FLAG,
	  .sentence = "without the setup that is remembered for the repository" },
	{ "context", .type = SPK_CMD_STRING, .value = "TEXT",
	  .sentence = "what the model should know besides the goal" },
	{ "model", .type = SPK_CMD_STRING, .value = "[PROVIDER:]NAME|script:FILE",
	  .sentence = "model, or a play that answers in its place" },
	{ "budget-usd", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "dollars that the task may cost; at the limit it pauses" },
	{ "level", .type = SPK_CMD_STRING, .value = "LEVEL",
	  .sentence = "what the spark may do (`sparks autonomy show`), for this task" },
	{ "untrusted", .type = SPK_CMD_FLAG,
	  .sentence =
		  "the repository is of strangers: every effect outside its copy is asked "
		  "for" },
	{ "max-steps", .type = SPK_CMD_INT, .value = "N", .min = 1, .max = 1000,
	  .sentence = "most answers of the model" },
	{ "timeout-secs", .type = SPK_CMD_INT, .value = "N", .min = 1, .max = 604800,
	  .sentence = "most working time of the task" },
	{ "allow-test-changes", .type = SPK_CMD_FLAG,
	  .sentence = "tests may be changed; the verdict is then `review`" },
	{ "apply", .type = SPK_CMD_FLAG,
	  .sentence = "write the result into the working tree when its checks pass" },
	{ "detach", .type = SPK_CMD_FLAG, .sentence = "print the id and return at once" },
	{ "wait-secs", .type = SPK_CMD_INT, .value = "N", .min = 1, .max = 604800,
	  .sentence = "wait no longer than this; the task goes on" },
	{ "strict", .type = SPK_CMD_FLAG,
	  .sentence = "exit with 3 unless the verdict is `verified`" },
	{ "lane", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "label kept with the task, for example delivery" },
	{ "risk", .type = SPK_CMD_STRING, .value = "LEVEL", .choices = "low|medium|high",
	  .sentence = "label kept with the task" },
	{ "auto-store", .type = SPK_CMD_STRING, .value = "CATEGORY",
	  .sentence = "remember the answer, as a memory of this kind" },
	{ "no-memory", .type = SPK_CMD_FLAG,
	  .sentence = "without the memory: nothing is recalled, nothing learned" },
	{ "cli-tool", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence =
		  "let this agent program do it; with --model, as a tool of that model",
	  .choices = "claude_code|codex|opencode" },
	{ "cli-model", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "model of that program, in its own spelling" },
	SPK_OPT_JSON,
	{ NULL },
};

/* ---- the request ---- */

static const char *goal_of(const SpkArgs *args, GError **error)
{
	const char *flag = spk_args_str(args, "goal");
	const char *word = spk_args_rest(args)[0];
	const char *goal = flag ? flag : word;

	if (flag && word)
		spk_error_set(error, SPK_ERR_USAGE,
			      "put a goal of several words in quotes",
			      "the goal is given twice: \"%s\" and \"%s\"", flag, word);
	else if (!goal || !*goal)
		spk_error_set(error, SPK_ERR_USAGE, "sparks do \"make the tests pass\"",
			      "there is no goal");
	else
		return goal;
	return NULL;
}

char *spk_submit_folder(const char *repo, const char **ret_label, GError **error)
{
	gboolean path = repo && (strchr(repo, '/') || !strcmp(repo, ".") ||
				 g_file_test(repo, G_FILE_TEST_IS_DIR));
	char *cwd = getcwd(NULL, 0); /* where it is gone, g_get_current_dir() says "/" */
	g_autofree char *here = g_strdup(cwd);

	free(cwd);
	if (!here) {
		spk_error_set_errno(error, SPK_ERR_NOT_FOUND, errno,
				    "was it removed? cd to one that is there",
				    "the current folder cannot be told");
		return NULL;
	}
	*ret_label = path ? NULL : repo;
	if (!path)
		return g_steal_pointer(&here);
	if (!g_file_test(repo, G_FILE_TEST_IS_DIR)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "--repo takes a folder or a label", "there is no folder %s",
			      repo);
		return NULL;
	}
	return g_canonicalize_filename(repo, here);
}

gboolean spk_submit_model(const char *given, char **ret_model, GError **error)
{
	const char *file =
		given && g_str_has_prefix(given, SCRIPT) ? given + strlen(SCRIPT) : NULL;
	g_autofree char *path = NULL;

	if (given && (!*given || (file && !*file))) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "--model NAME, or --model script:FILE",
			      "--model \"%s\" names nothing", given);
		return FALSE;
	}
	path = file ? g_canonicalize_filename(file, NULL) : NULL;
	*ret_model = file ? g_strconcat(SCRIPT, path, NULL) : g_strdup(given);
	return TRUE;
}

static void copy_text(const SpkArgs *args, const char *flag, json_t *options)
{
	const char *text = spk_args_str(args, flag);

	if (text)
		spk_json_set(options, flag, spk_json_text(text));
}

static json_t *texts_of(const char *const *texts)
{
	json_t *list = json_array();

	for (; *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

/* An agent program gets the goal itself, and no model of ours is asked. */
static gboolean is_delegated(const SpkArgs *args)
{
	return spk_args_str(args, "cli-tool") && !spk_args_str(args, "model");
}

static json_t *options_of(const SpkArgs *args, const char *model)
{
	json_t *options = json_object();
	const char *const *check = spk_args_list(args, "check");
	const char *const *allow = spk_args_list(args, "allow");
	const char *setup = spk_args_str(args, "setup");

	spk_json_set(options, "checks", texts_of(check));
	if (setup)
		spk_json_set(options, "setup",
			     json_pack("{s:o,s:o,s:b}", "command", spk_json_text(setup),
				       "allow", texts_of(allow), "remember", TRUE));
	else if (*allow)
		spk_json_set(options, "allow", texts_of(allow));
	if (spk_args_flag(args, "no-setup"))
		spk_json_set(options, "no_setup", json_true());
	copy_text(args, "context", options);
	copy_text(args, "lane", options);
	copy_text(args, "risk", options);
	if (model)
		spk_json_set(options, "model", spk_json_text(model));
	if (spk_args_str(args, "cli-tool"))
		spk_json_set(options, "cli_tool",
			     json_string(spk_args_str(args, "cli-tool")));
	if (spk_args_str(args, "cli-model"))
		spk_json_set(options, "cli_model",
			     spk_json_text(spk_args_str(args, "cli-model")));
	if (spk_args_yes(args)) /* whoever runs it, it was said by this user */
		spk_json_set(options, "yes", spk_json_text(g_get_user_name()));
	if (is_delegated(args))
		spk_json_set(options, "strategy", json_string("delegate"));
	copy_text(args, "level", options);
	if (spk_args_flag(args, "no-memory"))
		spk_json_set(options, "no_memory", json_true());
	if (spk_args_str(args, "auto-store"))
		spk_json_set(options, "auto_store",
			     spk_json_text(spk_args_str(args, "auto-store")));
	if (spk_args_flag(args, "untrusted"))
		spk_json_set(options, "untrusted", json_string("--untrusted"));
	if (spk_args_has(args, "max-steps"))
		spk_json_set(options, "max_steps",
			     json_integer(spk_args_int(args, "max-steps", 0)));
	if (spk_args_has(args, "timeout-secs"))
		spk_json_set(options, "timeout_secs",
			     json_integer(spk_args_int(args, "timeout-secs", 0)));
	spk_json_set(options, "strict", json_boolean(spk_args_flag(args, "strict")));
	spk_json_set(options, "allow_test_changes",
		     json_boolean(spk_args_flag(args, "allow-test-changes")));
	return options;
}

/* Nothing is queued that nobody could answer. */
static gboolean has_model(SpkConf *conf, const char *model, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkLlm) llm = spk_llm_open(conf, model, &why);
	g_autofree char *hint = NULL;

	if (llm)
		return TRUE;
	if (model || !spk_error_is(why, SPK_ERR_CONFIG)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	hint = g_strdup_printf("%s; `sparks demo` needs none", spk_error_hint(why));
	spk_error_set(error, SPK_ERR_CONFIG, hint, "%s", why->message);
	return FALSE;
}

/* That program, or one that would take over from it. */
static gboolean has_agent(SpkConf *conf, const char *tool, GError **error)
{
	g_auto(GStrv) others = spk_conf_list(conf, "cli.fallback");
	g_autofree char *why = spk_tool_find(tool)->absent(conf);

	for (char **name = others; why && *name; name++) {
		const SpkTool *other = spk_tool_is_cli(*name) ? spk_tool_find(*name)
							      : NULL;
		g_autofree char *absent = other ? other->absent(conf) : NULL;

		if (other && !absent)
			return TRUE;
	}
	if (why)
		spk_error_set(error, SPK_ERR_CONFIG,
			      "`sparks doctor` tells which agent programs there are",
			      "--cli-tool %s: %s", tool, why);
	return !why;
}

static gboolean has_spark_for(SpkConf *conf, const SpkArgs *args, GError **error)
{
	const char *name = spk_args_str(args, "ghost");
	const char *tool = spk_args_str(args, "cli-tool");
	g_autoptr(SpkSpark) spark = spk_spark_find(conf, name ? name : "coder", error);

	if (!spark)
		return FALSE;
	if (!tool || !spark->read_only)
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "name another spark, as in --ghost coder",
		      "--cli-tool %s: the spark %s only reads", tool, spark->name);
	return FALSE;
}

/* Who answers: a model of ours, or the agent program. */
static gboolean has_worker(SpkConf *conf, const SpkArgs *args, const char *model,
			   GError **error)
{
	const char *tool = spk_args_str(args, "cli-tool");

	if (!tool && spk_args_str(args, "cli-model") &&
	    !strcmp(spk_conf_str(conf, "cli.tool"), "none")) {
		spk_error_set(error, SPK_ERR_USAGE, "name the program with --cli-tool",
			      "--cli-model names a model of no program");
		return FALSE;
	}
	return (is_delegated(args) || has_model(conf, model, error)) &&
	       (!tool || has_agent(conf, tool, error));
}

/* Nothing is queued either that no sandbox could hold. A daemon has opened its own. */
static gboolean has_runner(SpkSession *session, const json_t *options, SpkFollow *how,
			   GError **error)
{
	how->runner = spk_follow_choose(session, options, how->detach);
	return how->runner == SPK_RUN_DAEMON || spk_core_ready(session->core, error);
}

/* Said at once, and not by an answer that was guessed. */
static void tell_of_images(const char *goal, const char *context, const char *folder)
{
	const char *const texts[] = { goal, context };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *image = texts[i] ? spk_image_named(texts[i], folder)
						  : NULL;

		if (image)
			spk_warn("submit",
				 SPK_IMAGE_NOT_SHOWN
				 ": it will not see %s. Say in words what matters in it.",
				 image);
	}
}

gboolean spk_submit_budget(const SpkArgs *args, json_t *options, GError **error)
{
	const char *usd = spk_args_str(args, "budget-usd");
	gint64 nano;

	if (!usd)
		return TRUE;
	if (!spk_usd_parse(usd, &nano) || !nano) {
		spk_error_set(error, SPK_ERR_USAGE, "dollars, like 2 or 0.50",
			      "--budget-usd \"%s\" is not an amount", usd);
		return FALSE;
	}
	spk_json_set(options, "budget_usd", json_real((double)nano / SPK_NANO_USD));
	return TRUE;
}

static gboolean check_setup(const SpkArgs *args, GError **error)
{
	const char *setup = spk_args_str(args, "setup");
	gboolean without = spk_args_flag(args, "no-setup");

	if (!setup || (!without && setup[strspn(setup, " \t\n")]))
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE,
		      "--no-setup alone leaves the remembered one out",
		      without ? "--setup and --no-setup contradict each other"
			      : "the setup is empty");
	return FALSE;
}

/* It becomes a word that people type. */
static gboolean check_memory(const SpkArgs *args, GError **error)
{
	const char *kind = spk_args_str(args, "auto-store");
	gboolean without = spk_args_flag(args, "no-memory");
	gsize len = kind ? strspn(kind, KIND_LETTERS) : 0;

	if (!kind || (!without && len && !kind[len] && len <= KIND_MAX))
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE,
		      without ? "leave one of them out"
			      : "one word of letters, digits, - and _, as in "
				"--auto-store fact",
		      without ? "--auto-store and --no-memory contradict each other"
			      : "--auto-store \"%s\" is no kind of memory",
		      kind);
	return FALSE;
}

static char *accept(SpkSession *session, const SpkArgs *args, SpkFollow *how,
		    GError **error)
{
	const char *spark = spk_args_str(args, "ghost"), *label = NULL;
	const char *goal = goal_of(args, error);
	g_autofree char *folder =
		goal ? spk_submit_folder(spk_args_str(args, "repo"), &label, error)
		     : NULL;
	g_autofree char *model = NULL;
	g_autoptr(json_t) options = NULL;

	if (!folder || !has_spark_for(session->conf, args, error) ||
	    !spk_way_out_check(spk_args_list(args, "allow"), error) ||
	    !check_setup(args, error) || !check_memory(args, error) ||
	    !spk_submit_model(spk_args_str(args, "model"), &model, error) ||
	    !has_worker(session->conf, args, model, error))
		return NULL;
	tell_of_images(goal, spk_args_str(args, "context"), folder);
	options = options_of(args, model);
	if (!spk_submit_budget(args, options, error))
		return NULL;
	if (!has_runner(session, options, how, error))
		return NULL;
	return spk_core_accept(session->core,
			       &(SpkRequest){ .goal = goal,
					      .spark = spark,
					      .folder = folder,
					      .label = label,
					      .options = options,
					      .apart = how->runner == SPK_RUN_APART },
			       error);
}

/* ---- the end ---- */

/* No task was made: with --json the same object as ever, without a task in it. */
static int refuse(SpkSession *session, const SpkArgs *args, GError *take_error)
{
	const char *flag = spk_args_str(args, "goal"), *word = spk_args_rest(args)[0];
	g_autoptr(json_t) why = spk_cmd_error_to_json(take_error), report = NULL;
	SpkTask none = { .goal = (char *)(flag ? flag : word),
			 .spark = (char *)spk_args_str(args, "ghost"),
			 .cost_usd = -1,
			 .error = why };

	if (session->json) {
		report = spk_core_report(session->core, &none, FALSE, NULL);
		spk_cmd_print_json(report);
	}
	return spk_cmd_fail(take_error, FALSE);
}

/* The folder too: --repo, or where one stands, may not be what one meant. */
static char *task_words(SpkSession *session, const char *id)
{
	g_autoptr(SpkTask) task = spk_task_get(session->store, id, NULL);

	return task && task->repo ? g_strdup_printf("%s in %s", id, task->repo)
				  : g_strdup(id);
}

/* --apply: only what its checks vouch for, and what runs code elsewhere only when asked. */
static gboolean apply_result(SpkSession *session, const SpkArgs *args, const char *id,
			     GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(session->store, id, error);
	g_autoptr(SpkTrail) trail = task ? spk_trail_read(session->store, id, error)
					 : NULL;
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autoptr(json_t) law = NULL;

	if (!trail)
		return FALSE;
	if (spk_core_exit_code(task, spk_args_flag(args, "strict")) != 0 ||
	    !trail->result || !g_strcmp0(trail->base, trail->result))
		return TRUE; /* nothing to write; the summary says how the task ended */
	if (!spk_args_yes(args) && !spk_consent_unasked(task, error))
		return FALSE;
	law = spk_consent_to_apply(session->store, task, trail,
				   spk_args_yes(args) ? SPK_CONSENT_YES : SPK_CONSENT_ASK,
				   error);
	return law && spk_changes_apply(session->core, task, trail, &(SpkTreeApply){ 0 },
					law, cancel, &applied, error);
}

/* The day's housekeeping, by who has just waited for a task anyway. */
static void tidy(SpkSession *session, const SpkFollow *how)
{
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autofree char *said = NULL;

	if (how->runner == SPK_RUN_DAEMON)
		return; /* it does its own */
	said = spk_core_tidy(session->core, TIDY_MS, cancel);
	if (said)
		fprintf(stderr, "sparks: %s\n", said);
}

static int finish(SpkSession *session, const SpkArgs *args, const char *id,
		  GError *take_error)
{
	gboolean strict = spk_args_flag(args, "strict");
	g_autoptr(GError) error = take_error;
	int code, apply_code;

	if (error || !spk_args_flag(args, "apply"))
		return spk_submit_close(session, id, strict, g_steal_pointer(&error));
	(void)apply_result(session, args, id, &error);
	apply_code = error ? spk_err_info(spk_error_code(error))->exit_code : 0;
	code = spk_submit_close(session, id, strict, g_steal_pointer(&error));
	return code ? code : apply_code;
}

int spk_submit(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkProgress) progress = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *id = NULL, *words = NULL;
	SpkFollow how = { .detach = spk_args_flag(args, "detach"),
			  .wait_secs = spk_args_int(args, "wait-secs", 0) };
	int code = 0;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	id = accept(&session, args, &how, &error);
	if (!id)
		return refuse(&session, args, g_steal_pointer(&error));
	progress = spk_progress_new(STDERR_FILENO);
	words = task_words(&session, id);
	if (!how.detach)
		spk_progress_say(progress, "bold", "task", words);
	(void)spk_follow_run(&session, args, id, &how, progress, &error);
	g_clear_pointer(&progress, spk_progress_free);
	if (how.detach && !error)
		return spk_submit_detached(&session, id);
	code = finish(&session, args, id, g_steal_pointer(&error));
	tidy(&session, &how);
	return code;
}
