/* One piece of Markdown to a terminal's lines: md4c parses, this lays out. */
#include <md4c.h>
#include <string.h>

#include "base/text.h"
#include "cmd/chat/markdown.h"

#define MAX_DEPTH   12
#define MAX_TABLE   256 /* cells; larger ones are shown as rows of text */
#define CODE_INDENT 2
#define TAB	    "    "
#define MIN_ROOM    8  /* columns that nesting leaves to the text */
#define MAX_MARK    11 /* columns of "999999999. ", the widest */

enum { BOLD = 1, ITALIC = 2, CODE = 4, STRIKE = 8, DIM = 16 };

typedef struct {
	GString *text; /* with SGR */
	int width;
	gboolean glued; /* no blank before it */
	guint style;	/* that is open at its end */
} Word;

typedef struct {
	GString *text;
	int width;
} Cell;

typedef struct {
	const char *first, *rest; /* of the lines of what is inside; the same width */
	char number[24];
	gboolean used;
} Level;

typedef struct {
	GString *out;
	int columns;
	guint style;
	GPtrArray *words;
	gboolean space; /* a blank came before the next word */
	Level levels[MAX_DEPTH];
	guint depth, skipped;	   /* levels beyond MAX_DEPTH */
	gint64 numbers[MAX_DEPTH]; /* of ordered lists; -1: bullets */
	guint lists;
	gboolean in_code, needs_gap;
	GString *code;
	GPtrArray *row, *rows; /* of a table */
	char *link;
	gsize link_start; /* words before the link's text */
} Render;

static void word_free(gpointer data)
{
	Word *word = data;

	g_string_free(word->text, TRUE);
	g_free(word);
}

static void cell_free(gpointer data)
{
	Cell *cell = data;

	g_string_free(cell->text, TRUE);
	g_free(cell);
}

/* ---- words ---- */

static void put_style(GString *out, guint style)
{
	static const struct {
		guint bit;
		const char *sgr;
	} codes[] = { { BOLD, ";1" },
		      { ITALIC, ";3" },
		      { CODE, ";36" },
		      { STRIKE, ";9" },
		      { DIM, ";2" } };

	g_string_append(out, "\033[0");
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (style & codes[i].bit)
			g_string_append(out, codes[i].sgr);
	g_string_append_c(out, 'm');
}

static void close_word(Word *word)
{
	if (word->style)
		put_style(word->text, 0);
	word->style = 0;
}

static Word *open_word(Render *r)
{
	Word *last = r->words->len ? r->words->pdata[r->words->len - 1] : NULL;
	Word *word;

	if (last && !r->space)
		return last;
	if (last)
		close_word(last);
	word = g_new0(Word, 1);
	word->text = g_string_new(NULL);
	word->glued = !last;
	r->space = FALSE;
	g_ptr_array_add(r->words, word);
	return word;
}

/* What U+FE0F makes wider may stand before it in another style. */
static int run_width(const char *text)
{
	return spk_text_width(text) + g_str_has_prefix(text, "\xef\xb8\x8f");
}

static void add_run(Render *r, const char *text, gsize len, guint style)
{
	Word *word = open_word(r);
	g_autofree char *copy = g_strndup(text, len);

	if (word->style != style)
		put_style(word->text, style);
	word->style = style;
	g_string_append(word->text, copy);
	word->width += run_width(copy);
}

static void add_text(Render *r, const char *text, gsize len, guint style)
{
	const char *end = text + len;

	while (text < end) {
		gsize run = 0;

		if (*text == ' ' || *text == '\n' || *text == '\t') {
			r->space = r->words->len > 0;
			text++;
			continue;
		}
		while (text + run < end && !strchr(" \n\t", text[run]))
			run++;
		add_run(r, text, run, style);
		text += run;
	}
}

/* ---- lines ---- */

static int prefix_width(const Render *r)
{
	int width = 0;

	for (guint i = 0; i < r->depth; i++)
		width += spk_text_width(r->levels[i].rest);
	return width;
}

static void begin_line(Render *r)
{
	for (guint i = 0; i < r->depth; i++) {
		Level *level = &r->levels[i];

		g_string_append(r->out, level->used ? level->rest : level->first);
		level->used = TRUE;
	}
}

static int room(const Render *r)
{
	return MAX(MIN_ROOM, r->columns - prefix_width(r));
}

static void gap(Render *r)
{
	if (r->needs_gap)
		g_string_append_c(r->out, '\n');
	r->needs_gap = FALSE;
}

static void put_break(Render *r, const char *style)
{
	g_string_append(r->out, style ? "\033[0m\n" : "\n");
	begin_line(r);
	g_string_append(r->out, style ? style : "");
}

static gsize sgr_len(const char *text)
{
	gsize len = strcspn(text, "m");

	return len + (text[len] == 'm');
}

/* A word wider than the line, in pieces of whole characters; escapes cost nothing. The style
 * is closed at each line's end and opened again. */
