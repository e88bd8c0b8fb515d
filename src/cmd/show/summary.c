#include "cmd/show/summary.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/show/changes.h"
#include "cmd/session.h"
#include "cmd/ui.h"

#define MAX_FILES 20

static void row(GString *out, int fd, const char *label, const char *text)
{
	g_autofree char *padded = g_strdup_printf("  %-9s", label);
	g_autofree char *line = spk_ui_line(text, spk_ui_columns(fd) - 12);

	spk_ui_paint(out, fd, "dim", padded);
	g_string_append_printf(out, " %s\n", line);
}

/* Nothing of it is cut: numbers, or something to type. */
static void row_whole(GString *out, int fd, const char *label, const char *text)
{
	g_autofree char *padded = g_strdup_printf("  %-9s ", label);
	g_autoptr(GString) folded = g_string_new(NULL);

	spk_ui_fold(folded, text, strlen(padded), spk_ui_columns(fd), G_MAXUINT);
	spk_ui_paint(out, fd, "dim", padded);
	g_string_append(out, folded->str + MIN(strlen(padded), folded->len));
}

static const char *status_role(const SpkTask *task)
{
	if (task->status == SPK_STATE_DONE)
		return spk_ui_verdict_role(task->verdict);
	return spk_state_is_terminal(task->status) ? "bad" : "warn";
}

static void headline(const SpkSummary *summary, int fd, GString *out)
{
	const SpkTask *task = summary->task;
	const char *verdict = spk_verdict_name(task->verdict);
	g_autofree char *status = spk_ui_state(task->status);
	g_autofree char *text = NULL;

	if (!strcmp(verdict, status))
		verdict = "";
	text = g_strdup_printf("%s%s%s", summary->stranded ? "interrupted" : status,
			       *verdict ? ", " : "", verdict);
	g_strdelimit(text, "_", ' ');
	g_string_append_c(out, '\n');
	spk_ui_paint(out, fd, status_role(task), text);
	spk_ui_paint(out, fd, "dim", "  task ");
	g_string_append_printf(out, "%s\n", task->id);
}

static void words(const SpkSummary *summary, int fd, GString *out)
{
	const SpkTask *task = summary->task;
	const char *meaning = spk_ui_verdict_words(task->verdict);
	int columns = MIN(spk_ui_columns(fd), 90);
	const char *message = spk_json_str(task->error, "message");
	const char *hint = spk_json_str(task->error, "hint");

	if (summary->stranded && !message)
		spk_ui_fold(out,
			    "the program that worked on it is gone; nothing that is on "
			    "record is lost",
			    2, columns, 3);
	else if (summary->stranded) /* the reason is that of its last change of state */
		;
	else if (task->reason && *task->reason && g_strcmp0(task->reason, message) != 0)
		spk_ui_fold(out, task->reason, 2, columns, 6);
	else if (*meaning && task->status == SPK_STATE_DONE)
		spk_ui_fold(out, meaning, 2, columns, 3);
	if (message)
		spk_ui_fold(out, message, 2, columns, 6);
	if (hint)
		spk_ui_fold(out, hint, 4, columns, 8);
	if (task->summary && *task->summary) {
		g_autofree char *said =
			g_strconcat("The model says: ", task->summary, NULL);

		g_string_append_c(out, '\n');
		spk_ui_fold(out, said, 2, columns, 12);
	}
	g_string_append_c(out, '\n');
}

static void file_row(const SpkFileCount *count, const char *label, int fd, GString *out)
{
	g_autofree char *padded = g_strdup_printf("  %-9s", label);
	g_autofree char *path =
		spk_ui_line(count->path, MAX(20, spk_ui_columns(fd) - 40));
	g_autofree char *added = g_strdup_printf("+%u", count->added);
	g_autofree char *removed = g_strdup_printf("-%u", count->removed);
	const char *what = count->status == 'A'	  ? "  new"
			   : count->status == 'D' ? "  gone"
						  : "";

	spk_ui_paint(out, fd, "dim", padded);
	g_string_append_printf(out, " %s  ", path);
	spk_ui_paint(out, fd, "add", added);
	g_string_append_c(out, ' ');
	spk_ui_paint(out, fd, "del", removed);
	spk_ui_paint(out, fd, "dim", what);
	g_string_append_c(out, '\n');
}

static void files(const SpkSummary *summary, int fd, GString *out)
{
	const json_t *names = json_object_get(summary->report, "files_changed");
	const json_t *risky = json_object_get(summary->report, "risky_files"), *name;
	guint total = summary->counts ? summary->counts->len : json_array_size(names);
	size_t i;

	for (guint n = 0; n < MIN(total, MAX_FILES); n++) {
		const char *label = n ? "" : "files";

		if (summary->counts)
			file_row(summary->counts->pdata[n], label, fd, out);
		else
			row(out, fd, label, json_string_value(json_array_get(names, n)));
	}
	if (total > MAX_FILES) {
		g_autofree char *more = g_strdup_printf("and %u more", total - MAX_FILES);

		row(out, fd, "", more);
	}
	json_array_foreach(risky, i, name) {
		g_autofree char *text =
			g_strdup_printf("%s runs code elsewhere: look at it first",
					json_string_value(name));
		GString *mark = g_string_new(NULL);
		g_autofree char *line = spk_ui_line(text, spk_ui_columns(fd) - 12);

		spk_ui_paint(mark, fd, "warn", line);
		g_string_append_printf(out, "  %-9s %s\n", "attention", mark->str);
		g_string_free(mark, TRUE);
	}
}

