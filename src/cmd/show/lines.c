#include "cmd/show/lines.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/show/lines_priv.h"
#include "cmd/ui.h"
#include "store/approvals.h"

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
	g_free(lines->failure);
	g_free(lines);
}

static char *short_sha(const char *sha)
{
	return g_strndup(sha, MIN(strlen(sha), 10));
}

/* ---- one function per kind ---- */

static void on_accepted(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "queued");
	if (lines->verbose)
		line_add(out, "bold", "goal", "%s", line_str(p, "goal"));
}

static void on_state(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *to = line_str(p, "to"), *reason = line_str(p, "reason");
	gboolean halt = !strcmp(to, "waiting") || !strcmp(to, "paused") ||
			!strcmp(to, "cancelled");

	lines_now(lines, "%s", to);
	if (halt && !lines->verbose && !g_strcmp0(reason, lines->failure))
		return; /* it stands one line above */
	if (halt || lines->verbose)
		line_add(out, halt ? "warn" : "dim", "state", "%s%s%s", to,
			 *reason ? ": " : "", reason);
}

static void on_tree(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *base = short_sha(
		line_str(p, spk_json_str(p, "base_commit") ? "base_commit" : "base"));
	const json_t *note;
	size_t i;

	lines_now(lines, "private copy is ready");
	line_add(out, "dim", "copy", "private, of %s %s",
		 spk_json_bool(p, "is_git", FALSE) ? "the repository at"
						   : "the folder, snapshot",
		 base);
	json_array_foreach(json_object_get(p, "notes"), i, note)
		line_add(out, "warn", "note", "%s",
			 json_is_string(note) ? json_string_value(note) : "");
}

static void on_box(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *words = spk_ui_box(line_str(p, "tier"), line_str(p, "describe"));
	char *more = strchr(words, ';');

	lines_now(lines, "sandbox is ready");
	if (more && !lines->verbose)
		*more = '\0'; /* the rest is in the log, and `sparks doctor` says it */
	line_add_whole(out, "dim", "sandbox", words);
}

static void on_resumed(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "going on");
	line_add(out, "warn", "resumed", "goes on where it was: %s",
		 line_str(p, "status"));
}

static void on_setup_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *hosts = line_list(json_object_get(p, "allow"));
	gboolean given = spk_json_bool(p, "remember", FALSE);

	lines_now(lines, "setup: %s", line_str(p, "command"));
	line_add(out, "bold", "setup", "%s%s%s%s%s", line_str(p, "command"),
		 *hosts ? ", with " : "", hosts,
		 given ? "" : " (remembered; --no-setup leaves it out)",
		 spk_json_bool(p, "again", FALSE) ? ", once more: it was cut off" : "");
}

static void on_setup_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	int code = (int)spk_json_int(p, "exit_code", -1);
	g_autofree char *folders = line_list(json_object_get(p, "folders"));
	g_autofree char *dropped = line_list(json_object_get(p, "dropped"));

	lines_now(lines, "setup is done");
	line_add(out, code ? "bad" : "ok", "setup", "exit code %d in %.1f s%s%s", code,
		 spk_json_real(p, "seconds", 0), *folders ? "; it left " : "", folders);
	if (*dropped)
		line_add(out, "warn", "setup",
			 "these are files of the repository, and stay as they were: %s",
			 dropped);
	if (spk_json_bool(p, "kept", FALSE))
		line_add(out, "dim", "setup",
			 "remembered for the next tasks here: `sparks setup list`");
	if (json_object_get(p, "scan"))
		lines_add_scan(json_object_get(p, "scan"), "what it printed", out);
}

static void on_checks(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *command = line_str(p, "recognised");

	if (lines->verbose)
		line_add(out, "dim", "checks", "the repository's own: %s",
			 *command ? command : "none is known");
}

static void on_note(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *why = line_str(p, "why");

	line_add(out, "dim", "note", "to the model%s%s%s: %s", *why ? " (" : "", why,
		 *why ? ")" : "", line_str(p, "text"));
}

/* The word to the model is a note; that the work ends has an entry of its own. */
static void on_loop(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const json_t *one;
	gsize i;

	if (lines->verbose)
		json_array_foreach(json_object_get(p, "evidence"), i, one)
			line_add(out, "dim", "loop", "%s", line_str(one, "call"));
}

static void on_recall(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	size_t n = json_array_size(json_object_get(p, "memories"));
	g_autofree char *notes = spk_ui_count((gint64)n, "note");
	gint64 left_out = spk_json_int(p, "left_out", 0);
	const json_t *one;
	size_t i;

	if (n || lines->verbose)
		line_add(out, "dim", "memory", "%s told to the model", notes);
	if (left_out)
		line_add(out, "dim", "memory",
			 "left out, for what wrote it: %" G_GINT64_FORMAT, left_out);
	json_array_foreach(json_object_get(p, "memories"), i, one)
		if (lines->verbose)
			line_add(out, "dim", "memory", "%s, %s, %s%s",
				 line_str(one, "id"), line_str(one, "kind"),
				 line_str(one, "scope"),
				 spk_json_bool(one, "untrusted", FALSE) ? ", untrusted"
									: "");
}