static int put_long(Render *r, const char *text, int column, int width)
{
	g_autofree char *style = NULL;

	while (*text) {
		gboolean escape = *text == '\033', tab = *text == '\t';
		int w = 0;
		gsize len = escape ? sgr_len(text) : spk_text_cluster(text, &w);

		w = tab ? (int)strlen(TAB) : w + g_str_has_prefix(text, "\xef\xb8\x8f");
		if (escape) {
			g_free(style);
			style = g_strndup(text, len);
		} else if (column + w > width) {
			put_break(r, style);
			column = 0;
		}
		g_string_append_len(r->out, tab ? TAB : text, tab ? strlen(TAB) : len);
		column += w;
		text += len;
	}
	return column;
}

/* The words so far become lines. */
static void flush_words(Render *r)
{
	int width = room(r), column = 0;

	if (!r->words->len)
		return;
	close_word(r->words->pdata[r->words->len - 1]);
	begin_line(r);
	for (guint i = 0; i < r->words->len; i++) {
		const Word *word = r->words->pdata[i];
		int blank = column > 0 && !word->glued;

		if (column && column + blank + word->width > width) {
			g_string_append_c(r->out, '\n');
			begin_line(r);
			column = blank = 0;
		}
		if (blank)
			g_string_append_c(r->out, ' ');
		column += blank;
		if (word->width > width) {
			column = put_long(r, word->text->str, column, width);
		} else {
			g_string_append(r->out, word->text->str);
			column += word->width;
		}
	}
	g_string_append_c(r->out, '\n');
	g_ptr_array_set_size(r->words, 0);
	r->space = FALSE;
}

static void flush_code(Render *r)
{
	g_auto(GStrv) lines = NULL;

	g_strchomp(r->code->str);
	lines = g_strsplit(r->code->str, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *styled = g_strdup_printf("\033[36m%s\033[0m\n", *line);

		begin_line(r);
		g_string_append_printf(r->out, "%*s", CODE_INDENT, "");
		(void)put_long(r, styled, CODE_INDENT,
			       room(r)); /* its column is of no use */
	}
	g_string_truncate(r->code, 0);
}

/* ---- tables ---- */

static void take_cell(Render *r)
{
	Cell *cell = g_new0(Cell, 1);

	cell->text = g_string_new(NULL);
	for (guint i = 0; i < r->words->len; i++) {
		Word *word = r->words->pdata[i];

		close_word(word);
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
	return sum <= room(r);
}

static void put_row(Render *r, const GPtrArray *row, const int *widths, guint n)
{
	begin_line(r);
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

		begin_line(r);
		g_string_append(r->out, j ? "  " : "• ");
		(void)put_long(r, cell->text->str, 2, room(r));
		g_string_append_c(r->out, '\n');
	}
}

static void put_rule(Render *r, int width)
{
	begin_line(r);
	g_string_append(r->out, "\033[2m");
	for (int i = 0; i < width; i++)
		g_string_append(r->out, "─");
	g_string_append(r->out, "\033[0m\n");
}

static void flush_table(Render *r)
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
			put_rule(r, sum);
	}
	g_ptr_array_set_size(r->rows, 0);
}

/* ---- what md4c tells ---- */

static void push(Render *r, const char *first, const char *rest)
{
	if (r->depth == MAX_DEPTH ||
	    prefix_width(r) > MIN(r->columns / 2, r->columns - MIN_ROOM - MAX_MARK)) {
		r->skipped++;
		return;
	}
	r->levels[r->depth++] = (Level){ first, rest, "", FALSE };
}

static void pop(Render *r)
{
	if (r->skipped)
		r->skipped--;
	else
		r->depth--;
}

static void enter_item(Render *r, const MD_BLOCK_LI_DETAIL *item)
{
	gint64 *number = &r->numbers[MIN(r->lists, MAX_DEPTH) - 1];
	guint depth = r->depth;
	Level *level;

	gap(r);
	push(r, "• ", "  ");
	if (r->depth == depth)
		return;
	level = &r->levels[depth];
	if (item->is_task)
		level->first = item->task_mark == ' ' ? "☐ " : "☑ ";
	else if (*number >= 0) {
		g_snprintf(level->number, sizeof(level->number), "%" G_GINT64_FORMAT ". ",
			   (*number)++);
		level->first = level->number;
		level->rest =
			&"           "[MAX_MARK - MIN(strlen(level->number), MAX_MARK)];
	}
}

