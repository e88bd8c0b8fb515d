/* One line of progress: made from text of any origin, cut and coloured when it is shown. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/show/lines_priv.h"
#include "cmd/ui.h"

#define INDENT	     14 /* "  ✓ label     " */
#define ARROW	     3	/* " → " */
#define MAX_FOLDED   6
#define MAX_TAIL     2
#define LISTED	     5
#define TEXT_COLUMNS 400 /* kept of any text; the terminal cuts further */

void line_free(gpointer data)
{
	SpkLine *line = data;

	g_free(line->text);
	g_free(line->tail);
	g_free(line);
}

void line_add(GPtrArray *out, const char *role, const char *label, const char *format,
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
void line_add_whole(GPtrArray *out, const char *role, const char *label, const char *text)
{
	line_add(out, role, label, "%s", text);
	((SpkLine *)out->pdata[out->len - 1])->whole = TRUE;
}

void line_add_tail(GPtrArray *out, const char *format, ...)
{
	SpkLine *line = out->pdata[out->len - 1];
	g_autofree char *raw = NULL;
	va_list args;

	va_start(args, format);
	raw = g_strdup_vprintf(format, args);
	va_end(args);
	line->tail = spk_ui_line(raw, TEXT_COLUMNS);
}

char *line_list(const json_t *array)
{
	GString *text = g_string_new(NULL);
	size_t n = json_array_size(array);

	for (size_t i = 0; i < n && i < LISTED; i++) {
		const char *item = json_string_value(json_array_get(array, i));

		g_string_append_printf(text, "%s%s", i ? ", " : "", item ? item : "");
	}
	if (n > LISTED)
		g_string_append_printf(text, " and %zu more", n - LISTED);
	return g_string_free(text, FALSE);
}

void lines_now(SpkLines *lines, const char *format, ...)
{
	g_autofree char *raw = NULL;
	va_list args;

	va_start(args, format);
	raw = g_strdup_vprintf(format, args);
	va_end(args);
	g_free(lines->doing);
	lines->doing = spk_ui_line(raw, TEXT_COLUMNS);
}

const char *line_str(const json_t *payload, const char *key)
{
	const char *text = spk_json_str(payload, key);

	return text ? text : "";
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

/* Text on up to max_lines lines, the later ones below the first, which stands at `indent`. */
static void fold(GString *out, int fd, const char *role, const char *text, int indent,
		 int columns, guint max_lines)
{
	g_autoptr(GString) folded = g_string_new(NULL);

	spk_ui_fold(folded, text, indent, columns, max_lines);
	g_string_truncate(folded, folded->len ? folded->len - 1 : 0);
	spk_ui_paint(out, fd, role, folded->str + MIN((gsize)indent, folded->len));
}

/* Beside the text, which ends at column `used`, when there is room; else below it. */
static void put_tail(GString *out, int fd, const char *role, const char *tail,
		     int columns, int used)
{
	gboolean below = used + ARROW + spk_text_width(tail) > columns;

	if (below)
		g_string_append_printf(out, "\n%*s", INDENT - 1, "");
	spk_ui_paint(out, fd, "dim", " → ");
	if (below)
		fold(out, fd, role, tail, INDENT - 1 + ARROW, columns, MAX_TAIL);
	else
		spk_ui_paint(out, fd, role, tail);
}

void spk_line_format(const SpkLine *line, int fd, int columns, GString *out)
{
	int room = MAX(16, columns - INDENT);
	g_autofree char *text = spk_ui_clip(line->text, room);
	g_autofree char *label = g_strdup_printf("%-9s ", line->label);
	const char *role = strcmp(line->role, "dim") ? NULL : "dim";

	g_string_append(out, "  ");
	spk_ui_paint(out, fd, line->role, mark_of(line->role));
	g_string_append_c(out, ' ');
	spk_ui_paint(out, fd, "dim", label);
	if (line->whole)
		fold(out, fd, role, line->text, INDENT, columns, MAX_FOLDED);
	else
		spk_ui_paint(out, fd, role, text);
	if (line->tail)
		put_tail(out, fd, role, line->tail, columns,
			 spk_text_width(text) + INDENT);
	g_string_append_c(out, '\n');
}
