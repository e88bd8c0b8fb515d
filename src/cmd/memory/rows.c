#include "cmd/memory/rows.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/ui.h"

enum { KIND = 10, SCOPE = 12 }; /* columns */

char *spk_row_age(gint64 time_us, gint64 now_us)
{
	static const struct {
		gint64 below, unit; /* seconds */
		const char *name;
	} steps[] = {
		{ 90 * 60, 60, "min" },		  { 36 * 3600, 3600, "h" },
		{ 60 * 86400, 86400, "d" },	  { 2 * 365 * 86400LL, 7 * 86400, "wk" },
		{ G_MAXINT64, 365 * 86400, "y" },
	};
	gint64 seconds = (now_us - time_us) / G_USEC_PER_SEC;
	gsize i = 0;

	if (seconds < 60)
		return g_strdup("now");
	while (seconds >= steps[i].below)
		i++;
	return g_strdup_printf("%d %s", (int)MIN(seconds / steps[i].unit, 9999),
			       steps[i].name);
}

char *spk_row_scope(const SpkMemoryRow *row, int columns)
{
	g_autofree char *name = g_str_has_prefix(row->scope, "repo:")
					? g_path_get_basename(row->scope)
					: g_strdup(row->scope);

	return spk_ui_line(name, columns);
}

/* `text` and blanks up to `columns`. */
static void append_cell(GString *out, const char *role, const char *text, int columns)
{
	spk_ui_paint(out, STDOUT_FILENO, role, text);
	g_string_append_printf(out, "%*s", MAX(0, columns - spk_text_width(text)) + 2,
			       "");
}

static const char *special(const SpkMemoryRow *row)
{
	return row->state == SPK_MEMORY_SUPERSEDED ? "superseded"
	       : row->state == SPK_MEMORY_RETIRED  ? "retired"
	       : row->untrusted			   ? "untrusted"
						   : NULL;
}

void spk_row_append(GString *out, const SpkMemoryRow *row, const char *lead,
		    gint64 now_us)
{
	int columns = spk_ui_columns(STDOUT_FILENO), used;
	gboolean narrow = columns < SPK_UI_NARROW;
	g_autofree char *id = spk_ui_line(row->id, narrow ? 12 : 24);
	g_autofree char *age = spk_row_age(row->time_us, now_us);
	g_autofree char *scope = spk_row_scope(row, SCOPE);
	g_autofree char *kind = spk_ui_line(row->kind, KIND), *text = NULL;
	const char *mark = special(row);

	used = (lead ? spk_text_width(lead) + 2 : 0) + MAX(12, spk_text_width(id)) + 2;
	if (lead)
		append_cell(out, "bold", lead, 0);
	append_cell(out, "", id, 12);
	if (!narrow) {
		append_cell(out, "dim", age, 6);
		append_cell(out, "dim", scope, SCOPE);
		append_cell(out, "dim", kind, KIND);
		used += 6 + SCOPE + KIND + 6;
	}
	if (mark) {
		append_cell(out, "warn", mark, 0);
		used += spk_text_width(mark) + 2;
	}
	text = spk_ui_line(row->text, MAX(16, columns - used));
	g_string_append_printf(out, "%s\n", text);
}