static void on_learn_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "remembering");
	if (lines->verbose)
		line_add(out, "dim", "memory", "begins to remember");
}

/* What a person has said of themselves is told as it was understood; the rest is for who looks. */
static void on_learn_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const json_t *memories = json_object_get(p, "memories"), *one;
	g_autofree char *notes = spk_ui_count((gint64)json_array_size(memories), "note");
	size_t i;

	if (*line_str(p, "problem"))
		line_add(out, "warn", "memory", "not all could be remembered: %s",
			 line_str(p, "problem"));
	if (!lines->verbose && json_array_size(memories))
		line_add(out, "dim", "learned", "%s", notes);
	json_array_foreach(memories, i, one)
		if (lines->verbose || !strcmp(line_str(one, "kind"), "preference"))
			line_add(out, "dim", "learned", "%s: %s", line_str(one, "kind"),
				 line_str(one, "text"));
}

static void on_learn_undone(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "ok", "forgotten", "memories of this task: %zu, back in use: %zu",
		 json_array_size(json_object_get(p, "forgotten")),
		 json_array_size(json_object_get(p, "revived")));
}

/* Only what a person may miss in the answer. */
static void on_history(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	gint64 shortened = spk_json_int(p, "shortened", 0);
	gint64 left_out = spk_json_int(p, "left_out", 0);

	if (shortened || left_out || lines->verbose)
		line_add(out, "dim", "context",
			 "earlier turns: %" G_GINT64_FORMAT
			 " told, of them shortened %" G_GINT64_FORMAT
			 ", left out %" G_GINT64_FORMAT,
			 spk_json_int(p, "turns", 0), shortened, left_out);
}

static void on_refused(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "dim", "refused", "by the %s", line_str(p, "by"));
}

static void on_compaction(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "dim", "context",
		 "%" G_GINT64_FORMAT " results shortened, %" G_GINT64_FORMAT
		 " messages left out of later requests, %" G_GINT64_FORMAT " kept",
		 spk_json_int(p, "shortened", 0), spk_json_int(p, "dropped", 0),
		 spk_json_int(p, "kept", 0));
}

static void on_ended(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *end = line_str(p, "end"), *reason = line_str(p, "reason");
	gboolean finished = !strcmp(end, "finished");

	lines_now(lines, "verifying");
	if (!finished || lines->verbose)
		line_add(out, finished ? "dim" : "warn", finished ? "ended" : "stopped",
			 "%s%s%s", end, *reason ? ": " : "", reason);
}

static void on_verdict(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *name = line_str(p, "verdict"), *reason = line_str(p, "reason");
	SpkVerdict verdict = SPK_VERDICT_NONE;
	g_autofree char *text = NULL;

	(void)spk_verdict_parse(name,
				&verdict); /* a name we don't know: shown as it is */
	text = g_strconcat(name, *reason ? ": " : "", reason, NULL);
	line_add_whole(out, spk_ui_verdict_role(verdict), "verdict", text);
}

static void on_routed(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "dim", "spark", "%s, by %s: %s", line_str(p, "spark"),
		 line_str(p, "by"), line_str(p, "why"));
}

static void on_critic(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *opinion = line_str(p, "opinion");
	const json_t *one;
	size_t i;

	lines_now(lines, "reviewed");
	if (!strcmp(opinion, "accept"))
		line_add(out, "ok", "critic", "%s has no objection",
			 line_str(p, "model"));
	else if (strcmp(opinion, "object") != 0)
		line_add(out, "warn", "critic", "not reviewed: %s", line_str(p, "why"));
	json_array_foreach(json_object_get(p, "objections"), i, one) {
		const char *file = line_str(one, "file");

		line_add(out, "warn", "critic", "%s%s%s", file, *file ? ": " : "",
			 line_str(one, "reason"));
	}
}

static void on_judge(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *opinion = line_str(p, "opinion");

	if (spk_json_bool(p, "rests", FALSE))
		line_add(out, "warn", "judge", "nobody is asked: %s", line_str(p, "why"));
	else if (!strcmp(opinion, "orders"))
		line_add(out, "warn", "judge", "%s takes %s for orders",
			 line_str(p, "model"), line_str(p, "what"));
}

static void on_kept(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "warn", "kept", "the result of round %" G_GINT64_FORMAT ": %s",
		 spk_json_int(p, "round", 0) + 1, line_str(p, "why"));
}

static void on_restored(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "warn", "restored", "the private copy was set back: %s",
		 line_str(p, "why"));
}

