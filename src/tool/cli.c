/*
 * claude_code, codex, opencode: an agent program of somebody else does a piece of work in the box.
 * A failure that may pass is tried once more from the same files, another program may take over;
 * both bounded, and by one table (cli_contract.h).
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "tool/cli_run_priv.h"

#define PROMPT_MAX  200000
#define CONTEXT_MAX 200000
#define FILES_MAX   200
#define RETRY_MS \
	2000 /* before the same program is run again; the second time twice that */
#define SHOWN_MAX     40 /* paths in the text for the model */
#define PROBLEM_SHOWN 600

/* ---- what it is asked ---- */

static gboolean add_files(const SpkToolCtx *ctx, const json_t *files, GString *prompt,
			  GError **error)
{
	const json_t *file;
	gsize i;

	if (json_array_size(files))
		g_string_append(prompt, "\n\nFiles to begin with:");
	json_array_foreach(files, i, file) {
		g_autofree char *path = path_resolve(ctx, json_string_value(file), error);
		g_autofree char *shown = path ? path_show(ctx, path) : NULL;

		if (!path)
			return FALSE;
		g_string_append_printf(prompt, "\n- %s", shown);
	}
	return TRUE;
}

static char *prompt_of(const SpkToolCtx *ctx, const json_t *args, GError **error)
{
	g_autoptr(GString) prompt = g_string_new(spk_json_str(args, "prompt"));
	const char *context = spk_json_str(args, "context");

	if (context && *context)
		g_string_append_printf(prompt, "\n\nContext:\n%s", context);
	if (!add_files(ctx, json_object_get(args, "files"), prompt, error))
		return NULL;
	return g_string_free(g_steal_pointer(&prompt), FALSE);
}

/* ---- what it answers ---- */

static void add_changed(GString *text, const CliEnd *end)
{
	if (!end->changed)
		return;
	if (!end->n_changed) {
		g_string_append(text, "No file was changed.\n");
		return;
	}
	g_string_append_printf(text, "Files changed: %u\n", end->n_changed);
	for (guint i = 0; i < end->changed->len && i < SHOWN_MAX; i++) {
		g_autofree char *path =
			spk_text_clean(end->changed->pdata[i], -1, SPK_CLEAN_LINE);

		g_string_append_printf(text, "- %s\n", path);
	}
	if (end->n_changed > SHOWN_MAX)
		g_string_append_printf(text, "- … and %u more\n",
				       end->n_changed - SHOWN_MAX);
}

/* No times in it: equal runs give equal texts. */
static void add_end(GString *text, const CliAttempt *attempt, const CliEnd *end)
{
	const CliCauseInfo *info = cli_cause_info(end->cause);
	g_autofree char *problem =
		end->problem ? spk_text_clip(end->problem, PROBLEM_SHOWN) : NULL;

	g_string_append_printf(text, "%s: %s: %s", attempt->cli->tool,
			       cli_status_name(info->status), info->sentence);
	if (info->code && problem)
		g_string_append_printf(text, ": %s", problem);
	if (end->exit_code > 0)
		g_string_append_printf(text, " (exit code %d)", end->exit_code);
	g_string_append_c(text, '\n');
}

static void add_tail(GString *text, const CliAttempt *attempt, const CliEnd *end)
{
	g_autofree char *line = cli_contract_line(attempt->cli->tool, end->cause,
						  end->exit_code, end->timeout_secs);

	add_changed(text, end);
	if (end->words && *end->words)
		g_string_append_printf(text, "\n%s\n", end->words);
	else if (line && end->err && *end->err)
		g_string_append_printf(text, "\nstderr:\n%.2000s\n", end->err);
	if (line)
		g_string_append_printf(text, "\n%s", line);
}

/* ---- retry and fallback ---- */

static gboolean may_take_over(const SpkToolCtx *ctx, const Cli *cli, gboolean from_local)
{
	g_autofree char *why = NULL;

	if (cli_obstacle(ctx->conf, cli, NULL, &why) != CLI_CAUSE_DONE)
		return FALSE;
	return !from_local || spk_conf_bool(ctx->conf, "llm.fallback_to_cloud") ||
	       cli_is_local(ctx->conf, cli, NULL);
}

