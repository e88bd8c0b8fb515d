/*
 * Strategy `chat`: one turn of a conversation. The model may use its tools as in `react`; an
 * answer without a tool call is what it says to the person, and ends the turn.
 */
#include "agent/agent_impl.h"
#include "agent/history.h"
#include "agent/law.h"
#include "agent/recall.h"
#include "agent/run_priv.h"
#include "base/json.h"
#include "store/sessions.h"

/* Turns that are looked at; the budget leaves room for far fewer. */
#define TURNS_MAX 200
/* Earlier turns take at most this share of the window, whatever chat.history_tokens says. */
#define WINDOW_SHARE 3

static const char rules[] =
	"\n\nHow you work:\n"
	"- You talk with a person at a terminal. Answer in plain words, as Markdown where that "
	"helps; be short. An answer without a tool call is what the person reads, and ends your "
	"turn.\n"
	"- Call tools only where the question needs the files, a command or a change. They work on "
	"a private copy of the person's files, in a sandbox without network. Paths are relative to "
	"the folder the person stands in.\n"
	"- Nothing you do reaches the person's files until they apply it at the end of the turn. "
	"Each turn starts from their files as they are then: changes they have not applied are "
	"gone.\n"
	"- When you have changed files, the orchestrator, not you, decides whether it is done: it "
	"runs the checks on a clean checkout of your changes, and again with the test files as they "
	"were before.\n" RUN_RULE_DATA
	"- If something cannot be done, say plainly what and why.";

/* ---- opening ---- */

/* The same bytes in every turn of a session, so that providers may cache it. */
static char *system_prompt(SpkRun *run)
{
	const json_t *options = run->env.task->options, *check;
	GString *text = g_string_new(run->env.spark->soul);
	g_autofree char *hosts = run_hosts_rule(run);
	size_t i;

	g_string_append(text, rules);
	g_string_append(text, hosts);
	json_array_foreach(json_object_get(options, "checks"), i, check)
		if (json_is_string(check))
			g_string_append_printf(text, "\n- A check of your changes: `%s`",
					       json_string_value(check));
	run_add_context(run, text);
	return g_string_free(text, FALSE);
}

static gint64 budget_of(SpkRun *run)
{
	gint64 window = spk_llm_context_window(run->env.llm);

	return MIN(spk_conf_int(run->env.conf, "chat.history_tokens"),
		   window / WINDOW_SHARE);
}

/* What was read in an earlier turn has been read, whether its words are still there or not. */
static gboolean inherit_taint(SpkRun *run, const GPtrArray *turns, GError **error)
{
	for (guint i = turns->len; i > 0; i--) {
		const SpkChatTurn *turn = turns->pdata[i - 1];
		g_autoptr(SpkJournalEntry) entry = NULL;
		g_autofree char *source = NULL;
		SpkTaint taint;

		if (!spk_journal_last(run->env.store, turn->task->id, "taint", &entry,
				      error))
			return FALSE;
		if (!entry)
			continue;
		(void)spk_taint_parse(spk_json_str(entry->payload, "taint"), &taint);
		source = g_strdup_printf("%s, in an earlier turn",
					 spk_json_str(entry->payload, "source"));
		return run_taint(run, taint, source, error);
	}
	return TRUE;
}

/* What was said before, from the store; *ret_record NULL: nothing. */
static gboolean read_history(SpkRun *run, json_t **ret_record, GError **error)
{
	const SpkTask *task = run->env.task;
	g_autoptr(GPtrArray) turns = NULL;
	g_autoptr(GPtrArray)
		told = g_ptr_array_new_with_free_func((GDestroyNotify)history_turn_free);
	g_autofree char *session = NULL;
	g_auto(History) history = { 0 };
	SpkChatTotals before = { 0 };
	gint64 turn;

	if (!spk_session_of_task(run->env.store, task->id, &session, &turn, error))
		return FALSE;
	if (!session || turn <= 1)
		return TRUE;
	turns = spk_session_turns(run->env.store, session, turn, TURNS_MAX, error);
	if (!turns || !inherit_taint(run, turns, error) ||
	    !spk_session_totals(run->env.store, session, turn, &before, error))
		return FALSE;
	for (guint i = 0; i < turns->len; i++)
		g_ptr_array_add(told, history_turn_of(turns->pdata[i]));
	history_fit(told, (guint)before.turns - turns->len, task->goal, budget_of(run),
		    &history);
	*ret_record = json_pack("{s:s,s:i,s:i,s:i,s:I,s:O}", "session", session, "turns",
				(int)history.turns, "shortened", (int)history.shortened,
				"left_out", (int)history.left_out, "answers",
				(json_int_t)before.answers, "messages", history.messages);
	return TRUE;
}

/* Recorded once: a turn that is taken up says the same, whatever was applied since. */
static gboolean find_history(SpkRun *run, const json_t **ret_record, GError **error)
{
	json_t *record = NULL;

	*ret_record = run_recorded(run, "history", "0");
	if (*ret_record || run_recorded(run, "model.intent", "0"))
		return TRUE;
	if (!read_history(run, &record, error) ||
	    (record && !run_record(run, "history", "0", SPK_EFFECT_PURE, record, error)))
		return FALSE;
	*ret_record = run_recorded(run, "history", "0");
	return TRUE;
}

/* The message at hand, after what the memory has about it. */
static void say_message(SpkRun *run, const char *memory, const char *message)
{
	g_autofree char *text = g_strconcat(memory, *memory ? "\n" : "", message, NULL);

	run_say(run, "user", text);
}

static gboolean open_chat(SpkRun *run, GError **error)
{
	g_autofree char *system = system_prompt(run);
	const char *memory = "";
	const json_t *record, *messages;
	size_t n;

	if (!find_history(run, &record, error) || !run_recall(run, &memory, error))
		return FALSE;
	run_say(run, "system", system);
	messages = json_object_get(record, "messages");
	n = json_array_size(messages);
	if (!n) {
		say_message(run, memory, run->env.task->goal);
		return TRUE;
	}
	for (size_t i = 0; i + 1 < n; i++)
		json_array_append_new(run->messages,
				      json_deep_copy(json_array_get(messages, i)));
	say_message(run, memory,
		    spk_json_str(json_array_get(messages, n - 1), "content"));
	run->history = (guint)n - 1;
	run->answers_before = (guint)spk_json_int(record, "answers", 0);
	return TRUE;
}

/* ---- the turn ---- */

/* An empty answer is no answer: the model is asked once more. */
static gboolean talk(SpkRun *run, const SpkLlmReply *reply, SpkOutcome *outcome,
		     gboolean *ret_ended, GError **error)
{
	g_autofree char *key = g_strdup_printf("idle/%u", run->turn);

	*ret_ended = !run_is_silent(reply) || run->idle_turns++ > 0;
	if (*ret_ended)
		return run_end_with(reply, outcome);
	return run_note(run, key, "empty answer", "Your answer was empty. Please answer.",
			error);
}

static gboolean chat_run(SpkRun *run, SpkOutcome *ret_outcome, GError **error)
{
	if (!json_array_size(run->messages) && !open_chat(run, error))
		return FALSE;
	return run_turns(run, talk, ret_outcome, error);
}

const SpkStrategy spk_strategy_chat = {
	.name = "chat",
	.lazy = TRUE,
	.run = chat_run,
	.feedback = run_feedback,
};
