#include "cmd/ui.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "base/veil.h"
#include "cmd/cmd.h"

#define PIPE_COLUMNS 160

int spk_ui_columns(int fd)
{
	return spk_term_is_tty(fd) ? MAX(20, spk_term_width(fd)) : PIPE_COLUMNS;
}

void spk_ui_paint(GString *out, int fd, const char *role, const char *text)
{
	const char *start = role && *role ? spk_term_sgr(fd, role) : "";

	g_string_append(out, start);
	g_string_append(out, text);
	if (*start)
		g_string_append(out, spk_term_sgr(fd, "reset"));
}

char *spk_ui_clip(const char *text, int columns)
{
	GString *out;
	int used = 0;

	if (spk_text_width(text) <= columns)
		return g_strdup(text);
	out = g_string_new(NULL);
	for (const char *p = text; *p;) {
		int width;
		gsize len = spk_text_cluster(p, &width);

		if (used + width > columns - 1)
			break;
		used += width;
		g_string_append_len(out, p, len);
		p += len;
	}
	if (columns > 0)
		g_string_append(out, "…");
	return g_string_free(out, FALSE);
}

char *spk_ui_line(const char *text, int columns)
{
	/* no line shows more than 4 bytes a column; what comes may be megabytes */
	gsize len = text ? spk_text_prefix_len(text, strlen(text), 8192) : 0;
	g_autofree char *clean = spk_text_clean(text ? text : "", len, SPK_CLEAN_LINE);
	g_autofree char *shown = spk_veil_text(clean);

	return spk_ui_clip(shown, columns);
}

/* Bytes of `text` that fit into `columns`, ending at a blank where there is one. A `command`
 * stays whole when that leaves a line worth having. */
static gsize fold_len(const char *text, int columns)
{
	const char *p = text, *blank = NULL, *within = NULL;
	gboolean quoted = FALSE;
	int used = 0, at = 0, width;

	for (gsize len; *p && *p != '\n'; p += len) {
		len = spk_text_cluster(p, &width);
		used += width;
		if (used > columns && p > text)
			break;
		quoted ^= *p == '`';
		if (*p == ' ' && quoted) {
			within = p;
		} else if (*p == ' ') {
			blank = p;
			at = used;
		}
	}
	if (!*p || *p == '\n')
		return p - text;
	if (within && at < columns / 3)
		blank = within;
	return (blank ? blank : p) - text;
}

void spk_ui_fold(GString *out, const char *text, int indent, int columns, guint max_lines)
{
	g_autofree char *veiled = spk_veil_text(text);
	g_autofree char *clean = spk_text_clean(veiled, -1, SPK_CLEAN_TEXT);
	const char *p = g_strchomp(clean);

	for (guint n = 0; *p; n++) {
		gsize len = fold_len(p, MAX(8, columns - indent));

		if (n == max_lines) {
			g_string_append_printf(out, "%*s…\n", indent, "");
			return;
		}
		g_string_append_printf(out, "%*s%.*s\n", len ? indent : 0, "", (int)len,
				       p);
		p += len;
		p += *p == '\n' || *p == ' ';
	}
}

void spk_ui_field(GString *out, int fd, const char *role, const char *label,
		  const char *text, guint max_lines)
{
	g_autofree char *clean = spk_text_clean(text ? text : "", -1, SPK_CLEAN_LINE);
	g_autofree char *head = g_strdup_printf("  %-*s", SPK_UI_FIELD - 2, label);
	g_autoptr(GString) folded = g_string_new(NULL);

	if (!*clean)
		return;
	spk_ui_fold(folded, clean, SPK_UI_FIELD, spk_ui_columns(fd), max_lines);
	spk_ui_paint(out, fd, "dim", head);
	spk_ui_paint(out, fd, role, folded->str + MIN(folded->len, SPK_UI_FIELD));
}

