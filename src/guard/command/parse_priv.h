/*
 * Shared by the files of the shell's grammar, from low to high: parse_token.c (tokens, reserved
 * words, the normalised line), parse_maker.c (a command while it is read), parse_redir.c,
 * parse_simple.c, parse_cond.c, parse_compound.c, shell_parse.c (pipes and lists).
 * An error is noted by lex_fail(); who reads in a loop looks at lex_failed().
 */
#ifndef SPK_GUARD_PARSE_PRIV_H
#define SPK_GUARD_PARSE_PRIV_H

#include "guard/command/shell_priv.h"

/* ---- parse_token.c ---- */

/* clang-format off */
#define KEYWORDS(X)                                                                            \
	X(IF, "if") X(THEN, "then") X(ELIF, "elif") X(ELSE, "else") X(FI, "fi")                \
	X(WHILE, "while") X(UNTIL, "until") X(FOR, "for") X(DO, "do") X(DONE, "done")          \
	X(CASE, "case") X(ESAC, "esac") X(IN, "in") X(OPEN, "{") X(CLOSE, "}") X(NOT, "!")     \
	X(SELECT, "select") X(FUNCTION, "function") X(COND, "[[") X(COND_END, "]]") \
	X(COPROC, "coproc") X(TIME, "time")
/* clang-format on */

typedef enum {
	KW_NONE,
#define X(sym, text) KW_##sym,
	KEYWORDS(X)
#undef X
} Keyword;

/* Into the normalised line, with a blank where one belongs. */
void parse_say(Parser *p, const char *text);
void parse_say_word(Parser *p, const SpkShellWord *word);
/* The character, when it comes next. */
gboolean parse_take(Parser *p, int c);
/* Whether these two come next; they are not taken. */
gboolean parse_at_two(Parser *p, int a, int b);
/* Fails because of what comes next. */
void parse_unexpected(Parser *p);
/* Blanks, comments and newlines, with the here-documents after them. */
void parse_skip_lines(Parser *p);
/* The reserved word that stands here; it is not taken. */
Keyword parse_at_keyword(Parser *p);
/* Takes the text of a reserved word that parse_at_keyword() found. */
void parse_take_keyword(Parser *p, Keyword keyword);
void parse_expect(Parser *p, Keyword keyword);

/* ---- parse_maker.c ---- */

typedef struct {
	SpkShellCommand *command;
	GPtrArray *words, *assigns, *redirs, *extra;
	GPtrArray *around; /* extra words of the command around */
} Maker;

void parse_begin(Parser *p, Maker *maker);
/* A command that none is: its words are looked at all the same. */
void parse_begin_pseudo(Parser *p, Maker *maker);
void parse_end(Parser *p, Maker *maker);

/* ---- parse_redir.c ---- */

/* A redirection, after the number before it; FALSE: none begins here. */
gboolean parse_redir(Parser *p, Maker *maker, int fd);
/* "2>" or "{fd}>": what stands before the operator. */
gboolean parse_numbered_redir(Parser *p, Maker *maker);

/* ---- parse_simple.c ---- */

void parse_simple(Parser *p);
/* After "NAME ()": what it stands for. */
void parse_function(Parser *p, const char *name);

/* ---- parse_cond.c ---- */

/* After "[[". */
void parse_cond(Parser *p);

/* ---- parse_compound.c ---- */

/* A simple or a compound command with the redirections after it. */
void parse_command(Parser *p);

#endif
