/* How one piece of Markdown is laid out: the words of a paragraph, lines, tables. */
#ifndef SPK_CMD_CHAT_MARKDOWN_PRIV_H
#define SPK_CMD_CHAT_MARKDOWN_PRIV_H

#include <glib.h>

#define MD_MAX_DEPTH 12
#define MD_MIN_ROOM  8 /* columns that nesting leaves to the text */

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
	Level levels[MD_MAX_DEPTH];
	guint depth, skipped;	      /* levels beyond MD_MAX_DEPTH */
	gint64 numbers[MD_MAX_DEPTH]; /* of ordered lists; -1: bullets */
	guint lists;
	gboolean in_code, needs_gap;
	GString *code;
	GPtrArray *row, *rows; /* of a table */
	char *link;
	gsize link_start; /* words before the link's text */
} Render;

/* ---- words (markdown_lines.c) ---- */

void md_word_free(gpointer word);
void md_close_word(Word *word); /* ends the style that is open */
void md_add_text(Render *r, const char *text, gsize len, guint style);

/* ---- lines ---- */

void md_begin_line(Render *r); /* with what stands before each line of the levels */
int md_prefix_width(const Render *r); /* columns of what stands before a line */
int md_room(const Render *r);	      /* columns that are left to the text */
void md_gap(Render *r);		      /* an empty line, where one is due */
/* Text with SGR, broken where the line is full; returns the column after it. */
int md_put_long(Render *r, const char *text, int column, int width);
void md_flush_words(Render *r); /* the words so far become lines */
void md_flush_code(Render *r);

/* ---- tables (markdown_table.c) ---- */

void md_cell_free(gpointer cell);
void md_take_cell(Render *r); /* the words so far become a cell */
void md_put_rule(Render *r, int width);
void md_flush_table(Render *r);

#endif
