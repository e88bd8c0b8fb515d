#include "cmd/lines.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/ui.h"

#define TEXT_COLUMNS 400 /* kept of any text; the terminal cuts further */

struct SpkLines {
	gboolean verbose;
	GHashTable *calls; /* "turn/index" -> what the call does, in words */
	char *doing;
	guint turns;
	gint64 tokens;
};

SpkLines *spk_lines_new(gboolean verbose)
{
	SpkLines *lines = g_new0(SpkLines, 1);

	lines->verbose = verbose;
	lines->calls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	lines->doing = g_strdup("starting");
	return lines;
}

void spk_lines_free(SpkLines *lines)
{
	if (!lines)
		return;
	g_hash_table_unref(lines->calls);
	g_free(lines->doing);
	g_free(lines);
}

static void line_free(gpointer data)
{
	SpkLine *line = data;

	g_free(line->text);
	g_free(line->tail);
	g_free(line);
}

G_GNUC_PRINTF(4, 5)
static void add(GPtrArray *out, const char *role, const char *label, const char *format,
		...)
{
	g_autofree char *raw = NULL;
	SpkLine *line = g_new0(SpkLine, 1);
	va_list args;

	va_start(args, format);
	raw = g_strdup_vprintf(format, args);
	va_end(args);
	line->role = role;
	line->label = label;
	line->text = spk_ui_line(raw, TEXT_COLUMNS);
	g_ptr_array_add(out, line);
}

/* Of the line added last. */
G_GNUC_PRINTF(2, 3)
static void add_tail(GPtrArray *out, const char *format, ...)
{
	SpkLine *line = out->pdata[out->len - 1];
	g_autofree char *raw = NULL;
	va_list args;

	va_start(args, format);
	raw = g_strdup_vprintf(format, args);
	va_end(args);
	line->tail = spk_ui_line(raw, TEXT_COLUMNS);
}

G_GNUC_PRINTF(2, 3)
static void now(SpkLines *lines, const char *format, ...)
{
	g_autofree char *raw = NULL;
	va_list args;

	va_start(args, format);
	raw = g_strdup_vprintf(format, args);
	va_end(args);
	g_free(lines->doing);
	lines->doing = spk_ui_line(raw, TEXT_COLUMNS);
}

static const char *str(const json_t *payload, const char *key)
{
	const char *text = spk_json_str(payload, key);

	return text ? text : "";
}

/* The last line of a text that has something on it. */
static char *last_line(const char *text)
{
	gsize len = strlen(text);
	const char *start;

	while (len && g_ascii_isspace(text[len - 1]))
		len--;
	for (start = text + len; start > text && start[-1] != '\n'; start--)
		;
	return g_strndup(start, text + len - start);
}

static char *short_sha(const char *sha)
{
	return g_strndup(sha, MIN(strlen(sha), 10));
}

/* ---- one function per kind ---- */

static void on_accepted(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	now(lines, "queued");
	if (lines->verbose)
		add(out, "bold", "goal", "%s", str(p, "goal"));
}

static void on_state(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *to = str(p, "to"), *reason = str(p, "reason");
	gboolean halt = !strcmp(to, "waiting") || !strcmp(to, "paused") ||
			!strcmp(to, "cancelled");

	now(lines, "%s", to);
	if (halt || lines->verbose)
		add(out, halt ? "warn" : "dim", "state", "%s%s%s", to,
		    *reason ? ": " : "", reason);
}

static void on_tree(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *base = short_sha(
		str(p, spk_json_str(p, "base_commit") ? "base_commit" : "base"));
	const json_t *note;
	size_t i;

	now(lines, "private copy is ready");
	add(out, "dim", "copy", "private, of %s %s",
	    spk_json_bool(p, "is_git", FALSE) ? "the repository at"
					      : "the folder, snapshot",
	    base);
	json_array_foreach(json_object_get(p, "notes"), i, note)
		add(out, "warn", "note", "%s",
		    json_is_string(note) ? json_string_value(note) : "");
}

static void on_box(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *words = spk_ui_box(str(p, "tier"), str(p, "describe"));
	g_auto(GStrv) parts = g_strsplit(words, "; ", 8);

	now(lines, "sandbox is ready");
	for (guint i = 0; parts[i]; i++)
		add(out, "dim", i ? "" : "sandbox", "%s", parts[i]);
}

static void on_resumed(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *unknown = spk_json_str(p, "unknown");

	now(lines, "going on");
	add(out, "warn", "resumed", "goes on after entry %" G_GINT64_FORMAT "%s%s",
	    spk_json_int(p, "last_seq", 0), unknown ? "; outcome not known: " : "",
	    unknown ? unknown : "");
}

static void on_check_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	now(lines, "check: %s", str(p, "command"));
	if (lines->verbose)
		add(out, "dim", "check", "starts %s (%s)", str(p, "command"),
		    str(p, "phase"));
}

/* The journal's names of the phases, and the label of each. */
static const char *phase_label(const char *phase)
{
	static const char *const names[][2] = {
		{ "before", "before" },
		{ "after", "after" },
		{ "original_tests", "old tests" },
		{ "original_build", "old build" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i][0], phase))
			return names[i][1];
	return "check";
}