/* Text that gave orders to the model: who reads the result should know. */
static void scans(const SpkSummary *summary, int fd, GString *out)
{
	const GPtrArray *entries = summary->trail ? summary->trail->entries : NULL;
	g_autofree char *text = NULL;
	guint n = 0;

	for (guint i = 0; entries && i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];

		n += !strcmp(entry->kind, "scan") ||
		     json_object_get(entry->payload, "scan") != NULL;
	}
	if (!n)
		return;
	text = g_strdup_printf(
		"%u text%s seemed to give orders to the model: sparks tasks "
		"explain %s",
		n, n == 1 ? "" : "s", summary->task->id);
	row_whole(out, fd, "attention", text);
}

static void objection(const json_t *one, int fd, GString *out)
{
	const char *file = spk_json_str(one, "file");
	const char *reason = spk_json_str(one, "reason");
	g_autofree char *text = g_strdup_printf("%s%s%s", file ? file : "",
						file && *file ? ": " : "",
						reason ? reason : "");
	g_autofree char *clean = spk_text_clean(text, -1, SPK_CLEAN_LINE);

	spk_ui_fold(out, clean, 12, spk_ui_columns(fd), 6);
}

/* What another model thinks of it, which has decided nothing. */
static void critic(const json_t *said, int fd, GString *out)
{
	const char *opinion = spk_json_str(said, "opinion");
	const json_t *objections = json_object_get(said, "objections"), *one;
	const char *model = spk_json_str(said, "model"), *why = spk_json_str(said, "why");
	gboolean objects = json_array_size(objections) > 0;
	gboolean accepts = !g_strcmp0(opinion, "accept");
	g_autofree char *words =
		accepts	  ? g_strdup_printf("%s has no objection", model ? model : "it")
		: objects ? g_strdup_printf("%s objects:", model ? model : "it")
			  : g_strdup_printf("not reviewed: %s", why ? why : "");
	g_autofree char *line = spk_ui_line(words, spk_ui_columns(fd) - 12);
	size_t i;

	if (!opinion)
		return;
	spk_ui_paint(out, fd, "dim", "  critic    ");
	spk_ui_paint(out, fd, accepts ? "ok" : "warn", line);
	g_string_append(out, spk_json_bool(said, "cut", FALSE)
				     ? " (it saw the beginning of the change)\n"
				     : "\n");
	json_array_foreach(objections, i, one)
		objection(one, fd, out);
}

void spk_summary_evidence(const json_t *report, int fd, GString *out)
{
	int columns = spk_ui_columns(fd);
	gboolean narrow = columns < SPK_UI_NARROW;
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(report, "checks"), i, check) {
		gint64 exit_code = spk_json_int(check, "exit_code", -1);
		const char *phase = spk_json_str(check, "phase");
		const char *command = spk_json_str(check, "command");
		g_autofree char *label = g_strdup_printf("  %-9s ", i ? "" : "checks");
		g_autofree char *result = g_strdup_printf("exit %-3d", (int)exit_code);
		g_autofree char *seconds =
			spk_ui_seconds(spk_json_real(check, "seconds", 0));
		g_autofree char *line =
			spk_ui_line(command, MAX(20, columns - (narrow ? 12 : 50)));

		spk_ui_paint(out, fd, "dim", label);
		g_string_append_printf(out, narrow ? "%s " : "%-14s ",
				       phase ? phase : "");
		spk_ui_paint(out, fd, exit_code == 0 ? "ok" : "bad", result);
		if (narrow)
			g_string_append_printf(out, " %s\n%12s%s\n", seconds, "", line);
		else
			g_string_append_printf(out, "  %-8s %s\n", seconds, line);
	}
	critic(json_object_get(report, "critic"), fd, out);
}

/* What it has taught the memory, and how that is seen and taken back. */
static void learned(const SpkSummary *summary, int fd, GString *out)
{
	const SpkTrail *trail = summary->trail;
	const json_t *last = trail ? spk_trail_last(trail, "learn.result", G_MAXUINT)
				   : NULL;
	size_t n = json_array_size(json_object_get(last, "memories"));
	gboolean undone = trail && spk_trail_last(trail, "learn.undone", G_MAXUINT);
	g_autofree char *notes = spk_ui_count((gint64)n, "note");
	g_autofree char *text = NULL;

	if (!n && !undone)
		return;
	if (undone)
		text = g_strdup("what it learned was taken back");
	else
		text = g_strdup_printf(
			"%s learned: sparks memory list --task %s%s", notes,
			summary->task->id,
			spk_json_bool(last, "words_only", FALSE)
				? "; found by words alone until there is a "
				  "model: sparks memory model install"
				: "");
	row_whole(out, fd, "memory", text);
}

