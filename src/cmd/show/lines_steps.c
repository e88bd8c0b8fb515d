/* Checks, answers of the model and calls of tools, in words. */
#include <string.h>

#include "base/json.h"
#include "cmd/show/lines_priv.h"
#include "cmd/ui.h"

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

void lines_on_check_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "check: %s", line_str(p, "command"));
	if (lines->verbose)
		line_add(out, "dim", "check", "starts %s (%s)", line_str(p, "command"),
			 line_str(p, "phase"));
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

void lines_on_check_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	gint64 exit_code = spk_json_int(p, "exit_code", -1);
	g_autofree char *seconds = spk_ui_seconds(spk_json_real(p, "seconds", 0));
	g_autofree char *last = last_line(line_str(p, "tail"));
	const char *label = phase_label(line_str(p, "phase"));

	lines_now(lines, "thinking");
	line_add(out, exit_code == 0 ? "ok" : "bad", label, "%s", line_str(p, "command"));
	line_add_tail(out, "%s%" G_GINT64_FORMAT ", %s%s%s",
		      spk_json_bool(p, "timed_out", FALSE) ? "time-out, exit " : "exit ",
		      exit_code, seconds, *last ? ": " : "", last);
	if (json_object_get(p, "scan"))
		lines_add_scan(json_object_get(p, "scan"), "what it printed", out);
}

void lines_on_model_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	lines_now(lines, "thinking");
	if (lines->verbose)
		line_add(out, "dim", "model",
			 "asked, turn %" G_GINT64_FORMAT ", ~%" G_GINT64_FORMAT " tokens",
			 spk_json_int(p, "turn", 0) + 1,
			 spk_json_int(p, "tokens_estimate", 0));
}

void lines_on_model_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const json_t *usage = json_object_get(p, "usage");
	const char *text = line_str(p, "text");
	gint64 attempts = spk_json_int(p, "attempts", 1);

	lines->turns++;
	lines->tokens += MAX(0, spk_json_int(usage, "input", 0)) +
			 MAX(0, spk_json_int(usage, "output", 0));
	if (attempts > 1)
		line_add(out, "warn", "model", "answered at attempt %" G_GINT64_FORMAT,
			 attempts);
	if (*text || lines->verbose)
		line_add(out, "dim", "model", "%s", *text ? text : "(calls tools)");
}

void lines_on_model_error(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const char *code = line_str(p, "code"), *message = line_str(p, "message");

	g_free(lines->failure);
	lines->failure = g_strdup(message);
	if (lines->verbose)
		line_add(out, "bad", "model", "%s: %s", code, message);
	else if (strcmp(code, "cancelled") != 0) /* who cancelled it knows */
		line_add(out, "bad", "model", "%s", message);
}

static char *call_key(const json_t *p)
{
	return g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
			       spk_json_int(p, "turn", -1), spk_json_int(p, "index", -1));
}

void lines_on_tool_intent(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *words =
		spk_ui_call(line_str(p, "name"), json_object_get(p, "arguments"));

	lines_now(lines, "%s %s", line_str(p, "name"), words);
	if (lines->verbose)
		line_add(out, "dim", "call", "%s %s", line_str(p, "name"), words);
	g_hash_table_replace(lines->calls, call_key(p), g_steal_pointer(&words));
}

/* An attempt of an agent program. */
void lines_on_cli(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	const json_t *usage = json_object_get(p, "usage");
	gboolean well = json_is_null(json_object_get(p, "code"));
	const char *problem = line_str(p, "problem"), *model = line_str(p, "model");
	gint64 tokens =
		spk_json_int(usage, "input", 0) + spk_json_int(usage, "output", 0);
	g_autofree char *counted = spk_ui_number(tokens);
	g_autofree char *files = spk_ui_count(spk_json_int(p, "changed", 0), "file");

	lines->tokens += tokens;
	line_add(out, well ? "ok" : "bad", "agent", "%s%s%s: %s%s%s, %s, %s tokens",
		 line_str(p, "tool"), *model ? " with " : "", model,
		 line_str(p, "status"), well || !*problem ? "" : ": ",
		 well ? "" : problem, files, counted);
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
		{ "memory_search", "recall" },
		{ "memory_save", "note" },
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
	if (json_object_get(p,
			    "law")) { /* a refusal: what was done has it in the intent */
		*ret_role = "warn";
		return g_strdup_printf("refused, rule %s: %s",
				       line_str(json_object_get(p, "law"), "rule"),
				       line_str(json_object_get(p, "law"), "why"));
	}
	if (spk_json_bool(p, "unknown", FALSE)) {
		*ret_role = "warn";
		return g_strdup("outcome not known (interrupted)");
	}
	if (exit_code >= 0) {
		last = last_line(line_str(p, "text"));
		return g_strdup_printf("exit %" G_GINT64_FORMAT "%s%s", exit_code,
				       *last ? ": " : "", last);
	}
	return ok ? NULL : g_strdup(line_str(p, "text"));
}

void lines_add_scan(const json_t *scan, const char *what, GPtrArray *out)
{
	const json_t *first = json_array_get(json_object_get(scan, "findings"), 0);
	gboolean blocked = !g_strcmp0(spk_json_str(scan, "verdict"), "block");

	line_add(out, "warn", "scanner",
		 "%s seems to give orders to the model (%s)%s: %s", what,
		 first ? line_str(first, "rule") : "", blocked ? ", withheld" : "",
		 first ? line_str(first, "excerpt") : "");
}

void lines_on_tool_result(SpkLines *lines, const json_t *p, GPtrArray *out)
{
	g_autofree char *key = call_key(p);
	const char *words = g_hash_table_lookup(lines->calls, key);
	g_autofree char *refused =
		words ? NULL
		      : spk_ui_call(line_str(p, "name"), json_object_get(p, "arguments"));
	const char *name = line_str(p, "name"), *label = tool_label(name), *role;
	g_autofree char *outcome = tool_outcome(p, &role);
	gboolean known = strcmp(label, "tool") != 0;

	lines_now(lines, "thinking");
	if (spk_json_bool(p, "finished", FALSE) && !lines->verbose)
		return; /* the summary is shown at the end */
	line_add(out, role, label, "%s%s%s", known ? "" : name, known ? "" : " ",
		 words ? words : refused);
	if (outcome)
		line_add_tail(out, "%s", outcome);
	if (json_object_get(p, "scan"))
		lines_add_scan(json_object_get(p, "scan"), "what it brought", out);
	g_hash_table_remove(lines->calls, key);
}