static void on_check_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	gint64 exit_code = spk_json_int(p, "exit_code", -1);
	g_autofree char *seconds = spk_ui_seconds(spk_json_real(p, "seconds", 0));
	g_autofree char *last = last_line(str(p, "tail"));
	const char *label = phase_label(str(p, "phase"));

	now(lines, "thinking");
	add(out, exit_code == 0 ? "ok" : "bad", label, "%s", str(p, "command"));
	add_tail(out, "%s%" G_GINT64_FORMAT ", %s%s%s",
		 spk_json_bool(p, "timed_out", FALSE) ? "time-out, exit " : "exit ",
		 exit_code, seconds, *last ? ": " : "", last);
}

static void on_model_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	now(lines, "thinking");
	if (lines->verbose)
		add(out, "dim", "model",
		    "asked, turn %" G_GINT64_FORMAT ", ~%" G_GINT64_FORMAT " tokens",
		    spk_json_int(p, "turn", 0) + 1,
		    spk_json_int(p, "tokens_estimate", 0));
}

static void on_model_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const json_t *usage = json_object_get(p, "usage");
	const char *text = str(p, "text");
	gint64 attempts = spk_json_int(p, "attempts", 1);

	lines->turns++;
	lines->tokens += MAX(0, spk_json_int(usage, "input", 0)) +
			 MAX(0, spk_json_int(usage, "output", 0));
	if (attempts > 1)
		add(out, "warn", "model", "answered at attempt %" G_GINT64_FORMAT,
		    attempts);
	if (*text || lines->verbose)
		add(out, "dim", "model", "%s", *text ? text : "(calls tools)");
}

static void on_model_error(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	add(out, "bad", "model", "%s: %s", str(p, "code"), str(p, "message"));
}

static char *call_key(const json_t *p)
{
	return g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
			       spk_json_int(p, "turn", -1), spk_json_int(p, "index", -1));
}

static void on_tool_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *words =
		spk_ui_call(str(p, "name"), json_object_get(p, "arguments"));

	now(lines, "%s %s", str(p, "name"), words);
	if (lines->verbose)
		add(out, "dim", "call", "%s %s", str(p, "name"), words);
	g_hash_table_replace(lines->calls, call_key(p), g_steal_pointer(&words));
}

/* Labels are borrowed: the known tools have theirs, others share one. */
static const char *tool_label(const char *name)
{
	static const char *const labels[][2] = {
		{ "file_read", "read" },
		{ "file_write", "write" },
		{ "file_edit", "edit" },
		{ "file_list", "list" },
		{ "file_search", "search" },
		{ "shell", "shell" },
		{ "git", "git" },
		{ "finish", "finish" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++)
		if (!strcmp(labels[i][0], name))
			return labels[i][1];
	return "tool";
}

/* How a call ended, in a few words. */
static char *tool_outcome(const json_t *p, const char **ret_role)
{
	const json_t *meta = json_object_get(p, "meta");
	gint64 exit_code = spk_json_int(meta, "exit_code", -1);
	gboolean ok = spk_json_bool(p, "ok", FALSE);
	g_autofree char *last = NULL;

	*ret_role = ok && exit_code <= 0 ? "ok" : "bad";
	if (spk_json_bool(p, "unknown", FALSE)) {
		*ret_role = "warn";
		return g_strdup("outcome not known (interrupted)");
	}
	if (exit_code >= 0) {
		last = last_line(str(p, "text"));
		return g_strdup_printf("exit %" G_GINT64_FORMAT "%s%s", exit_code,
				       *last ? ": " : "", last);
	}
	return ok ? NULL : g_strdup(str(p, "text"));
}

static void on_tool_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *key = call_key(p);
	const char *words = g_hash_table_lookup(lines->calls, key);
	const char *name = str(p, "name"), *label = tool_label(name), *role;
	g_autofree char *outcome = tool_outcome(p, &role);
	gboolean known = strcmp(label, "tool") != 0;

	now(lines, "thinking");
	if (spk_json_bool(p, "finished", FALSE) && !lines->verbose)
		return; /* the summary is shown at the end */
	add(out, role, label, "%s%s%s", known ? "" : name, known ? "" : " ",
	    words ? words : "");
	if (outcome)
		add_tail(out, "%s", outcome);
	g_hash_table_remove(lines->calls, key);
}

static void on_snapshot(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *tree = short_sha(str(p, "tree"));

	if (lines->verbose)
		add(out, "dim", "snapshot", "tree %s", tree);
}

static void on_note(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *why = str(p, "why");

	add(out, "dim", "note", "to the model%s%s%s: %s", *why ? " (" : "", why,
	    *why ? ")" : "", str(p, "text"));
}

static void on_compaction(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	add(out, "dim", "context",
	    "%" G_GINT64_FORMAT " messages left out of later requests, %" G_GINT64_FORMAT
	    " kept",
	    spk_json_int(p, "dropped", 0), spk_json_int(p, "kept", 0));
}

