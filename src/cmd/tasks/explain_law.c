#include "cmd/tasks/explain_law.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/ui.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = spk_json_str(object, key);

	return text ? text : "";
}

static void say_level(GString *out, const SpkTask *task, const SpkTrail *trail)
{
	const json_t *kept = json_object_get(task->options, "autonomy");
	const json_t *taint = spk_trail_last(trail, "taint", G_MAXUINT);

	if (kept)
		g_string_append_printf(out, "It may do what level %s allows (%s).\n",
				       text_of(kept, "level"), text_of(kept, "from"));
	if (taint)
		g_string_append_printf(
			out,
			"The model has read text that is not yours (%s, by %s): what leaves, "
			"and what runs code elsewhere, has been asked for since.\n",
			text_of(taint, "taint"), text_of(taint, "source"));
}

/* "`rm -rf x` with shell" */
static char *call_of(const json_t *p)
{
	g_autofree char *words =
		spk_ui_call(text_of(p, "name"), json_object_get(p, "arguments"));

	return g_strdup_printf("%s %s", text_of(p, "name"), words);
}

static void say_answer(GString *out, const json_t *law, gboolean done)
{
	const char *answer = spk_json_str(law, "answer");
	const char *note = spk_json_str(law, "note");

	if (!answer)
		return;
	if (!strcmp(answer, "expired"))
		g_string_append(out, " Nobody answered in time.");
	else
		g_string_append_printf(out, " %s %s it (%s%s%s).", text_of(law, "by"),
				       done ? "allowed" : "refused", text_of(law, "how"),
				       note ? ": " : "", note ? note : "");
}

static void say_call(GString *out, const json_t *p, gboolean done)
{
	const json_t *law = json_object_get(p, "law");
	const char *hint = spk_json_str(law, "hint");
	g_autofree char *call = call_of(p);

	g_string_append_printf(out, "  - %s was %s by rule %s: %s.", call,
			       spk_json_str(law, "answer") ? "asked for" : "refused",
			       text_of(law, "rule"), text_of(law, "why"));
	say_answer(out, law, done);
	if (hint)
		g_string_append_printf(out, " To change that: %s.", hint);
	g_string_append_c(out, '\n');
}

/* Asked for and done: the intent has it. Refused: there is none, and the result has. */
static gboolean is_told(const SpkJournalEntry *entry, gboolean *ret_done)
{
	const json_t *law = json_object_get(entry->payload, "law");

	*ret_done = !strcmp(entry->kind, "tool.intent");
	return *ret_done ? spk_json_str(law, "answer") != NULL
			 : law && !strcmp(entry->kind, "tool.result");
}

static void say_branch(GString *out, const SpkTask *task, const SpkTrail *trail)
{
	const json_t *result = spk_trail_last(trail, "commit.result", G_MAXUINT);
	const json_t *kept = json_object_get(result, "kept");

	if (json_is_object(kept))
		g_string_append_printf(
			out,
			"No branch was made, by rule %s: %s. `sparks tasks "
			"apply %s` hands the change over.\n",
			text_of(kept, "rule"), text_of(kept, "why"), task->id);
}

void spk_explain_law(GString *out, const SpkTask *task, const SpkTrail *trail)
{
	guint told = 0;
	gboolean done;

	say_level(out, task, trail);
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!is_told(entry, &done))
			continue;
		if (!told)
			g_string_append(out,
					"Calls that the law had something to say to:\n");
		if (told++ < EXPLAIN_LAW_MAX)
			say_call(out, entry->payload, done);
	}
	if (told > EXPLAIN_LAW_MAX)
		g_string_append_printf(out, "  - and %u more: `sparks tasks log %s`\n",
				       told - EXPLAIN_LAW_MAX, task->id);
	say_branch(out, task, trail);
}