/* The next of [cli] fallback that this task may use, was not tried and is here. What a server on
 * this machine was to see does not go to the cloud. */
static const Cli *next_of(const SpkToolCtx *ctx, const CliAttempt *before, guint tried,
			  guint *ret_bit)
{
	g_auto(GStrv) order = spk_conf_list(ctx->conf, "cli.fallback");
	gboolean from_local = cli_is_local(ctx->conf, before->cli, before->model);

	for (char **name = order; *name; name++)
		for (guint i = 0; cli_table[i]; i++) {
			if (strcmp(cli_table[i]->tool, *name) != 0 || tried & 1u << i ||
			    !g_strv_contains(ctx->names, *name) ||
			    !may_take_over(ctx, cli_table[i], from_local))
				continue;
			*ret_bit = 1u << i;
			return cli_table[i];
		}
	return NULL;
}

typedef struct {
	const SpkToolCtx *ctx;
	CliAttempt attempt;
	guint again; /* attempts of this program before */
	guint tried; /* a bit for each program */
	GString *text;
	json_t *earlier; /* envelopes of the attempts before the last */
} Work;

/* TRUE: *ret_more says whether there is another attempt, which is prepared. */
static gboolean decide(Work *work, const CliEnd *end, SpkCancel *cancel,
		       gboolean *ret_more, GError **error)
{
	const SpkToolCtx *ctx = work->ctx;
	guint retries = (guint)spk_conf_int(ctx->conf, "cli.retries"), bit = 0;
	const Cli *next = cli_cause_info(end->cause)->fallback
				  ? next_of(ctx, &work->attempt, work->tried, &bit)
				  : NULL;
	CliDecision decision = cli_decide(end->cause, work->again, retries, next != NULL);

	*ret_more = decision != CLI_STOP;
	if (!*ret_more)
		return TRUE;
	add_end(work->text, &work->attempt, end);
	json_array_append_new(work->earlier, cli_envelope(ctx, &work->attempt, end));
	/* each attempt begins with the same files */
	if (end->tree && !spk_tree_restore(ctx->tree, ctx->last_tree, cancel, error))
		return FALSE;
	work->attempt.number++;
	if (decision == CLI_AGAIN) {
		work->again++;
		g_string_append(work->text, "It is run again.\n");
		spk_sleep_ms(RETRY_MS * (gint64)work->again, cancel);
	} else {
		work->again = 0;
		work->tried |= bit;
		work->attempt.cli = next;
		work->attempt.model = NULL; /* it was the other one's */
		g_string_append_printf(work->text, "%s takes over.\n", next->tool);
	}
	return spk_cancel_check(cancel, error);
}

static void answer(Work *work, const CliEnd *end, SpkToolResult *result)
{
	CliStatus status = cli_cause_info(end->cause)->status;

	add_end(work->text, &work->attempt, end);
	add_tail(work->text, &work->attempt, end);
	result->text = g_strdup(work->text->str);
	result->ok = status == CLI_SUCCEEDED || status == CLI_NO_WORK;
	result->meta =
		json_pack("{s:o}", "cli", cli_envelope(work->ctx, &work->attempt, end));
	if (end->blocked)
		spk_json_set(result->meta, "blocked", json_deep_copy(end->blocked));
	if (json_array_size(work->earlier))
		spk_json_set(result->meta, "earlier", json_incref(work->earlier));
}

static gboolean work_on(Work *work, SpkCancel *cancel, SpkToolResult *result,
			GError **error)
{
	gboolean more = TRUE;

	while (more) {
		g_auto(CliEnd) end = { 0 };

		if (!cli_attempt(work->ctx, &work->attempt, cancel, &end, error) ||
		    !decide(work, &end, cancel, &more, error))
			return FALSE;
		if (!more)
			answer(work, &end, result);
	}
	return TRUE;
}

/* ---- the tools ---- */

static guint bit_of(const Cli *cli)
{
	guint i = 0;

	while (cli_table[i] != cli)
		i++;
	return 1u << i;
}

static const char *model_of(const SpkToolCtx *ctx)
{
	const char *model = ctx->cli_model ? ctx->cli_model
					   : spk_conf_str(ctx->conf, "cli.model");

	return *model ? model : NULL;
}

