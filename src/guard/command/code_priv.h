/*
 * Shared by the files that look into code of other languages, from low to high: code_finds.c
 * (what is found), code_token.c (code to tokens), code_small.c (sed, editors and database
 * shells, which have commands of their own), command_code.c (what the tokens call).
 */
#ifndef SPK_GUARD_CODE_PRIV_H
#define SPK_GUARD_CODE_PRIV_H

#include "guard/command/command_priv.h"

/* ---- code_finds.c ---- */

void code_finds_init(CodeFinds *finds);
/* It runs what can't be told: by what; the first one stays. */
void code_set_blind(CodeFinds *finds, const char *what);

/* ---- code_token.c ---- */

typedef enum { TOKEN_END, TOKEN_NAME, TOKEN_STRING, TOKEN_SIGN } TokenKind;

typedef struct {
	TokenKind kind;
	const char *text; /* NAME: with its dots; STRING: what it holds */
	char sign;
	gboolean open;	/* a string with parts that are computed */
	gboolean shell; /* a string that a shell runs: `…` */
} Token;

typedef struct {
	CodeLang lang;
	const char *at, *end;
	GStringChunk *chunk;
	GArray *tokens;
} Reading;

/* From `at` on, to its end or as many as are looked into: `at` stays before the end then. */
void code_read_tokens(Reading *reading);

/* ---- code_small.c ---- */

void code_look_sed(const char *code, CodeFinds *finds);
void code_look_editor(const char *code, CodeFinds *finds);
void code_look_sql(const char *code, CodeFinds *finds);

#endif
