#include "agent/history.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* Bytes that stay of a turn that is shortened. */
#define SHORT_USER     400
#define SHORT_ANSWER   800
#define FILES_MAX      10
#define NAME_MAX_SHOWN 60
#define REASON_MAX     200
/* holds all of the above */
#define NOTE_MAX 1100
/* Braces and names around the two messages of a turn, in bytes. */
#define FRAME 80

void history_turn_free(HistoryTurn *turn)
{
	g_free(turn->user);
	g_free(turn->answer);
	g_free(turn->note);
	g_free(turn);
}

void history_clear(History *history)
{
	json_decref(history->messages);
	*history = (History){ 0 };
}

/* ---- what became of a turn ---- */

static const char *decision_words(SpkChatDecision decision)
{
	static const char *const words[] = {
		[SPK_DECISION_NONE] =
			"The user has not applied these changes: they are not in "
			"the files you see now.",
		[SPK_DECISION_APPLIED] = "The user applied these changes.",
		[SPK_DECISION_REFUSED] =
			"The user refused these changes: they are not in the "
			"files you see now.",
		[SPK_DECISION_UNDONE] =
			"The user applied these changes and took them back: they "
			"are not in the files you see now.",
	};

	return words[decision];
}

static void list_files(GString *text, const json_t *files)
{
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file) {
		const char *name = json_string_value(file);
		g_autofree char *cut = name ? spk_text_clip(name, NAME_MAX_SHOWN) : NULL;

		if (i >= FILES_MAX)
			break;
		g_string_append_printf(text, "%s%s", i ? ", " : "", cut ? cut : "?");
	}
	if (json_array_size(files) > FILES_MAX)
		g_string_append_printf(text, " and %zu more",
				       json_array_size(files) - FILES_MAX);
}

static char *note_of(const SpkChatTurn *turn)
{
	const SpkTask *task = turn->task;
	const json_t *files = json_object_get(task->changes, "files");
	g_autofree char *reason =
		spk_text_clip(task->reason ? task->reason : "", REASON_MAX);
	GString *text = g_string_new(NULL);
	g_autofree char *whole = NULL, *clean = NULL;

	if (task->status != SPK_STATE_DONE)
		g_string_printf(text,
				"That turn ended early (%s%s%s). Nothing of it is in the "
				"files you see now.",
				spk_state_name(task->status), *reason ? ": " : "",
				reason);
	else if (json_array_size(files) > 0) {
		g_string_append(text, "In that turn you changed ");
		list_files(text, files);
		g_string_append_printf(text, " (checks: %s; %s). %s",
				       spk_verdict_name(task->verdict), reason,
				       decision_words(turn->decision));
	}
	whole = g_string_free(text, FALSE);
	/* names of files and words of errors don't get a line of their own */
	clean = spk_text_clean(whole, -1, SPK_CLEAN_LINE);
	return *clean ? spk_text_clip(clean, NOTE_MAX) : NULL;
}

HistoryTurn *history_turn_of(const SpkChatTurn *turn)
{
	const char *answer = turn->task->summary;
	HistoryTurn *told = g_new0(HistoryTurn, 1);

	told->user = g_strdup(turn->task->goal);
	told->answer = g_strdup(answer && *answer ? answer : "(no answer)");
	told->note = note_of(turn);
	return told;
}

/* ---- the budget ---- */

static gint64 cost(gsize user, gsize answer, const HistoryTurn *turn)
{
	gsize note = turn->note ? strlen(turn->note) : 0;

	return (gint64)(user + answer + note + FRAME + 3) / 4;
}

static gint64 full_cost(const HistoryTurn *turn)
{
	return cost(strlen(turn->user), strlen(turn->answer), turn);
}

static gint64 short_cost(const HistoryTurn *turn)
{
	return cost(MIN(strlen(turn->user), SHORT_USER),
		    MIN(strlen(turn->answer), SHORT_ANSWER), turn);
}

/* How many of the oldest turns are left out, and how many of those after them shortened. */
static void plan(const GPtrArray *turns, gint64 budget, guint *ret_left_out,
		 guint *ret_short)
{
	gint64 total = 0;
	guint shortened = 0, left_out = 0;

	for (guint i = 0; i < turns->len; i++)
		total += full_cost(turns->pdata[i]);
	for (; shortened < turns->len && total > budget; shortened++)
		total += short_cost(turns->pdata[shortened]) -
			 full_cost(turns->pdata[shortened]);
	for (; left_out < turns->len && total > budget; left_out++)
		total -= short_cost(turns->pdata[left_out]);
	*ret_left_out = left_out;
	*ret_short = shortened;
}

static void say(json_t *messages, const char *role, const char *text)
{
	json_array_append_new(messages, json_pack("{s:s,s:o}", "role", role, "content",
						  spk_json_text(text)));
}

/* A person's words, after what the model should know of the turn before. */
static void say_user(json_t *messages, const char *note, const char *words)
{
	g_autofree char *text =
		note ? g_strdup_printf("[Note of the orchestrator: %s]\n\n%s", note,
				       words)
		     : g_strdup(words);

	say(messages, "user", text);
}

void history_fit(const GPtrArray *turns, guint older, const char *message, gint64 budget,
		 History *ret_history)
{
	json_t *messages = json_array();
	g_autofree char *note = NULL;
	guint left_out, shortened;

	plan(turns, budget, &left_out, &shortened);
	if (older + left_out)
		note = g_strdup_printf(
			"%u earlier turns of this conversation are left out",
			older + left_out);
	for (guint i = left_out; i < turns->len; i++) {
		const HistoryTurn *turn = turns->pdata[i];
		gboolean cut = i < shortened;
		g_autofree char *user = cut ? spk_text_clip(turn->user, SHORT_USER)
					    : NULL;
		g_autofree char *answer = cut ? spk_text_clip(turn->answer, SHORT_ANSWER)
					      : NULL;

		say_user(messages, note, cut ? user : turn->user);
		say(messages, "assistant", cut ? answer : turn->answer);
		g_free(note);
		note = g_strdup(turn->note);
	}
	say_user(messages, note, message);
	*ret_history = (History){ messages, turns->len - left_out,
				  shortened > left_out ? shortened - left_out : 0,
				  older + left_out };
}
