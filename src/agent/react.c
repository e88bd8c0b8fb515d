/* Strategy `react`: the model and its tools take turns until `finish` or a limit. */
#include "agent/agent_impl.h"
#include "agent/run_priv.h"

/* Answers without a tool call in a row before such an answer counts as the end. */
#define IDLE_MAX 2

/* The model only talked. Once it is reminded; then its words are the end. */
static gboolean talk(SpkRun *run, const SpkLlmReply *reply, SpkOutcome *outcome,
		     gboolean *ret_ended, GError **error)
{
	g_autofree char *key = g_strdup_printf("idle/%u", run->turn);

	*ret_ended = ++run->idle_turns >= IDLE_MAX;
	if (*ret_ended)
		return run_end_with(reply, outcome);
	return run_note(
		run, key, "no tool call",
		"Go on by calling a tool. If the work is done, call `finish` with a summary.",
		error);
}

static gboolean react_run(SpkRun *run, SpkOutcome *ret_outcome, GError **error)
{
	if (!json_array_size(run->messages) && !run_open_conversation(run, error))
		return FALSE;
	return run_turns(run, talk, ret_outcome, error);
}

const SpkStrategy spk_strategy_react = {
	.name = "react",
	.run = react_run,
	.feedback = run_feedback,
};
