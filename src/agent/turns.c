/* The loop of every strategy in which a model and its tools take turns. */
#include <string.h>

#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static json_t *wire_call(const json_t *call)
{
	return json_pack("{s:O,s:s,s:{s:O,s:O}}", "id", json_object_get(call, "id"),
			 "type", "function", "function", "name",
			 json_object_get(call, "name"), "arguments",
			 json_object_get(call, "arguments"));
}

static void say_reply(SpkRun *run, const SpkLlmReply *reply)
{
	json_t *message = json_pack("{s:s,s:o}", "role", "assistant", "content",
				    spk_json_text(reply->text));
	json_t *calls, *call;
	size_t i;

	if (json_array_size(reply->tool_calls)) {
		calls = json_array();
		json_array_foreach(reply->tool_calls, i, call)
			json_array_append_new(calls, wire_call(call));
		spk_json_set(message, "tool_calls", calls);
	}
	json_array_append_new(run->messages, message);
}

static void say_result(SpkRun *run, const json_t *call, const StepTool *result)
{
	json_array_append_new(run->messages,
			      json_pack("{s:s,s:O,s:o}", "role", "tool", "tool_call_id",
					json_object_get(call, "id"), "content",
					spk_json_text(result->text)));
}

static gboolean end(SpkOutcome *outcome, SpkEnd how, char *take_reason)
{
	outcome->end = how;
	outcome->reason = take_reason;
	return TRUE;
}

gboolean run_at_limit(SpkRun *run, SpkOutcome *outcome)
{
	gint64 max_steps = run_option_int(run, "max_steps", "manager.max_steps");
	gint64 max_tokens = run_option_int(run, "max_tokens", "task.max_tokens");
	gint64 seconds = run_option_int(run, "timeout_secs", "task.timeout_secs");
	gint64 tokens = run->tokens_in + run->tokens_out;

	if (run->turn >= max_steps)
		return end(
			outcome, SPK_END_STEPS,
			g_strdup_printf(
				"%u answers of the model were not enough (--max-steps)",
				run->turn));
	run->at_budget = max_tokens && tokens >= max_tokens;
	if (run->at_budget)
		return end(outcome, SPK_END_TOKENS,
			   g_strdup_printf("%" G_GINT64_FORMAT " tokens are used up "
					   "(task.max_tokens)",
					   tokens));
	/* What is on record is returned whatever the clock says. */
	if (seconds && !spk_run_recorded(run, "model.result", run->turn) &&
	    spk_run_seconds(run) >= (double)seconds)
		return end(outcome, SPK_END_TIME,
			   g_strdup_printf("%" G_GINT64_FORMAT
					   " s are over (--timeout-secs)",
					   seconds));
	return FALSE;
}

/* On record before anybody acts on it; once, also when the task is taken up again. */
static gboolean record_loop(SpkRun *run, const char *key, SpkLoopVerdict verdict,
			    const SpkLoopFinding *found, GError **error)
{
	return run_recorded(run, "loop", key) ||
	       run_record(run, "loop", key, SPK_EFFECT_PURE,
			  json_pack("{s:s,s:s,s:i,s:o,s:O}", "verdict",
				    verdict == SPK_LOOP_STOP ? "stop" : "warn", "shape",
				    spk_loop_shape_name(found->shape), "length",
				    (int)found->length, "reason",
				    spk_json_text(found->reason), "evidence",
				    found->evidence),
			  error);
}

/* The same for the same arguments, however they are spelled. */
static char *text_of_call(const json_t *call)
{
	const char *name = spk_json_str(call, "name");
	const char *sent = spk_json_str(call, "arguments");
	g_autoptr(json_t) args = sent ? json_loads(sent, JSON_DECODE_ANY, NULL) : NULL;
	g_autofree char *canon = args ? spk_json_canon(args) : NULL;

	return g_strconcat(name ? name : "", " ", canon ? canon : sent, NULL);
}

