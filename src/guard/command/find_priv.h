/*
 * Shared by the files that find the commands of a line, from low to high: find_part.c (what is
 * found), find_input.c (what a command reads), find_code.c (code as text, input, script),
 * find_interpreter.c, find_wrapper.c, find_shell.c, find_git.c, find_option.c, find_variable.c
 * (each the kinds of commands that its name says), command_find.c (texts and their words). What
 * these find is a text or words again; they hand it up by the functions of the Place.
 */
#ifndef SPK_GUARD_FIND_PRIV_H
#define SPK_GUARD_FIND_PRIV_H

#include "guard/command/command_priv.h"

typedef struct Place Place;

/* Where words come from. */
struct Place {
	Finder *finder;
	const Words *words;
	GHashTable *written; /* path -> text that the line writes there; NULL */
	SpkShell *shell;
	const SpkShellCommand *command;
	const char *folder; /* of the last cd, NULL: none */
	const char *tail;
	const char *way;
	guint at;
	gboolean doubtful;
	gboolean outer; /* not yet behind a wrapper */
	gboolean open_end;
	guint depth;
	/* Look at all commands of a text of shell; `way`: how it is reached from here. */
	void (*in_text)(const Place *from, const char *text, const char *way);
	/* Look at one command, n words. */
	void (*in_words)(const Place *place, const SpkShellWord *const *words, guint n);
};

/* ---- find_part.c ---- */

/* Notes a command; the finder owns it. */
Part *part_add(const Place *place, const SpkShellWord *const *words, guint n);
void part_free(gpointer data);
/* Why it can't be told what it runs; the first reason stays. */
void part_set_unknown(Part *part, const char *why);
/* The same, and the next time it may run something else: no rule can allow it. */
void part_set_dynamic(Part *part, const char *why);
void part_add_file(Part *part, const char *name);
/* Whether it has an option of these letters, or a long one that begins with `name`. */
gboolean part_has_flag(const Part *part, const char *letters, const char *name);
/* "a, b"; lives as long as the shell of the place. */
const char *place_way(const Place *place, const char *way);

/* ---- find_input.c ---- */

/* The text that the command prints, when it is one that only does that; else NULL. */
char *input_printed(const Words *words, const SpkShellCommand *command);
/* The code that the command reads on its input; NULL: none, a file, or *ret_unknown. */
char *input_text(const Place *place, const char **ret_unknown);
/* Whether a name of a file means the input. */
gboolean input_is_name(const char *word);

/* ---- find_code.c ---- */

/* Code of a word: the shell's own is walked, other languages' is looked into. */
void find_in_code(const Place *place, Part *part, CodeLang lang, const char *code,
		  const char *way);
void find_in_code_word(const Place *place, Part *part, CodeLang lang,
		       const SpkShellWord *word, const char *way);
void find_in_input(const Place *place, Part *part, CodeLang lang);
/* A script that the line itself has written, or the caller knows; FALSE: it is neither. */
gboolean find_in_written(const Place *place, Part *part, CodeLang lang,
			 const SpkShellWord *word);
/* A script of the name: a file of the tree is an ordinary command, the rest isn't. */
void find_in_script(const Place *place, Part *part, CodeLang lang,
		    const SpkShellWord *word);

/* ---- find_interpreter.c ---- */

/* When it is one. */
void find_interpreter(const Place *place, Part *part);
/* python -m MODULE is a command of that name. */
void find_module(const Place *place, Part *part, guint from);

/* ---- find_wrapper.c ---- */

/* Words that are joined and given to a shell, up to ":::". */
void find_joined(const Place *place, Part *part, guint from, const char *way);
/* When it is a wrapper. */
void find_wrapped(const Place *place, Part *part);
/* find … -exec CMD ; fd … -x CMD */
void find_exec(const Place *place, Part *part);

/* ---- find_shell.c ---- */

/* sh -lc CODE, bash -o pipefail -c -- CODE, sh FILE, sh <<EOF */
void find_shell(const Place *place, Part *part);
/* eval A B; trap CODE SIG; alias x=CODE; . FILE; FALSE: it is none of those. */
gboolean find_builtin(const Place *place, Part *part);

/* ---- find_git.c ---- */
void find_git(const Place *place, Part *part);

/* ---- find_option.c ---- */
void find_options(const Place *place, Part *part);

/* ---- find_variable.c ---- */

void find_assignments(const Place *place, Part *part);
/* A word with "[$(…)]" in quotes: bash reads it again where it takes a name or a number. */
void find_subscripts(const Place *place, const Part *part);

#endif