static void result(const SpkSummary *summary, int fd, GString *out)
{
	const SpkTask *task = summary->task;
	g_autofree char *text = NULL;

	if (task->branch && task->commit) {
		text = g_strdup_printf("branch %s, commit %.10s", task->branch,
				       task->commit);
		row(out, fd, "result", text);
	}
	if (task->tier)
		row(out, fd, "sandbox", task->tier);
	if (summary->trail && summary->trail->applied)
		row(out, fd, "applied",
		    summary->trail->apply_done
			    ? "yes, to the working tree"
			    : "begun, then interrupted: apply or undo it again");
}

static void used(const SpkSummary *summary, int fd, GString *out)
{
	const SpkTask *task = summary->task;
	g_autofree char *in = spk_ui_number(task->tokens_in);
	g_autofree char *out_tokens = spk_ui_number(task->tokens_out);
	g_autofree char *seconds = spk_ui_seconds(task->seconds);
	gboolean unknown = task->cost_usd < 0 && (task->tokens_in || task->tokens_out);
	g_autofree char *cost =
		unknown ? g_strdup("cost not known")
			: g_strdup_printf("$%.4f", MAX(0, task->cost_usd));
	g_autofree char *steps = spk_ui_count(task->steps, "step");
	g_autofree char *text = g_strdup_printf("%s, %s tokens in, %s out, %s, %s", steps,
						in, out_tokens, cost, seconds);

	row_whole(out, fd, "used", text);
}

static const char *const when_done[] = { "diff", "apply", NULL };
static const char *const when_applied[] = { "diff", "undo", NULL };
static const char *const when_cut_off[] = { "apply", "undo", NULL };
static const char *const when_halted[] = { "resume", "cancel", NULL };
static const char *const when_over[] = { "explain", "log", NULL };
static const char *const when_cancelled[] = { "resume", "explain", NULL };
static const char *const when_running[] = { "log --follow", "cancel", NULL };

static const char *const *next_words(const SpkSummary *summary)
{
	SpkState status = summary->task->status;

	if (status == SPK_STATE_DONE && (!summary->trail || !summary->trail->result))
		return when_over;
	if (status == SPK_STATE_DONE && summary->trail->applied)
		return summary->trail->apply_done ? when_applied : when_cut_off;
	if (status == SPK_STATE_DONE)
		return when_done;
	if (status == SPK_STATE_CANCELLED)
		return when_cancelled;
	if (spk_state_is_terminal(status))
		return when_over;
	if (summary->stranded || status == SPK_STATE_PAUSED ||
	    status == SPK_STATE_WAITING)
		return when_halted;
	return when_running;
}

static void next(const SpkSummary *summary, int fd, GString *out)
{
	const char *const *word = next_words(summary);

	g_string_append_c(out, '\n');
	for (guint i = 0; word[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(word[i], " ", 2);
		g_autofree char *text = g_strdup_printf("sparks tasks %s %s%s%s",
							parts[0], summary->task->id,
							parts[1] ? " " : "",
							parts[1] ? parts[1] : "");

		spk_ui_paint(out, fd, "dim", i ? "           " : "  next     ");
		g_string_append_printf(out, " %s\n", text); /* to type: in one piece */
	}
}

void spk_summary_format(const SpkSummary *summary, int fd, GString *out)
{
	headline(summary, fd, out);
	words(summary, fd, out);
	files(summary, fd, out);
	scans(summary, fd, out);
	spk_summary_evidence(summary->report, fd, out);
	result(summary, fd, out);
	learned(summary, fd, out);
	used(summary, fd, out);
	next(summary, fd, out);
}

/* We worked on it, and stopped: a full disk lets us not even give it back. */
static gboolean was_ours(const SpkTask *task)
{
	return !spk_state_is_terminal(task->status) && task->status != SPK_STATE_PAUSED &&
	       task->status != SPK_STATE_WAITING &&
	       !g_strcmp0(task->holder, spk_holder_self());
}

gboolean spk_summary_print(SpkCore *core, const SpkTask *task, GError **error)
{
	SpkStore *store = spk_core_store(core);
	g_autoptr(SpkTrail) trail = spk_trail_read(store, task->id, error);
	g_autoptr(json_t) report = trail ? spk_core_report(core, task, FALSE, error)
					 : NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GPtrArray) counts = NULL;
	g_autofree char *daemon = NULL;

	if (!report)
		return FALSE;
	/* No counts when the private copy is gone, and no daemon when it can't be asked: the
	 * summary says less then. */
	counts = spk_changes_count(core, task, trail, NULL);
	daemon = spk_worker_find(store, NULL);
	spk_summary_format(
		&(SpkSummary){ task, report, trail, counts,
			       was_ours(task) ||
				       spk_task_is_stranded(task, daemon != NULL) },
		STDOUT_FILENO, out);
	fputs(out->str, stdout);
	return TRUE;
}
