/*
 * `sparks tasks explain ID`: the story of a task in sentences: what was asked, what was tried,
 * what was decided and why, what can be done next.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/session.h"
#include "cmd/tasks/explain_law.h"
#include "cmd/tasks/tasks_all.h"
#include "cmd/show/trail.h"
#include "cmd/ui.h"

typedef struct {
	guint turns, calls, refused, unknown, rounds, resumed, compactions, critics;
} Tally;

static void tally_one(Tally *tally, const SpkJournalEntry *entry)
{
	const json_t *p = entry->payload;

	tally->turns += !strcmp(entry->kind, "model.result");
	tally->resumed += !strcmp(entry->kind, "resumed");
	tally->compactions += !strcmp(entry->kind, "compaction");
	tally->rounds += !strcmp(entry->kind, "verdict");
	tally->critics += !strcmp(entry->kind, "critic");
	if (!strcmp(entry->kind, "tool.result")) {
		tally->calls++;
		tally->unknown += spk_json_bool(p, "unknown", FALSE);
		tally->refused += !spk_json_bool(p, "ok", FALSE) &&
				  !spk_json_bool(p, "unknown", FALSE);
	}
}

static Tally tally_up(const SpkTrail *trail)
{
	Tally tally = { 0 };

	for (guint i = 0; i < trail->entries->len; i++)
		tally_one(&tally, trail->entries->pdata[i]);
	return tally;
}

static void say_asked(GString *out, const SpkTask *task, const SpkTrail *trail)
{
	const char *tier = spk_json_str(trail->box, "tier");
	const json_t *routed = spk_trail_last(trail, "routed", G_MAXUINT);

	g_string_append_printf(out, "The goal was: %s\n\n", task->goal);
	g_string_append_printf(out, "It was given to %s for the folder %s", task->spark,
			       task->repo);
	if (tier)
		g_string_append_printf(
			out, ", to work on a private copy in the sandbox %s", tier);
	g_string_append(out, ".\n");
	if (routed)
		g_string_append_printf(
			out, "No spark was named; %s was chosen by the %s: %s.\n",
			task->spark, spk_json_str(routed, "by"),
			spk_json_str(routed, "why"));
}

static void say_setup(GString *out, const SpkTrail *trail)
{
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!strcmp(entry->kind, "setup.result"))
			g_string_append_printf(
				out,
				"Before anything else the setup `%s` ran, and ended with exit "
				"code %d.\n",
				spk_json_str(entry->payload, "command"),
				(int)spk_json_int(entry->payload, "exit_code", -1));
	}
}

/* Attempts of agent programs, each in a sentence. */
static void say_agents(GString *out, const SpkTrail *trail)
{
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		const json_t *p = entry->payload;
		const char *problem = spk_json_str(p, "problem");
		gboolean well = json_is_null(json_object_get(p, "code"));
		g_autofree char *files = NULL;

		if (strcmp(entry->kind, "cli") != 0)
			continue;
		files = spk_ui_count(spk_json_int(p, "changed", 0), "file");
		g_string_append_printf(out,
				       "The agent program %s worked in the sandbox and "
				       "changed %s: %s%s%s.\n",
				       spk_json_str(p, "tool"), files,
				       spk_json_str(p, "status"),
				       well || !problem ? "" : ", ",
				       well || !problem ? "" : problem);
	}
}

static void say_tried(GString *out, const SpkTrail *trail, const Tally *tally)
{
	g_autofree char *turns = spk_ui_count(tally->turns, "time");
	g_autofree char *calls = spk_ui_count(tally->calls, "tool call");
	g_autofree char *resumed = spk_ui_count(tally->resumed, "time");
	g_autofree char *unknown = spk_ui_count(tally->unknown, "call");
	g_autofree char *compactions = spk_ui_count(tally->compactions, "time");

	say_agents(out, trail);
	if (!tally->turns && spk_trail_last(trail, "cli", G_MAXUINT))
		return;
	if (!tally->turns) {
		g_string_append(out, "The model has not answered yet.\n");
		return;
	}
	g_string_append_printf(out, "The model answered %s, with %s", turns, calls);
	if (tally->refused)
		g_string_append_printf(out, "; %u of these failed or %s refused",
				       tally->refused,
				       tally->refused == 1 ? "was" : "were");
	g_string_append(out, ".\n");
	if (tally->resumed)
		g_string_append_printf(out, "It stopped and was taken up again %s",
				       resumed);
	if (tally->resumed && tally->unknown)
		g_string_append_printf(out, "; the outcome of %s is not known", unknown);
	if (tally->resumed)
		g_string_append(out, ".\n");
	if (tally->compactions)
		g_string_append_printf(
			out,
			"The conversation was shortened %s to fit the model's window.\n",
			compactions);
}