static void on_ended(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *end = str(p, "end"), *reason = str(p, "reason");
	gboolean finished = !strcmp(end, "finished");

	now(lines, "verifying");
	if (!finished || lines->verbose)
		add(out, finished ? "dim" : "warn", finished ? "ended" : "stopped",
		    "%s%s%s", end, *reason ? ": " : "", reason);
}

static void on_verdict(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *name = str(p, "verdict"), *reason = str(p, "reason");
	SpkVerdict verdict = SPK_VERDICT_NONE;

	(void)spk_verdict_parse(name,
				&verdict); /* a name we don't know: shown as it is */
	add(out, spk_ui_verdict_role(verdict), "verdict", "%s%s%s", name,
	    *reason ? ": " : "", reason);
}

static void on_restored(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	add(out, "warn", "restored", "the private copy was set back: %s", str(p, "why"));
}

static void on_commit_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *sha = short_sha(str(p, "commit"));
	const char *branch = str(p, "branch");

	if (spk_json_bool(p, "in_user_repo", FALSE))
		add(out, "ok", "commit", "%s on %s", sha, branch);
	else
		add(out, "ok", "commit",
		    "%s, kept with the task (the folder is no repository)", sha);
}

static void on_apply_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	size_t conflicts = json_array_size(json_object_get(p, "conflicts"));

	add(out, conflicts ? "warn" : "ok", "applied",
	    "%zu files written, %zu merged, %zu conflicts",
	    json_array_size(json_object_get(p, "written")),
	    json_array_size(json_object_get(p, "merged")), conflicts);
}

static void on_undo_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	add(out, "ok", "undone", "%zu files set back",
	    json_array_size(json_object_get(p, "written")));
}

static void on_mail(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	add(out, "warn", "heard", "%s", str(p, "kind"));
}

/* Before an effect: of interest only when reading the whole log. */
static void on_plain_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	if (lines->verbose)
		add(out, "dim", "intent", "%s", str(p, "branch"));
}

/* Kinds of docs/journal.md. */
static const struct {
	const char *kind;
	void (*take)(SpkLines *lines, const json_t *payload, GPtrArray *out);
} kinds[] = {
	{ "accepted", on_accepted },
	{ "state", on_state },
	{ "tree", on_tree },
	{ "box", on_box },
	{ "resumed", on_resumed },
	{ "check.intent", on_check_intent },
	{ "check.result", on_check_result },
	{ "model.intent", on_model_intent },
	{ "model.result", on_model_result },
	{ "model.error", on_model_error },
	{ "tool.intent", on_tool_intent },
	{ "tool.result", on_tool_result },
	{ "snapshot", on_snapshot },
	{ "note", on_note },
	{ "compaction", on_compaction },
	{ "ended", on_ended },
	{ "verdict", on_verdict },
	{ "restored", on_restored },
	{ "commit.intent", on_plain_intent },
	{ "commit.result", on_commit_result },
	{ "apply.intent", on_plain_intent },
	{ "apply.result", on_apply_result },
	{ "undo.intent", on_plain_intent },
	{ "undo.result", on_undo_result },
	{ "mail", on_mail },
};

GPtrArray *spk_lines_take(SpkLines *lines, const SpkJournalEntry *entry)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(line_free);

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strcmp(kinds[i].kind, entry->kind) != 0)
			continue;
		kinds[i].take(lines, entry->payload, out);
		return out;
	}
	if (lines->verbose)
		add(out, "dim", "other", "%s", entry->kind);
	return out;
}

const char *spk_lines_doing(SpkLines *lines)
{
	return lines->doing;
}

guint spk_lines_turns(SpkLines *lines)
{
	return lines->turns;
}

gint64 spk_lines_tokens(SpkLines *lines)
{
	return lines->tokens;
}

static const char *mark_of(const char *role)
{
	static const char *const marks[][2] = {
		{ "ok", "✓" },
		{ "bad", "✗" },
		{ "warn", "!" },
		{ "bold", "●" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
		if (!strcmp(marks[i][0], role))
			return marks[i][1];
	return "·";
}

void spk_line_format(const SpkLine *line, int fd, int columns, GString *out)
{
	int room = MAX(16, columns - 14); /* "  ✓ label     " */
	int tail_width = line->tail ? spk_text_width(line->tail) : 0;
	int text_width =
		MIN(spk_text_width(line->text), MAX(room / 3, room - tail_width - 3));
	g_autofree char *text = spk_ui_clip(line->text, line->tail ? text_width : room);
	g_autofree char *tail =
		spk_ui_clip(line->tail ? line->tail : "", room - text_width - 3);
	g_autofree char *label = g_strdup_printf("%-9s ", line->label);
	const char *role = strcmp(line->role, "dim") ? NULL : "dim";

	g_string_append(out, "  ");
	spk_ui_paint(out, fd, line->role, mark_of(line->role));
	g_string_append_c(out, ' ');
	spk_ui_paint(out, fd, "dim", label);
	spk_ui_paint(out, fd, role, text);
	if (line->tail) {
		spk_ui_paint(out, fd, "dim", " → ");
		spk_ui_paint(out, fd, role, tail);
	}
	g_string_append_c(out, '\n');
}
