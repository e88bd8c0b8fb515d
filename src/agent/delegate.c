/*
 * Strategy `delegate`: an agent program of somebody else does the whole of the work (--cli-tool);
 * no model of ours is asked. Snapshots, checks and verdict are those of any other task.
 */
#include <string.h>

#include "agent/agent_impl.h"
#include "agent/recall.h"
#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "tool/tool.h"

static const char rules[] =
	"\n\nThis folder is a private copy in a sandbox; commands have no network of their own. Make "
	"the change, run the tests, and say at the end in a few words what you did. Never weaken a "
	"test to make it pass. Do not commit: whoever started you looks at the files.";

static const char *tool_of(SpkRun *run)
{
	const char *tool = spk_json_str(run->env.task->options, "cli_tool");

	return tool ? tool : spk_conf_str(run->env.conf, "cli.tool");
}

static gboolean open_work(SpkRun *run, GError **error)
{
	g_auto(GStrv) checks = spk_verify_checks(run, error);
	g_autoptr(GString) text = g_string_new(run->env.task->goal);
	const char *memory = "";

	if (!checks || !run_recall(run, &memory, error))
		return FALSE;
	run_add_context(run, text);
	if (*memory)
		g_string_append_printf(text, "\n\n%s", memory);
	if (checks[0])
		g_string_append(text, "\n\nThese commands must pass at the end:");
	for (char **check = checks; *check; check++)
		g_string_append_printf(text, "\n- %s", *check);
	g_string_append(text, rules);
	run_say(run, "user", text->str);
	return TRUE;
}

/* The goal, and below it what failed last. */
static json_t *call_of(SpkRun *run)
{
	gsize n = json_array_size(run->messages);
	const char *goal = spk_json_str(json_array_get(run->messages, 0), "content");
	const char *last = spk_json_str(json_array_get(run->messages, n - 1), "content");
	g_autofree char *prompt = n > 1 ? g_strconcat(goal, "\n\n", last, NULL)
					: g_strdup(goal);
	g_autofree char *id = g_strdup_printf("delegate-%u", run->turn);
	g_autoptr(json_t) args = json_pack("{s:o}", "prompt", spk_json_text(prompt));
	g_autofree char *arguments = spk_json_dump(args);

	return json_pack("{s:s,s:s,s:s}", "id", id, "name", tool_of(run), "arguments",
			 arguments);
}

static const json_t *result_of(SpkRun *run, guint turn)
{
	g_autofree char *key = g_strdup_printf("%u/0", turn);

	return run_recorded(run, "tool.result", key);
}

static void finish(const json_t *result, SpkOutcome *outcome)
{
	const json_t *cli = json_object_get(json_object_get(result, "meta"), "cli");
	const char *words = spk_json_str(cli, "message");

	outcome->end = SPK_END_FINISHED;
	outcome->summary = words && *words
				   ? g_strdup(words)
				   : g_strdup_printf("%s ended without a word.",
						     spk_json_str(result, "name"));
}

/* One call; *ret_done: it ended well. A failure that is news ends the run, one on record is what
 * whoever resumes the task wants to get past. */
static gboolean step(SpkRun *run, SpkOutcome *outcome, gboolean *ret_done, GError **error)
{
	g_autoptr(json_t) call = call_of(run);
	guint turn = run->turn++;
	gboolean old = result_of(run, turn) != NULL;
	g_auto(StepTool) result = { 0 };
	const json_t *record;

	if (!spk_step_tool(run, call, 0, &result, error))
		return FALSE;
	if ((guint)run->env.task->steps < run->turn && !run_save_counts(run, error))
		return FALSE;
	record = result_of(run, turn);
	*ret_done = result.ok;
	if (result.ok)
		finish(record, outcome);
	if (result.ok || old || spk_json_bool(record, "unknown", FALSE))
		return TRUE;
	return spk_tool_cli_fail(json_object_get(record, "meta"), result.text, error);
}

static gboolean delegate_run(SpkRun *run, SpkOutcome *ret_outcome, GError **error)
{
	gboolean done = FALSE;

	if (!json_array_size(run->messages) && !open_work(run, error))
		return FALSE;
	/* what is on record is returned whatever the limits say */
	while (!done && (result_of(run, run->turn) || !run_at_limit(run, ret_outcome)))
		if (!step(run, ret_outcome, &done, error))
			return FALSE;
	return TRUE;
}

const SpkStrategy spk_strategy_delegate = {
	.name = "delegate",
	.alone = TRUE,
	.run = delegate_run,
	.feedback = run_feedback,
};