static void say_loop(GString *out, const json_t *p)
{
	const char *reason = spk_json_str(p, "reason");
	const json_t *one;
	gsize i;

	g_string_append_printf(out, "The loop guard %s: %s\n",
			       g_strcmp0(spk_json_str(p, "verdict"), "stop")
				       ? "told the model to do something else"
				       : "stopped the work (loop_guard_triggered)",
			       reason ? reason : "");
	json_array_foreach(json_object_get(p, "evidence"), i, one)
		g_string_append_printf(out, "  - %s, which gave: %s\n",
				       spk_json_str(one, "call"),
				       spk_json_str(one, "result"));
}

static void say_loops(GString *out, const SpkTrail *trail)
{
	gboolean any = FALSE;

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (strcmp(entry->kind, "loop") != 0)
			continue;
		say_loop(out, entry->payload);
		any = TRUE;
	}
	if (any)
		g_string_append(out,
				"How it decides is set by [manager.loop_guard]: enabled, "
				"window_size, repeat_threshold.\n");
}

/* What it was told of the memory, and what it has left there. */
static void say_memory(GString *out, const SpkTask *task, const SpkTrail *trail)
{
	const json_t *told = spk_trail_last(trail, "recall", G_MAXUINT), *one;
	const json_t *learned = spk_trail_last(trail, "learn.result", G_MAXUINT);
	size_t n = json_array_size(json_object_get(told, "memories")), i;
	int left_out = (int)spk_json_int(told, "left_out", 0);
	gint64 forgotten = spk_json_int(told, "forgotten", 0);
	g_autofree char *notes = spk_ui_count((gint64)n, "note");
	g_autofree char *gone = spk_ui_count(forgotten, "note");

	if (n)
		g_string_append_printf(out, "The memory had %s for it:\n", notes);
	json_array_foreach(json_object_get(told, "memories"), i, one)
		g_string_append_printf(
			out, "  - %s (%s%s)\n", spk_json_str(one, "id"),
			spk_json_str(one, "kind"),
			spk_json_bool(one, "untrusted", FALSE) ? ", untrusted" : "");
	if (forgotten)
		g_string_append_printf(out,
				       "%s that it was told %s been forgotten since.\n",
				       gone, forgotten == 1 ? "has" : "have");
	if (left_out)
		g_string_append_printf(
			out,
			"%d more were left out: they were written by what is "
			"not trusted here.\n",
			left_out);
	if (json_array_size(json_object_get(learned, "memories")))
		g_string_append(out, "It has taught the memory:\n");
	json_array_foreach(json_object_get(learned, "memories"), i, one)
		g_string_append_printf(out, "  - %s: %s\n", spk_json_str(one, "kind"),
				       spk_json_str(one, "text"));
	if (spk_trail_last(trail, "learn.undone", G_MAXUINT))
		g_string_append(out, "That was taken back.\n");
	else if (json_array_size(json_object_get(learned, "memories")))
		g_string_append_printf(out, "`sparks memory undo %s` takes that back.\n",
				       task->id);
}

/* What the prompt scanner found, in what was given and in what tools brought back. */
static void say_scans(GString *out, const SpkTrail *trail)
{
	gboolean any = FALSE;

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		gboolean given = !strcmp(entry->kind, "scan");
		const json_t *scan = given ? entry->payload
					   : json_object_get(entry->payload, "scan");
		const char *what = spk_json_str(entry->payload, given ? "what" : "name");
		const json_t *one;
		gsize n;

		if (!scan)
			continue;
		if (!what) /* a check, or the setup */
			what = spk_json_str(entry->payload, "command");
		g_string_append_printf(out,
				       "The prompt scanner %s %s%s, with %d points:\n",
				       g_strcmp0(spk_json_str(scan, "verdict"), "block")
					       ? "flagged"
					       : "blocked (injection_blocked)",
				       given ? "the " : "the result of ",
				       what ? what : "a tool",
				       (int)spk_json_int(scan, "score", 0));
		json_array_foreach(json_object_get(scan, "findings"), n, one)
			g_string_append_printf(out, "  - %s, %s: %s\n",
					       spk_json_str(one, "rule"),
					       spk_json_str(one, "severity"),
					       spk_json_str(one, "excerpt"));
		any = TRUE;
	}
	if (any)
		g_string_append(out,
				"How it decides is set by [prompt_scanner]; `sparks scan "
				"rules` lists the rules.\n");
}

