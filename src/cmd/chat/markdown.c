#include "cmd/chat/markdown.h"

#include <string.h>

#include "base/text.h"

#define MAX_BLOCK	16384 /* bytes that wait for their block's end */
#define MAX_WORD	256 /* bytes that move to the next line when a block is broken */
#define MAX_ESCAPE	64  /* bytes that wait for the end of an escape sequence */
#define CODE_INDENT	2
#define MAX_LANGUAGE	20 /* columns of the word beside a fence */
#define TAB		"    "
#define VARIATION_EMOJI "\xef\xb8\x8f" /* U+FE0F */

struct SpkMarkdown {
	gboolean style;
	SpkMarkdownWrite write;
	gpointer user;
	int columns, rows;
	GString *carry; /* bytes that may be half of something */
	GString *block; /* source of the unfinished block, from the start of a line */
	gsize line;	/* where its last line begins */
	int shown_rows, shown_column; /* of it, on the screen, below its first row */
	int shown_widest;
	gboolean shown;
	gboolean fixed;	 /* the screen has changed: it can't be taken back any more */
	gboolean broken; /* the block before was too tall and goes on in this one */
	gboolean in_code, code_started; /* a fence is open; its line has begun */
	char fence[4];			/* what closes it */
	int code_column;
	gboolean gap;		/* a block came before */
	gboolean after_list;	/* the last block was a list */
	gboolean at_line_start; /* without style */
};

SpkMarkdown *spk_markdown_new(gboolean style, SpkMarkdownWrite write, gpointer user)
{
	SpkMarkdown *m = g_new0(SpkMarkdown, 1);

	m->style = style;
	m->write = write;
	m->user = user;
	m->columns = 80;
	m->rows = 24;
	m->at_line_start = TRUE;
	m->carry = g_string_new(NULL);
	m->block = g_string_new(NULL);
	return m;
}

void spk_markdown_free(SpkMarkdown *m)
{
	if (!m)
		return;
	g_string_free(m->carry, TRUE);
	g_string_free(m->block, TRUE);
	g_free(m);
}

/* Some terminals fold the lines that have become too long, others cut them: where a row that
 * was shown stands now can't be known. */
void spk_markdown_screen(SpkMarkdown *m, int columns, int rows)
{
	m->columns = MAX(columns, 20);
	m->rows = MAX(rows, 4);
	if (m->shown && (m->shown_widest > m->columns - 1 || m->shown_rows >= m->rows))
		m->fixed = TRUE;
}

static void put(SpkMarkdown *m, const char *text)
{
	if (*text)
		m->write(text, strlen(text), m->user);
}

/* ---- the unfinished block, raw ---- */

/* Each character by itself, so that a terminal that doesn't join them into one has no more
 * rows than we count; too many columns do no harm. */
static int raw_width(const char *one)
{
	return g_str_has_prefix(one, VARIATION_EMOJI) ? 1 : spk_text_width(one);
}

static void show_char(SpkMarkdown *m, GString *out, const char *one)
{
	int width = raw_width(one);

	if (*one == '\n' || m->shown_column + width > m->columns - 1) {
		g_string_append_c(out, '\n');
		m->shown_rows++;
		m->shown_column = 0;
		if (*one == '\n')
			return;
	}
	g_string_append(out, *one == '\t' ? " " : one);
	m->shown_column += width;
	m->shown_widest = MAX(m->shown_widest, m->shown_column);
}

/* A block that is nearly as tall as the screen can't be taken back when it grows. */
static gboolean is_too_tall(const SpkMarkdown *m)
{
	return m->shown_rows >= m->rows - 3 && !m->fixed;
}

/* Up to where the block becomes too tall, or `whole`; returns how many bytes that is. */
static gsize show(SpkMarkdown *m, const char *text, gboolean whole)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *p = text;

	if (m->gap && !m->shown)
		g_string_append_c(out, '\n');
	m->gap = FALSE;
	m->shown = TRUE;
	for (; *p && (whole || !is_too_tall(m)); p = g_utf8_next_char(p)) {
		char one[8] = "";

		memcpy(one, p, MIN((gsize)(g_utf8_next_char(p) - p), sizeof(one) - 1));
		show_char(m, out, one);
	}
	put(m, out->str);
	return p - text;
}

static void forget(SpkMarkdown *m)
{
	m->shown = m->fixed = FALSE;
	m->shown_rows = m->shown_column = m->shown_widest = 0;
	m->line = 0;
	g_string_truncate(m->block, 0);
}