static void enter_list(Render *r, gint64 start)
{
	flush_words(r); /* a tight item has its text right before a list inside it */
	if (!r->lists)
		gap(r);
	r->numbers[MIN(r->lists, MAX_DEPTH - 1)] = start;
	r->lists++;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	Render *r = user;

	switch (type) {
	case MD_BLOCK_QUOTE:
		gap(r);
		push(r, "│ ", "│ ");
		break;
	case MD_BLOCK_UL:
		enter_list(r, -1);
		break;
	case MD_BLOCK_OL:
		enter_list(r, ((MD_BLOCK_OL_DETAIL *)detail)->start);
		break;
	case MD_BLOCK_LI:
		enter_item(r, detail);
		break;
	case MD_BLOCK_HR:
		gap(r);
		put_rule(r, MIN(room(r), 40));
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_H:
		gap(r);
		r->style |= BOLD;
		break;
	case MD_BLOCK_CODE:
		gap(r);
		r->in_code = TRUE;
		break;
	case MD_BLOCK_TH:
		r->style |= BOLD;
		break;
	case MD_BLOCK_TR:
		r->row = g_ptr_array_new_with_free_func(cell_free);
		break;
	case MD_BLOCK_P:
	case MD_BLOCK_TABLE:
		gap(r);
		break;
	default:
		break;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	Render *r = user;

	switch (type) {
	case MD_BLOCK_QUOTE:
		pop(r);
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_LI:
		flush_words(r);
		pop(r);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		r->lists--;
		r->needs_gap = !r->lists;
		break;
	case MD_BLOCK_H:
	case MD_BLOCK_P:
		flush_words(r);
		r->style &= ~BOLD;
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_CODE:
		flush_code(r);
		r->in_code = FALSE;
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		take_cell(r);
		r->style &= ~BOLD;
		break;
	case MD_BLOCK_TR:
		g_ptr_array_add(r->rows, g_steal_pointer(&r->row));
		break;
	case MD_BLOCK_TABLE:
		flush_table(r);
		r->needs_gap = TRUE;
		break;
	default:
		break;
	}
	return 0;
}

static guint style_of(MD_SPANTYPE type)
{
	switch (type) {
	case MD_SPAN_EM:
		return ITALIC;
	case MD_SPAN_STRONG:
		return BOLD;
	case MD_SPAN_CODE:
		return CODE;
	case MD_SPAN_DEL:
		return STRIKE;
	default:
		return 0;
	}
}

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
	const MD_ATTRIBUTE *to = NULL;
	Render *r = user;

	r->style |= style_of(type);
	if (type == MD_SPAN_A)
		to = &((MD_SPAN_A_DETAIL *)detail)->href;
	else if (type == MD_SPAN_IMG)
		to = &((MD_SPAN_IMG_DETAIL *)detail)->src;
	if (!to)
		return 0;
	if (type == MD_SPAN_IMG)
		add_text(r, "[image] ", 8, DIM);
	g_free(r->link);
	r->link = g_strndup(to->text, to->size);
	r->link_start = r->words->len;
	return 0;
}

/* Whether the link's text is its address already. */
static gboolean says_itself(const Render *r)
{
	g_autoptr(GString) said = g_string_new(NULL);

	for (gsize i = r->link_start ? r->link_start - 1 : 0; i < r->words->len; i++)
		g_string_append(said, ((Word *)r->words->pdata[i])->text->str);
	return strstr(said->str, r->link) ||
	       (g_str_has_prefix(r->link, "mailto:") && strstr(said->str, r->link + 7));
}

static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
	Render *r = user;

	r->style &= ~style_of(type);
	if ((type != MD_SPAN_A && type != MD_SPAN_IMG) || !r->link)
		return 0;
	if (*r->link && !says_itself(r)) {
		g_autofree char *text = g_strdup_printf(" (%s)", r->link);

		add_text(r, text, strlen(text), DIM);
	}
	g_clear_pointer(&r->link, g_free);
	return 0;
}

static void add_entity(Render *r, const char *text, gsize len)
{
	static const char *const names[][2] = { { "&lt;", "<" },   { "&gt;", ">" },
						{ "&amp;", "&" },  { "&quot;", "\"" },
						{ "&nbsp;", " " }, { "&#39;", "'" } };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strlen(names[i][0]) != len || memcmp(names[i][0], text, len) != 0)
			continue;
		add_text(r, names[i][1], strlen(names[i][1]), r->style);
		return;
	}
	add_text(r, text, len, r->style);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *user)
{
	Render *r = user;

	if (r->in_code) {
		g_string_append_len(r->code, text, size);
		return 0;
	}
	switch (type) {
	case MD_TEXT_BR:
		flush_words(r);
		break;
	case MD_TEXT_SOFTBR:
		r->space = r->words->len > 0;
		break;
	case MD_TEXT_ENTITY:
		add_entity(r, text, size);
		break;
	case MD_TEXT_NULLCHAR:
		break;
	default:
		add_text(r, text, size, r->style);
	}
	return 0;
}

char *spk_markdown_render(const char *text, gsize len, int columns)
{
	static const MD_PARSER parser = {
		.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
			 MD_FLAG_NOHTML,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};
	Render r = { .columns = MAX(columns, MIN_ROOM + MAX_MARK) };

	r.out = g_string_new(NULL);
	r.code = g_string_new(NULL);
	r.words = g_ptr_array_new_with_free_func(word_free);
	r.rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	if (md_parse(text, (MD_SIZE)len, &parser, &r) != 0)
		g_string_append_len(r.out, text, len); /* memory alone can be the cause */
	g_string_free(r.code, TRUE);
	g_ptr_array_unref(r.words);
	g_ptr_array_unref(r.rows);
	g_clear_pointer(&r.row, g_ptr_array_unref);
	g_free(r.link);
	return g_string_free(r.out, FALSE);
}