static void on_commit_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *sha = short_sha(line_str(p, "commit"));
	const char *branch = line_str(p, "branch");
	const json_t *kept = json_object_get(p, "kept");

	if (spk_json_bool(p, "in_user_repo", FALSE))
		line_add(out, "ok", "commit", "%s on %s", sha, branch);
	else
		line_add(out, "ok", "commit", "%s, kept with the task (%s)", sha,
			 json_is_object(kept) ? line_str(kept, "why")
					      : "the folder is no repository");
}

static void on_apply_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	size_t conflicts = json_array_size(json_object_get(p, "conflicts"));

	line_add(out, conflicts ? "warn" : "ok", "applied",
		 "files written: %zu, merged: %zu, with conflicts: %zu",
		 json_array_size(json_object_get(p, "written")),
		 json_array_size(json_object_get(p, "merged")), conflicts);
}

static void on_undo_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "ok", "undone", "files set back: %zu",
		 json_array_size(json_object_get(p, "written")));
}

static void on_asked(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "waiting for an answer");
	line_add(out, "warn", "asked", "question %s: %s", line_str(p, "question"),
		 line_str(p, "line"));
}

static void on_answered(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *answer = line_str(p, "answer"), *note = line_str(p, "note");
	SpkAnswer is = SPK_ANSWER_OPEN;
	g_autofree char *words = NULL;

	(void)spk_answer_parse(answer, &is); /* a name we don't know: shown as it is */
	words = g_strdelimit(g_strdup(answer), "_", ' ');
	line_add(out, spk_answer_allows(is) ? "ok" : "warn", "answer",
		 "%s, by %s (%s)%s%s: %s", words, line_str(p, "by"), line_str(p, "how"),
		 *note ? ", " : "", note, line_str(p, "line"));
}

static void on_mail(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "warn", "heard", "%s", line_str(p, "kind"));
}

/* Before an effect: of interest only when reading the whole log. */
static void on_commit_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	if (lines->verbose)
		line_add(out, "dim", "commit", "begins, for %s", line_str(p, "branch"));
}

static void on_apply_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	if (lines->verbose)
		line_add(out, "dim", "apply", "begins; what undo needs is on record");
}

static void on_undo_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	if (lines->verbose)
		line_add(out, "dim", "undo", "begins, of entry %" G_GINT64_FORMAT,
			 spk_json_int(p, "of", 0));
}

static void on_pruned(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	line_add(out, "dim", "dropped", "%s, by housekeeping", line_str(p, "what"));
}

/* What was let through is told when it is over. */
static void on_net_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
}

static void on_net_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *refused = line_str(p, "refused"), *key = line_str(p, "credential");
	g_autofree char *sent = spk_text_bytes((guint64)spk_json_int(p, "sent", 0));
	g_autofree char *received =
		spk_text_bytes((guint64)spk_json_int(p, "received", 0));

	if (*refused)
		line_add(out, "warn", "network", "refused: %s", refused);
	else
		line_add(out, "dim", "network",
			 "%s %s:%" G_GINT64_FORMAT "%s%s, %s sent, %s received",
			 line_str(p, "method"), line_str(p, "host"),
			 spk_json_int(p, "port", 0), *key ? " with " : "", key, sent,
			 received);
}

static void on_scan(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_add_scan(p, line_str(p, "what"), out);
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
	{ "setup.intent", on_setup_intent },
	{ "setup.result", on_setup_result },
	{ "checks", on_checks },
	{ "check.intent", lines_on_check_intent },
	{ "check.result", lines_on_check_result },
	{ "model.intent", lines_on_model_intent },
	{ "model.result", lines_on_model_result },
	{ "model.error", lines_on_model_error },
	{ "tool.intent", lines_on_tool_intent },
	{ "tool.result", lines_on_tool_result },
	{ "cli", lines_on_cli },
	{ "net.intent", on_net_intent },
	{ "net.result", on_net_result },
	{ "loop", on_loop },
	{ "scan", on_scan },
	{ "note", on_note },
	{ "history", on_history },
	{ "recall", on_recall },
	{ "learn.intent", on_learn_intent },
	{ "learn.result", on_learn_result },
	{ "learn.undone", on_learn_undone },
	{ "compaction", on_compaction },
	{ "ended", on_ended },
	{ "verdict", on_verdict },
	{ "routed", on_routed },
	{ "critic", on_critic },
	{ "judge", on_judge },
	{ "kept", on_kept },
	{ "restored", on_restored },
	{ "commit.intent", on_commit_intent },
	{ "commit.result", on_commit_result },
	{ "apply.intent", on_apply_intent },
	{ "apply.result", on_apply_result },
	{ "refused", on_refused },
	{ "undo.intent", on_undo_intent },
	{ "undo.result", on_undo_result },
	{ "approval.asked", on_asked },
	{ "approval.answered", on_answered },
	{ "mail", on_mail },
	{ "pruned", on_pruned },
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
		line_add(out, "dim", "other", "%s", entry->kind);
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