static const char *diff_role(const char *line)
{
	static const struct {
		const char *start, *role;
	} roles[] = {
		{ "diff ", "bold" }, { "+++", "bold" }, { "---", "bold" },
		{ "+", "add" },	     { "-", "del" },	{ "@@", "dim" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (g_str_has_prefix(line, roles[i].start))
			return roles[i].role;
	return NULL;
}

void spk_ui_diff(GString *out, int fd, const char *diff)
{
	g_autofree char *veiled = spk_veil_text(diff);

	diff = veiled;
	while (*diff) {
		gsize len = strcspn(diff, "\n");
		g_autofree char *clean = spk_text_clean(diff, len, SPK_CLEAN_TEXT);

		spk_ui_paint(out, fd, diff_role(clean), clean);
		g_string_append_c(out, '\n');
		diff += len + (diff[len] == '\n');
	}
}

void spk_ui_write(int fd, const GString *text)
{
	(void)spk_fs_write_all(fd, text->str, text->len, NULL);
}

char *spk_ui_seconds(double seconds)
{
	if (seconds < 10)
		return g_strdup_printf("%.2f s", MAX(0, seconds));
	if (seconds < 120)
		return g_strdup_printf("%.0f s", seconds);
	if (seconds < 7200)
		return g_strdup_printf("%d min %d s", (int)seconds / 60,
				       (int)seconds % 60);
	return g_strdup_printf("%d h %d min", (int)(seconds / 3600),
			       (int)(seconds / 60) % 60);
}

char *spk_ui_number(gint64 n)
{
	g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, n);
	gsize len = strlen(digits), start = digits[0] == '-';
	GString *out = g_string_new(NULL);

	for (gsize i = 0; i < len; i++) {
		if (i > start && (len - i) % 3 == 0)
			g_string_append_c(out, ',');
		g_string_append_c(out, digits[i]);
	}
	return g_string_free(out, FALSE);
}

char *spk_ui_count(gint64 n, const char *one)
{
	g_autofree char *number = spk_ui_number(n);

	return g_strdup_printf("%s %s%s", number, one, n == 1 ? "" : "s");
}

char *spk_ui_time(gint64 wall_us)
{
	g_autoptr(GDateTime)
		time = g_date_time_new_from_unix_local(wall_us / G_USEC_PER_SEC);

	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("-");
}

/* ---- calls ---- */

static const struct {
	const char *tool;
	const char *keys[2]; /* the arguments worth showing */
} shown[] = {
	{ "file_read", { "path", NULL } },
	{ "file_write", { "path", NULL } },
	{ "file_edit", { "path", NULL } },
	{ "file_list", { "path", NULL } },
	{ "file_search", { "pattern", "path" } },
	{ "shell", { "command", NULL } },
	{ "git", { "args", NULL } },
	{ "memory_search", { "query", NULL } },
	{ "memory_save", { "text", NULL } },
	{ "finish", { NULL, NULL } },
};

static void append_value(GString *out, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value)) {
		if (out->len)
			g_string_append_c(out, ' ');
		g_string_append(out, json_string_value(value));
	}
	json_array_foreach(value, i, item)
		append_value(out, item);
}

char *spk_ui_call(const char *tool, const json_t *arguments)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(json_t) parsed = NULL;

	if (json_is_string(arguments)) {
		parsed = spk_json_parse(json_string_value(arguments),
					json_string_length(arguments), SPK_JSON_MAX,
					NULL);
		arguments = parsed;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(shown); i++) {
		if (g_strcmp0(shown[i].tool, tool) != 0)
			continue;
		for (gsize k = 0; k < G_N_ELEMENTS(shown[i].keys) && shown[i].keys[k];
		     k++)
			append_value(out, json_object_get(arguments, shown[i].keys[k]));
	}
	return spk_ui_line(out->str, 400);
}

char *spk_ui_box(const char *tier, const char *words)
{
	return g_str_has_prefix(words, tier) ? g_strdup(words)
					     : g_strconcat(tier, ": ", words, NULL);
}

/* ---- verdicts ---- */

static const struct {
	const char *role, *words;
} verdicts[SPK_N_VERDICTS] = {
	[SPK_VERDICT_NONE] = { "dim", "" },
	[SPK_VERDICT_VERIFIED] = { "ok",
				   "the checks failed before the change and pass after it" },
	[SPK_VERDICT_REGRESSION_ONLY] = { "ok",
					  "the checks pass, as they did before: they show "
					  "that nothing broke, not that the goal is reached" },
	[SPK_VERDICT_REVIEW] = { "warn",
				 "the checks pass, but somebody should look: tests or "
				 "build files were changed" },
	[SPK_VERDICT_UNVERIFIED] = { "warn",
				     "no check is known, so nothing shows that it works" },
	[SPK_VERDICT_FAILED] = { "bad", "the checks do not pass" },
};

char *spk_ui_state(SpkState state)
{
	return g_strdelimit(g_strdup(spk_state_name(state)), "_", ' ');
}

const char *spk_ui_verdict_words(SpkVerdict verdict)
{
	return verdicts[verdict].words;
}

const char *spk_ui_verdict_role(SpkVerdict verdict)
{
	return verdicts[verdict].role;
}

/* ---- a question ---- */

gboolean spk_ui_can_ask(void)
{
	return spk_term_is_tty(STDIN_FILENO) && spk_term_is_tty(STDERR_FILENO);
}

gboolean spk_ui_ask(const char *question)
{
	char answer[64];

	if (!spk_ui_can_ask())
		return FALSE;
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return FALSE;
	g_strstrip(answer);
	return !g_ascii_strcasecmp(answer, "y") || !g_ascii_strcasecmp(answer, "yes");
}