static void take_back(SpkMarkdown *m)
{
	g_autofree char *up = NULL;

	if (m->fixed) {
		put(m, m->shown_column ? "\n" : "");
	} else if (m->style && m->shown) {
		up = m->shown_rows ? g_strdup_printf("\r\033[%dA\033[J", m->shown_rows)
				   : g_strdup("\r\033[J");
		put(m, up);
	}
	forget(m);
}

void spk_markdown_drop(SpkMarkdown *m)
{
	take_back(m);
	g_string_truncate(m->carry, 0);
}

void spk_markdown_anew(SpkMarkdown *m)
{
	g_autofree char *source = g_strdup(m->block->str);
	gsize line = m->line;

	if (!m->shown)
		return;
	forget(m);
	put(m, "\n");
	g_string_assign(m->block, source);
	m->line = line;
	(void)show(m, source, TRUE); /* all of it */
}

static gboolean is_blank(const char *text)
{
	return !text[strspn(text, " \t\n")];
}

static gboolean is_item(const char *line)
{
	gsize digits = strspn(line, "0123456789");

	line += strspn(line, " ");
	return (strchr("-*+", *line) && *line && line[1] == ' ') ||
	       (digits && (line[digits] == '.' || line[digits] == ')'));
}

/* The block as it should look, in the place of what was shown of it; what is fixed stays raw. */
static void finish_block(SpkMarkdown *m)
{
	g_autofree char *source = g_strdup(m->block->str);
	g_autofree char *text = NULL;
	gboolean raw = m->fixed;
	const char *from = source;

	take_back(m);
	if (is_blank(source)) {
		m->gap |= m->broken;
		m->broken = FALSE;
		return;
	}
	/* what goes on below an item is no block of code, though it stands as far right */
	if (m->after_list && !is_item(source))
		from += strspn(source, " ");
	m->after_list = is_item(source) || (m->after_list && *source == ' ');
	if (!raw) {
		text = spk_markdown_render(from, strlen(from), m->columns - 1);
		put(m, text);
	}
	m->gap = TRUE;
	m->broken = FALSE;
}

/* All up to the last blank of a block that is too tall is final, the rest begins a line. */
static void break_block(SpkMarkdown *m)
{
	gsize head = m->block->len;
	g_autofree char *tail = NULL;

	while (head && !strchr(" \n", m->block->str[head - 1]))
		head--;
	if (!head || m->block->len - head > MAX_WORD || m->fixed)
		head = m->block->len;
	tail = g_strdup(m->block->str + head);
	g_string_truncate(m->block, head);
	finish_block(m);
	m->gap = FALSE;
	m->broken = TRUE;
	g_string_assign(m->block, tail);
	if (*tail)
		(void)show(m, tail, TRUE); /* a word at most */
}

/* ---- code ---- */

static gboolean opens_fence(const char *line, char *ret_fence)
{
	gsize indent = strspn(line, " ");

	if (!g_str_has_prefix(line + indent, "```") &&
	    !g_str_has_prefix(line + indent, "~~~"))
		return FALSE;
	memcpy(ret_fence, line + indent, 3);
	ret_fence[3] = '\0';
	return TRUE;
}

static void code_cluster(SpkMarkdown *m, GString *out, const char *text, gsize len,
			 int width)
{
	if (!m->code_started) {
		g_string_append_printf(out, "%*s\033[36m", CODE_INDENT, "");
		m->code_started = TRUE;
		m->code_column = CODE_INDENT;
	}
	if (m->code_column + width > m->columns - 1) {
		g_string_append_printf(out, "\033[0m\n%*s\033[36m", CODE_INDENT, "");
		m->code_column = CODE_INDENT;
	}
	g_string_append_len(out, text, len);
	m->code_column += width;
}

static void code_line(SpkMarkdown *m, const char *line)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*line) {
		int width;
		gsize len = spk_text_cluster(line, &width);

		if (*line == '\t')
			code_cluster(m, out, TAB, strlen(TAB), strlen(TAB));
		else
			code_cluster(m, out, line, len, width);
		line += len;
	}
	g_string_append(out, m->code_started ? "\033[0m\n" : "\n");
	m->code_started = FALSE;
	put(m, out->str);
}