/* What another model said of the same texts. */
static void say_judge(GString *out, const SpkTrail *trail)
{
	guint asked = 0, orders = 0, data = 0;
	const char *rests = NULL;

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		const json_t *p = entry->payload;
		const char *opinion = spk_json_str(p, "opinion");

		if (strcmp(entry->kind, "judge") != 0)
			continue;
		asked += spk_json_str(p, "model") != NULL;
		orders += !g_strcmp0(opinion, "orders");
		data += !g_strcmp0(opinion, "data") &&
			g_strcmp0(spk_json_str(p, "rules"), "pass") != 0;
		if (spk_json_bool(p, "rests", FALSE))
			rests = spk_json_str(p, "why");
	}
	if (asked)
		g_string_append_printf(
			out,
			"Another model was asked about %u of the texts that were read: it "
			"took %u for orders, and %u that the rules had flagged for data.\n",
			asked, orders, data);
	if (rests)
		g_string_append_printf(
			out, "The scanner's judge was not asked to the end: %s.\n",
			rests);
}

static void say_check(GString *out, const json_t *p)
{
	const char *tail = spk_json_str(p, "tail");
	int round = (int)spk_json_int(p, "round", 0);
	g_autofree char *line = NULL;

	g_string_append_printf(out, "  - %s", spk_json_str(p, "phase"));
	if (round)
		g_string_append_printf(out, " (round %d)", round + 1);
	g_string_append_printf(out, ", %s: exit %d", spk_json_str(p, "command"),
			       (int)spk_json_int(p, "exit_code", -1));
	if (spk_json_int(p, "exit_code", 0) != 0 && tail && *tail) {
		line = spk_text_clip_middle(tail, strlen(tail), 400);
		g_strdelimit(g_strchomp(line), "\n", ' ');
		g_string_append_printf(out, " (%s)", line);
	}
	g_string_append_c(out, '\n');
}

static void say_checks(GString *out, const SpkTrail *trail, const Tally *tally)
{
	gboolean any = FALSE;

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (strcmp(entry->kind, "check.result") != 0)
			continue;
		if (!any)
			g_string_append(out,
					"\nThe orchestrator ran the checks itself:\n");
		any = TRUE;
		say_check(out, entry->payload);
	}
	if (!any && trail->ended)
		g_string_append(
			out,
			"\nNo check was given and the repository has no test command "
			"that is recognised.\n");
	if (tally->rounds > 1)
		g_string_append_printf(
			out,
			"After a failed verification%s the work went back to the "
			"model: there were %u rounds.\n",
			tally->critics ? " or objections of the critic" : "",
			tally->rounds);
}

static void say_critic(GString *out, const SpkTrail *trail)
{
	const json_t *said = spk_trail_last(trail, "critic", G_MAXUINT), *one;
	const json_t *kept = spk_trail_last(trail, "kept", G_MAXUINT);
	const char *opinion = spk_json_str(said, "opinion");
	const char *model = spk_json_str(said, "model"), *why = spk_json_str(said, "why");
	size_t i;

	if (!opinion)
		return;
	if (!strcmp(opinion, "none"))
		g_string_append_printf(out, "It was not reviewed by another model: %s.\n",
				       why ? why : "");
	else
		g_string_append_printf(
			out,
			"Another model (%s) looked at the change last, and "
			"%s. That decides nothing.\n",
			model ? model : "of the play",
			strcmp(opinion, "object") ? "has no objection" : "objects");
	json_array_foreach(json_object_get(said, "objections"), i, one)
		g_string_append_printf(out, "  - %s: %s\n", spk_json_str(one, "file"),
				       spk_json_str(one, "reason"));
	if (kept)
		g_string_append_printf(
			out,
			"The result of round %d was kept; what came after it "
			"was dropped: %s.\n",
			(int)spk_json_int(kept, "round", 0) + 1,
			spk_json_str(kept, "why"));
}

static void say_ended(GString *out, const SpkTrail *trail)
{
	const char *end = spk_json_str(trail->ended, "end");
	const char *reason = spk_json_str(trail->ended, "reason");

	if (end && strcmp(end, "finished") != 0)
		g_string_append_printf(out, "The work was stopped (%s)%s%s.\n", end,
				       reason ? ": " : "", reason ? reason : "");
}

