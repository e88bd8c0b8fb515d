/*
 * What the judge of shell lines knows of programs, as tables: which run others, which only
 * read, which words are text, what goes out. A program without a row is an ordinary command.
 */
#ifndef SPK_GUARD_COMMAND_TABLE_H
#define SPK_GUARD_COMMAND_TABLE_H

#include <glib.h>

#include "guard/decision.h"

typedef enum {
	LANG_SHELL,
	LANG_PYTHON,
	LANG_PERL,
	LANG_RUBY,
	LANG_JS,
	LANG_PHP,
	LANG_LUA,
	LANG_AWK,
	LANG_SED,
	LANG_OTHER,
	LANG_EDITOR, /* of vim and its like, less, ed: "!" runs a command */
	LANG_SQL,    /* of database shells: ".shell", "\!" */
} CodeLang;

typedef enum {
	WRAP_ASSIGNS = 1 << 0, /* NAME=value may stand before the command */
	WRAP_JOINED = 1 << 1,  /* the words are joined and given to a shell */
	WRAP_STDIN = 1 << 2,   /* adds arguments that it reads */
	WRAP_HOST = 1 << 3,    /* runs it on another machine */
	WRAP_APPLET = 1 << 4,  /* the command is a part of the program itself */
	WRAP_ROOT = 1 << 5,    /* with other rights: never only reading */
	WRAP_MAYBE = 1 << 7,   /* one word may stand before the command, or not */
	WRAP_LOOKUP = 1 << 6,  /* with -v, -V it only tells where a command is */
} WrapFlags;

/* A program whose words are another command. */
typedef struct {
	const char *name;
	const char
		*sub; /* first words that make it one: "run", "compose exec"; or NULL */
	const char *valued; /* letters of options that take a value */
	const char *longs;  /* long options that take the next word: "user group" */
	guint skip;	    /* words between options and command */
	guint flags;
} Wrapper;

/* An option whose value is code: "-c", "--exec", or "+" (a word that begins so). */
typedef struct {
	const char *name;
	const char *option; /* "-c"; with "=" at the end: in the same word only */
	CodeLang lang;
} CodeOption;

/* A program that runs code it is given as a file, by an option, or on its input. */
typedef struct {
	const char *name;   /* digits and dots after it are ignored: python3.11 */
	const char *code;   /* letters of options whose value is code */
	const char *longs;  /* long ones: "eval print" */
	const char *valued; /* letters that take another value */
	CodeLang lang;
	gboolean
		first; /* the first operand is code, too (awk, sed) unless an option gave some */
} Interpreter;

/* A program that reads and changes nothing. */
typedef struct {
	const char *name;
	const char *sub;    /* its first operand must be that; NULL: any */
	const char *writes; /* options with which it does more: "-o --output= -delete" */
	const char *only;   /* when set, an option of these must be there or no operand */
} Reader;

/* Words that are only text. */
typedef struct {
	const char *name;
	const char *sub;
	const char *options; /* whose value is text: "-m --message" */
	int operands;	     /* so many of the first operands are; -1: all words */
	const char
		*instead; /* options that give the text instead of an operand: "-e -f" */
} Texts;

/* What goes out. */
typedef struct {
	const char *name;
	const char
		*sub; /* any of these as first operands, blanks between; NULL: always */
	SpkDoesSet does;
	const char *hosts; /* that it talks to when none is named; or NULL */
	char form; /* of its operands: 'u' URLs, 'h' host first, 'r' HOST:PATH, 'g' both */
} Effect;

extern const Wrapper command_wrappers[];
extern const CodeOption command_code_options[];
extern const Interpreter command_interpreters[];
extern const Reader command_readers[];
extern const Texts command_texts[];
extern const Effect command_effects[];
/* NAME, what patterns may call it: apt-get, apt. Pairs, ends with NULL. */
extern const char *const command_kin[][2];
/* Variables whose value is a command line, NULL-terminated. */
extern const char *const command_code_variables[];
/* Variables that change which code other programs run; "LD_" stands for all with that start. */
extern const char *const command_risky_variables[];

/* Whether `word` stands in `list` (blanks between). */
gboolean table_has_word(const char *list, const char *word);
gboolean table_is_shell(const char *name);
/* The row of python3.11 is that of python; NULL: it is none. */
const Interpreter *table_interpreter(const char *name);

#endif