static gboolean run_cli(const SpkToolCtx *ctx, const Cli *cli, const json_t *args,
			SpkCancel *cancel, SpkToolResult *ret_result, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *prompt = prompt_of(ctx, args, &problem);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(json_t) earlier = json_array();
	Work work = { .ctx = ctx,
		      .attempt = { .cli = cli, .model = model_of(ctx), .prompt = prompt },
		      .tried = bit_of(cli),
		      .text = text,
		      .earlier = earlier };

	if (!prompt)
		return result_fail(ret_result, g_steal_pointer(&problem), error);
	if (ctx->read_only) {
		result_refuse(ret_result,
			      "this spark cannot change files, so it has no use of %s",
			      cli->title);
		return TRUE;
	}
	return work_on(&work, cancel, ret_result, error);
}

static char *absent_cli(SpkConf *conf, const Cli *cli)
{
	char *why = NULL;

	/* a wrong model is told when it is called */
	switch (cli_obstacle(conf, cli, NULL, &why)) {
	case CLI_CAUSE_DONE:
	case CLI_CAUSE_REFUSED:
		g_free(why);
		return NULL;
	default:
		return why;
	}
}

gboolean spk_tool_is_cli(const char *name)
{
	return cli_find(name) != NULL;
}

gboolean spk_tool_cli_fail(const json_t *meta, const char *text, GError **error)
{
	const json_t *cli = json_object_get(meta, "cli");
	const CliCauseInfo *info = cli_cause_find(spk_json_str(cli, "cause"));
	const char *tool = spk_json_str(cli, "tool");
	const char *problem = spk_json_str(cli, "problem");
	g_autofree char *shown = problem ? spk_text_clip(problem, PROBLEM_SHOWN) : NULL;

	if (!info || !tool) {
		g_autofree char *line = spk_text_clip(text, PROBLEM_SHOWN);

		spk_error_set(error, SPK_ERR_FAILED, NULL, "%s", line);
		return FALSE;
	}
	spk_error_set(
		error, info->err,
		"`sparks tasks log ID` has its words; `sparks tasks resume ID` runs "
		"it again where the task is paused",
		"%s: %s%s%s", tool, info->sentence, shown ? ": " : "",
		shown ? shown : "");
	return FALSE;
}

static const SpkToolArg arguments[] = {
	{ "prompt", SPK_ARG_STRING, TRUE, 0, PROMPT_MAX,
	  "what to do, whole and by itself: it knows nothing of this conversation" },
	{ "context", SPK_ARG_STRING, FALSE, 0, CONTEXT_MAX,
	  "what it should know besides" },
	{ "files", SPK_ARG_STRINGS, FALSE, 0, FILES_MAX,
	  "paths of files that it should begin with" },
	{ NULL },
};

#define CLI_TOOL(NAME, TITLE)                                                            \
	static gboolean run_##NAME(const SpkToolCtx *ctx, const json_t *args,            \
				   SpkCancel *cancel, SpkToolResult *ret_result,         \
				   GError **error)                                       \
	{                                                                                \
		return run_cli(ctx, cli_find(#NAME), args, cancel, ret_result, error);   \
	}                                                                                \
	static char *absent_##NAME(SpkConf *conf)                                        \
	{                                                                                \
		return absent_cli(conf, cli_find(#NAME));                                \
	}                                                                                \
	const SpkTool tool_##NAME = {                                                    \
		.name = #NAME,                                                           \
		.sentence = "Gives a piece of work to " TITLE                            \
			    ", an agent program that reads, edits and runs commands in " \
			    "the same folder and sandbox by itself, for up to an hour. " \
			    "Returns how it ended, the files that it changed, and its "  \
			    "last words. Look at what it did before you rely on it.",    \
		.args = arguments,                                                       \
		.effect = SPK_EFFECT_UNSAFE,                                             \
		.writes = TRUE,                                                          \
		.does = SPK_DOES(EDIT) | SPK_DOES(COMMAND) | SPK_DOES(EGRESS) |          \
			SPK_DOES(SECRET),                                                \
		.deed = SPK_DEED_AGENT,                                                  \
		.absent = absent_##NAME,                                                 \
		.run = run_##NAME,                                                       \
	}

CLI_TOOL(claude_code, "Claude Code");
CLI_TOOL(codex, "Codex");
CLI_TOOL(opencode, "opencode");
