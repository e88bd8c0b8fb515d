/*
 * Shared by the files of the shell's lexer, from low to high: shell_word.c (memory, words and
 * how they are printed), shell_lex.c (characters to words, with what is expanded in them),
 * parse_*.c and shell_parse.c (words to commands; parse_priv.h), which the lexer calls for $(…)
 * by `list`.
 */
#ifndef SPK_GUARD_SHELL_PRIV_H
#define SPK_GUARD_SHELL_PRIV_H

#include "guard/shell.h"

typedef struct Parser Parser;

struct Parser {
	SpkShell *out;
	const char *s; /* NUL-terminated */
	guint len, pos;
	gint base; /* what added to pos gives the place in the whole text; -1: fixed at `at` */
	guint at;
	gboolean posix;
	guint depth;
	guint64 most; /* steps */
	GString *print;
	GPtrArray *heredocs; /* Heredoc *, whose text begins after the next newline */
	GPtrArray *extra;    /* SpkShellWord *, of the command that is being read */
	/* of the commands to come */
	const char *way;
	SpkShellStdin in;
	int from;
	gboolean sure;
	/* Reads commands up to `)` or the end. */
	void (*list)(Parser *p);
	/* Up to ")", ";;", a reserved word that closes, or the end; none of them is taken. */
	void (*body)(Parser *p);
	void (*command)(Parser *p);
};

/* Where a word may stand, and so what is special in it. */
typedef enum {
	LEX_WORD,
	LEX_ASSIGN, /* NAME=(…) is an array */
	LEX_COND,   /* in [[ ]]: @(a|b) */
	LEX_REGEX,  /* after =~ */
} LexMode;

/* ---- shell_word.c ---- */
typedef struct {
	char *text;
	guint8 *classes;
	guint len, size;
	SpkShellOpen *open;
	guint n_open, open_size;
	gboolean quoted; /* has quotes, so it is a word even when empty */
} WordMaker;

void maker_add(SpkShell *shell, WordMaker *maker, char c, SpkShellClass class);
void maker_add_text(SpkShell *shell, WordMaker *maker, const char *text, gsize len,
		    SpkShellClass class);
void maker_open(SpkShell *shell, WordMaker *maker, gboolean quoted, const char *name,
		const char *print);
SpkShellWord *maker_end(SpkShell *shell, WordMaker *maker, guint at, guint end);
/* Of pointers; NULL when there are none. */
gpointer shell_copy_array(SpkShell *shell, const GPtrArray *array);

/* ---- shell_text.c, and on top of it shell_lex.c ---- */
/* The next character, without looking past it; -1 at the end. A line that goes on is joined. */
int lex_peek(Parser *p);
int lex_peek_second(Parser *p); /* the one after that */
gboolean lex_failed(const Parser *p);
void lex_fail(Parser *p, const char *why);
guint lex_place(const Parser *p);
gboolean lex_enter(Parser *p); /* one deeper; FALSE: too deep. */
/* Blanks and a comment. */
void lex_blanks(Parser *p);
/* The word that begins here; NULL: none does, or failed. */
SpkShellWord *lex_word(Parser *p, LexMode mode);
/* Text as between double quotes, up to `end` or the end of all; a "\" takes the meaning of the
 * characters in `takes`. */
void lex_quoted(Parser *p, WordMaker *maker, int end, const char *takes);
/* From after "((" to after "))"; FALSE: that is no arithmetic, p->pos is anywhere. */
gboolean lex_arithmetic(Parser *p);
/* Notes a here-document of the redirection, whose target is set when its text has come. */
void lex_heredoc(Parser *p, SpkShellRedir *redir, const SpkShellWord *end,
		 gboolean quoted, gboolean tabs);
/* After a newline: the texts of the here-documents. */
void lex_heredoc_texts(Parser *p);
/* "a, b" */
const char *lex_way(Parser *p, const char *way);
/* A piece of the source for the normalised line. */
const char *lex_slice(Parser *p, guint from, guint to);

#endif