/* A line of code goes out when it is whole: what closes the fence begins like any other. */
static void end_code_line(SpkMarkdown *m)
{
	g_autofree char *line = g_strndup(m->block->str, m->block->len - 1);
	gsize indent = strspn(line, " ");

	g_string_truncate(m->block, 0);
	m->line = 0;
	if (g_str_has_prefix(line + indent, m->fence) &&
	    is_blank(line + indent + strspn(line + indent, "`~"))) {
		m->in_code = FALSE;
		m->gap = TRUE;
		return;
	}
	code_line(m, line);
}

static void put_language(SpkMarkdown *m, const char *word)
{
	int left = MIN(MAX_LANGUAGE, m->columns - 1 - CODE_INDENT), width;
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize len; *word != ' ' && *word != '\t'; word += len) {
		len = spk_text_cluster(word, &width);
		if (!len || width > left)
			break;
		g_string_append_len(out, word, len);
		left -= width;
	}
	if (!out->len)
		return;
	g_string_append(out, "\033[0m\n");
	g_string_prepend(out, "  \033[2m");
	put(m, out->str);
}

static void begin_code(SpkMarkdown *m)
{
	g_autofree char *rest = g_strdup(m->block->str + m->line);
	g_autofree char *before = g_strndup(m->block->str, m->line);
	char *word = g_strstrip(rest + strspn(rest, " "));
	gboolean raw = m->fixed;

	take_back(m);
	g_string_assign(m->block, raw ? "" : before);
	if (m->block->len)
		finish_block(m);
	if (m->gap || m->broken)
		put(m, "\n");
	m->gap = m->broken = FALSE;
	m->in_code = TRUE;
	put_language(m, word + strspn(word, "`~"));
}

/* ---- lines ---- */

static void end_line(SpkMarkdown *m)
{
	const char *line = m->block->str + m->line;

	if (opens_fence(line, m->fence)) {
		begin_code(m);
	} else if (is_blank(line) || *m->block->str == '#' || m->block->len > MAX_BLOCK) {
		finish_block(m);
	} else {
		(void)show(m, "\n", TRUE);
		m->line = m->block->len;
		if (is_too_tall(m))
			break_block(m);
	}
}

/* Text within a line. */
static void take_words(SpkMarkdown *m, const char *text, gsize len)
{
	g_autofree char *words = g_strndup(text, len);

	for (const char *p = words; *p;) {
		gsize shown = show(m, p, FALSE);

		g_string_append_len(m->block, p, shown);
		p += shown;
		if (is_too_tall(m) || m->block->len > MAX_BLOCK)
			break_block(m);
	}
}

/* Text up to a line end, or without one. */
static void take(SpkMarkdown *m, const char *text, gsize len)
{
	gboolean ends = len && text[len - 1] == '\n';

	if (m->in_code) {
		g_string_append_len(m->block, text, len);
		if (ends)
			end_code_line(m);
		return;
	}
	take_words(m, text, len - ends);
	if (!ends)
		return;
	g_string_append_c(m->block, '\n');
	end_line(m);
}

/* ---- pieces ---- */

static void take_clean(SpkMarkdown *m, const char *text)
{
	if (!m->style) {
		put(m, text);
		if (*text)
			m->at_line_start = text[strlen(text) - 1] == '\n';
		return;
	}
	while (*text) {
		gsize len = strcspn(text, "\n");

		len += text[len] == '\n';
		take(m, text, len);
		text += len;
	}
}

static void flush_carry(SpkMarkdown *m, gsize len)
{
	g_autofree char *clean = spk_text_clean(m->carry->str, len, SPK_CLEAN_TEXT);

	g_string_erase(m->carry, 0, len);
	take_clean(m, clean);
}

/* What waits is the half of a character or an escape sequence. Of a long one how it begins and its
 * last byte tell as much as the whole. */
void spk_markdown_feed(SpkMarkdown *m, const char *piece)
{
	g_string_append(m->carry, piece);
	flush_carry(m, spk_text_settled_len(m->carry->str, m->carry->len));
	if (m->carry->len > MAX_ESCAPE)
		g_string_erase(m->carry, 2, m->carry->len - 3);
}

void spk_markdown_finish(SpkMarkdown *m)
{
	flush_carry(m, m->carry->len);
	if (!m->style && !m->at_line_start)
		put(m, "\n");
	if (m->style && m->in_code && m->block->len) {
		g_string_append_c(m->block, '\n');
		end_code_line(m);
	} else if (m->style) {
		finish_block(m);
	}
	m->in_code = m->gap = m->after_list = m->broken = FALSE;
	m->at_line_start = TRUE;
}