static void say_decided(GString *out, const SpkTask *task, const SpkTrail *trail,
			gboolean stranded)
{
	const char *words = spk_ui_verdict_words(task->verdict);
	g_autofree char *status = spk_ui_state(task->status);

	g_string_append_c(out, '\n');
	say_ended(out, trail);
	if (stranded)
		g_string_append(
			out,
			"Nobody runs it now: whoever did is gone. Every finished step "
			"is on record.\n");
	else
		g_string_append_printf(out, "It is %s.\n", status);
	if (*words)
		g_string_append_printf(out, "The verdict is `%s`: %s.\n",
				       spk_verdict_name(task->verdict), words);
	if (task->reason)
		g_string_append_printf(out, "The reason on record: %s\n", task->reason);
	if (spk_json_str(task->error, "message"))
		g_string_append_printf(out, "The error was: %s\n",
				       spk_json_str(task->error, "message"));
	if (task->status == SPK_STATE_ROLLED_BACK)
		g_string_append(
			out,
			"Its changes were taken back; your files were never touched.\n");
}

static void say_next(GString *out, const SpkTask *task, const SpkTrail *trail,
		     gboolean stranded)
{
	const char *hint = spk_json_str(task->error, "hint");

	g_string_append_c(out, '\n');
	if (hint)
		g_string_append_printf(out, "What may help: %s\n", hint);
	if (trail->applied)
		g_string_append_printf(
			out,
			"Its changes are in your working tree; `sparks tasks "
			"undo %s` takes them back.\n",
			task->id);
	else if (task->status == SPK_STATE_DONE && trail->result)
		g_string_append_printf(
			out,
			"Look at the change with `sparks tasks diff %s`, take it "
			"with `sparks tasks apply %s`.\n",
			task->id, task->id);
	else if (stranded || task->status == SPK_STATE_PAUSED ||
		 task->status == SPK_STATE_CANCELLED)
		g_string_append_printf(
			out, "`sparks tasks resume %s` goes on where it stopped.\n",
			task->id);
	else if (spk_state_is_terminal(task->status))
		g_string_append_printf(
			out,
			"`sparks tasks diff %s` shows what it had changed, "
			"`sparks tasks log %s` every step. Give the goal again with "
			"more --context or another --check.\n",
			task->id, task->id);
}

static char *explain(SpkSession *session, const SpkTask *task, GError **error)
{
	g_autoptr(SpkTrail) trail = spk_trail_read(session->store, task->id, error);
	g_autofree char *daemon = spk_worker_find(session->store, NULL);
	gboolean stranded = spk_task_is_stranded(task, daemon != NULL);
	GString *out;
	Tally tally;

	if (!trail)
		return NULL;
	tally = tally_up(trail);
	out = g_string_new(NULL);
	say_asked(out, task, trail);
	say_setup(out, trail);
	say_tried(out, trail, &tally);
	spk_explain_law(out, task, trail);
	say_loops(out, trail);
	say_scans(out, trail);
	say_judge(out, trail);
	say_checks(out, trail, &tally);
	say_critic(out, trail);
	say_memory(out, task, trail);
	say_decided(out, task, trail, stranded);
	say_next(out, task, trail, stranded);
	return g_string_free(out, FALSE);
}

static void print(const SpkSession *session, const SpkTask *task, const char *text)
{
	g_autoptr(GString) folded = g_string_new(NULL);
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = json_pack("{s:s,s:s,s:s,s:o}", "task", task->id, "status",
				   spk_state_name(task->status), "verdict",
				   spk_verdict_name(task->verdict), "explanation",
				   spk_json_text(text));
		spk_cmd_print_json(object);
		return;
	}
	spk_ui_fold(folded, text, 0, MIN(90, spk_ui_columns(STDOUT_FILENO)), 400);
	fputs(folded->str, stdout);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	int code;

	if (!spk_session_open_task(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	text = explain(&session, session.task, &error);
	if (!text)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	print(&session, session.task, text);
	return 0;
}

const SpkCmd spk_tasks_explain = {
	.name = "explain",
	SPK_TAKES_ID,
	.summary = "Tell in sentences what happened and what to do next.",
	.example = "sparks tasks explain 01hq2x",
	.options = spk_only_json,
	.run = run,
};
