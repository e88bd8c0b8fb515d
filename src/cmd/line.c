/* One line of progress: made from text of any origin, cut and coloured when it is shown. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/lines_priv.h"
#include "cmd/ui.h"

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
