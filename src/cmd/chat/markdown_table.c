/* Tables: columns as wide as their widest cell, or, where they don't fit, cells below each other. */
#include "cmd/chat/markdown_priv.h"

void md_cell_free(gpointer data)
{
	Cell *cell = data;

	g_string_free(cell->text, TRUE);
	g_free(cell);
}

void md_take_cell(Render *r)
{
	Cell *cell = g_new0(Cell, 1);

	cell->text = g_string_new(NULL);
	for (guint i = 0; i < r->words->len; i++) {
		Word *word = r->words->pdata[i];

		md_close_word(word);
		if (i && !word->glued) {
			g_string_append_c(cell->text, ' ');
			cell->width++;
		}
		g_string_append(cell->text, word->text->str);
		cell->width += word->width;
	}
	g_ptr_array_set_size(r->words, 0);
	r->space = FALSE;
	g_ptr_array_add(r->row, cell);
}

static guint n_columns(const Render *r)
{
	guint n = 0;

	for (guint i = 0; i < r->rows->len; i++)
		n = MAX(n, ((GPtrArray *)r->rows->pdata[i])->len);
	return n;
}

/* Widths of the columns; FALSE: they don't fit beside each other. */
static gboolean measure(const Render *r, int *widths, guint n)
{
	int sum = 0;

	for (guint i = 0; i < r->rows->len; i++) {
		const GPtrArray *row = r->rows->pdata[i];

		for (guint j = 0; j < row->len; j++)
			widths[j] = MAX(widths[j], ((Cell *)row->pdata[j])->width);
	}
	for (guint j = 0; j < n; j++)
		sum += widths[j] + (j ? 2 : 0);
	return sum <= md_room(r);
}

static void put_row(Render *r, const GPtrArray *row, const int *widths, guint n)
{
	md_begin_line(r);
	for (guint j = 0; j < row->len; j++) {
		const Cell *cell = row->pdata[j];

		g_string_append_printf(r->out, "%s%s", j ? "  " : "", cell->text->str);
		if (j + 1 < n)
			g_string_append_printf(r->out, "%*s", widths[j] - cell->width,
					       "");
	}
	g_string_append_c(r->out, '\n');
}

/* Too wide: each cell on lines of its own, the rows apart. */
static void put_narrow(Render *r, const GPtrArray *row)
{
	for (guint j = 0; j < row->len; j++) {
		const Cell *cell = row->pdata[j];

		md_begin_line(r);
		g_string_append(r->out, j ? "  " : "• ");
		(void)md_put_long(r, cell->text->str, 2, md_room(r));
		g_string_append_c(r->out, '\n');
	}
}

void md_put_rule(Render *r, int width)
{
	md_begin_line(r);
	g_string_append(r->out, "\033[2m");
	for (int i = 0; i < width; i++)
		g_string_append(r->out, "─");
	g_string_append(r->out, "\033[0m\n");
}

void md_flush_table(Render *r)
{
	guint n = n_columns(r);
	g_autofree int *widths = g_new0(int, n + 1);
	gboolean fits = measure(r, widths, n);
	int sum = 0;

	for (guint j = 0; j < n; j++)
		sum += widths[j] + (j ? 2 : 0);
	for (guint i = 0; i < r->rows->len; i++) {
		if (fits)
			put_row(r, r->rows->pdata[i], widths, n);
		else
			put_narrow(r, r->rows->pdata[i]);
		if (fits && i == 0)
			md_put_rule(r, sum);
	}
	g_ptr_array_set_size(r->rows, 0);
}
