/* Words to lines: wrapped to the room there is, each line closed in its style. */
#include <string.h>

#include "base/text.h"
#include "cmd/chat/markdown_priv.h"

#define CODE_INDENT 2
#define TAB	    "    "

void md_word_free(gpointer data)
{
	Word *word = data;

	g_string_free(word->text, TRUE);
	g_free(word);
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

void md_close_word(Word *word)
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
		md_close_word(last);
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

void md_add_text(Render *r, const char *text, gsize len, guint style)
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

int md_prefix_width(const Render *r)
{
	int width = 0;

	for (guint i = 0; i < r->depth; i++)
		width += spk_text_width(r->levels[i].rest);
	return width;
}

void md_begin_line(Render *r)
{
	for (guint i = 0; i < r->depth; i++) {
		Level *level = &r->levels[i];

		g_string_append(r->out, level->used ? level->rest : level->first);
		level->used = TRUE;
	}
}

int md_room(const Render *r)
{
	return MAX(MD_MIN_ROOM, r->columns - md_prefix_width(r));
}

void md_gap(Render *r)
{
	if (r->needs_gap)
		g_string_append_c(r->out, '\n');
	r->needs_gap = FALSE;
}

static void put_break(Render *r, const char *style)
{
	g_string_append(r->out, style ? "\033[0m\n" : "\n");
	md_begin_line(r);
	g_string_append(r->out, style ? style : "");
}

static gsize sgr_len(const char *text)
{
	gsize len = strcspn(text, "m");

	return len + (text[len] == 'm');
}

/* A word wider than the line, in pieces of whole characters; escapes cost nothing. The style
 * is closed at each line's end and opened again. */
int md_put_long(Render *r, const char *text, int column, int width)
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
void md_flush_words(Render *r)
{
	int width = md_room(r), column = 0;

	if (!r->words->len)
		return;
	md_close_word(r->words->pdata[r->words->len - 1]);
	md_begin_line(r);
	for (guint i = 0; i < r->words->len; i++) {
		const Word *word = r->words->pdata[i];
		int blank = column > 0 && !word->glued;

		if (column && column + blank + word->width > width) {
			g_string_append_c(r->out, '\n');
			md_begin_line(r);
			column = blank = 0;
		}
		if (blank)
			g_string_append_c(r->out, ' ');
		column += blank;
		if (word->width > width) {
			column = md_put_long(r, word->text->str, column, width);
		} else {
			g_string_append(r->out, word->text->str);
			column += word->width;
		}
	}
	g_string_append_c(r->out, '\n');
	g_ptr_array_set_size(r->words, 0);
	r->space = FALSE;
}

void md_flush_code(Render *r)
{
	g_auto(GStrv) lines = NULL;

	g_strchomp(r->code->str);
	lines = g_strsplit(r->code->str, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *styled = g_strdup_printf("\033[36m%s\033[0m\n", *line);

		md_begin_line(r);
		g_string_append_printf(r->out, "%*s", CODE_INDENT, "");
		(void)md_put_long(r, styled, CODE_INDENT,
				  md_room(r)); /* its column is of no use */
	}
	g_string_truncate(r->code, 0);
}