/* *ret_stop: the run ends here, in a loop. */
static gboolean guard_call(SpkRun *run, const json_t *call, guint index,
			   const StepTool *result, SpkOutcome *outcome,
			   gboolean *ret_stop, GError **error)
{
	g_autofree char *what = NULL, *key = NULL, *word = NULL;
	g_auto(SpkLoopFinding) found = { 0 };
	SpkLoopVerdict verdict;

	*ret_stop = FALSE;
	if (!run->guard || result->finished)
		return TRUE;
	what = text_of_call(call);
	verdict = spk_loop_guard_note(run->guard,
				      &(SpkLoopCall){ .call = what,
						      .result = result->text,
						      .tree = result->tree,
						      .turn = run->turn },
				      &found);
	if (verdict == SPK_LOOP_OK)
		return TRUE;
	key = g_strdup_printf("loop/%u/%u", run->turn, index);
	if (!record_loop(run, key, verdict, &found, error))
		return FALSE;
	*ret_stop = verdict == SPK_LOOP_STOP;
	if (*ret_stop)
		return end(outcome, SPK_END_LOOP, g_steal_pointer(&found.reason));
	word = g_strconcat(found.reason,
			   "\nDo something else, or call finish and say what is in the "
			   "way. If this goes on, the task is stopped.",
			   NULL);
	return run_note(run, key, "loop guard", word, error);
}

/* The same call twice in one answer is clumsy, but no loop: only the first one counts. */
static gboolean is_repeated(const json_t *calls, gsize index)
{
	const json_t *call = json_array_get(calls, index);

	for (gsize i = 0; i < index; i++) {
		const json_t *other = json_array_get(calls, i);

		if (json_equal(json_object_get(call, "name"),
			       json_object_get(other, "name")) &&
		    json_equal(json_object_get(call, "arguments"),
			       json_object_get(other, "arguments")))
			return TRUE;
	}
	return FALSE;
}

/* Runs the calls of one answer in order. Loop notes come after all results, because the
 * results must follow the calls directly. */
static gboolean act(SpkRun *run, const SpkLlmReply *reply, SpkOutcome *outcome,
		    gboolean *ret_ended, GError **error)
{
	gsize n = json_array_size(reply->tool_calls);
	g_autofree StepTool *results = g_new0(StepTool, n);
	gboolean ok = TRUE;

	for (gsize i = 0; ok && i < n; i++) {
		const json_t *call = json_array_get(reply->tool_calls, i);

		ok = spk_step_tool(run, call, i, &results[i], error);
		if (ok)
			say_result(run, call, &results[i]);
	}
	for (gsize i = 0; ok && !*ret_ended && i < n; i++) {
		const json_t *call = json_array_get(reply->tool_calls, i);

		if (!is_repeated(reply->tool_calls, i))
			ok = guard_call(run, call, i, &results[i], outcome, ret_ended,
					error);
		if (ok && results[i].finished) {
			outcome->end = SPK_END_FINISHED;
			outcome->summary = g_strdup(results[i].text);
			*ret_ended = TRUE;
		}
	}
	for (gsize i = 0; i < n; i++)
		step_tool_clear(&results[i]);
	return ok;
}

gboolean run_is_silent(const SpkLlmReply *reply)
{
	return !reply->text[strspn(reply->text, " \t\r\n")];
}

gboolean run_end_with(const SpkLlmReply *reply, SpkOutcome *outcome)
{
	if (run_is_silent(reply))
		return end(outcome, SPK_END_LOOP,
			   g_strdup("the model answered nothing, twice"));
	outcome->end = SPK_END_FINISHED;
	outcome->summary = g_strdup(reply->text);
	return TRUE;
}

gboolean run_turns(SpkRun *run, RunTalk talk, SpkOutcome *ret_outcome, GError **error)
{
	gboolean ended = FALSE;

	while (!ended && !run_at_limit(run, ret_outcome)) {
		g_auto(SpkLlmReply) reply = { 0 };
		g_autoptr(GError) why = NULL;
		gboolean ok;

		if (!spk_step_model(run, &reply, &why)) {
			if (spk_error_is(why, SPK_ERR_TIMEOUT) &&
			    run_at_limit(run, ret_outcome))
				return TRUE; /* the task's time, not the server's */
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		say_reply(run, &reply);
		if (json_array_size(reply.tool_calls)) {
			run->idle_turns = 0;
			ok = act(run, &reply, ret_outcome, &ended, error);
		} else {
			ok = talk(run, &reply, ret_outcome, &ended, error);
		}
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

void run_feedback(SpkRun *run, const char *text)
{
	run_say(run, "user", text);
}
