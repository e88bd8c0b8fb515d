/*
 * Shared by the files of the judge of shell lines, from low to high: command_rules.c (patterns),
 * command_table.c (what is known of programs), code_*.c and command_code.c (code of other
 * languages; code_priv.h), command_words.c (words as the shell expands them), command_effects.c
 * (what goes out, what only reads), find_*.c and command_find.c (from a line to all that it runs;
 * find_priv.h), command.c (the judgement).
 */
#ifndef SPK_GUARD_COMMAND_PRIV_H
#define SPK_GUARD_COMMAND_PRIV_H

#include "guard/command.h"
#include "guard/command/command_table.h"
#include "guard/shell.h"

/* ---- command_rules.c ---- */

typedef enum {
	PATTERN_COMMAND, /* begins with a plain word: where commands begin */
	PATTERN_FILE,	 /* of a path: words that may be files */
	PATTERN_ANY,	 /* everywhere */
} PatternKind;

typedef struct Pattern Pattern;

typedef struct {
	const Pattern *pattern;
	int from, to; /* in the text that was tried */
} Match;

typedef enum { RULES_SENSITIVE, RULES_DENY } RuleList;

/* Of a list, the first pattern of the kind that finds something. `pipeline`: the text with all
 * that its output goes through, without operators in words. */
gboolean rules_find(const SpkCommandRules *rules, RuleList list, PatternKind kind,
		    const char *text, const char *pipeline, Match *ret);
/* A pattern that is just literal text of a file, and that `glob` may turn into: a word whose
 * '*' '?' '[' are no text where `open` says so. */
gboolean rules_find_glob(const SpkCommandRules *rules, RuleList list,
			 const SpkShellWord *word, const Pattern **ret);
gboolean rules_have(const SpkCommandRules *rules, RuleList list, PatternKind kind);
/* The allow rule that matches the whole text. */
const Pattern *rules_allow(const SpkCommandRules *rules, const char *text);
const char *pattern_text(const Pattern *pattern);

/* ---- command_code.c ---- */

/* What code of another language does that a reader of its text can see. */
typedef struct {
	GPtrArray *lines; /* char *: shell lines that it runs */
	GPtrArray *files; /* char *: literals that may be names of files */
	GPtrArray *urls;  /* char * */
	gboolean network; /* it uses a module that connects */
	gboolean post;	  /* or sends mail */
	char *blind;	  /* it runs what can't be told: by what; or NULL */
	gboolean writes;  /* files */
} CodeFinds;

void code_look(CodeLang lang, const char *code, CodeFinds *ret);
void code_finds_clear(CodeFinds *finds);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CodeFinds, code_finds_clear)

/* ---- command_words.c ---- */

/* The words of a text as its shell expands them, as far as that can be told. */
typedef struct {
	SpkShell *shell;
	GHashTable *values; /* name -> Value */
	gboolean posix;	    /* without braces */
	gboolean ifs;	    /* IFS is changed: how words are split is not known */
} Words;

void words_init(Words *words, SpkShell *shell, gboolean posix);
void words_clear(Words *words);
/* Adds to `list` what the word becomes: braces, variables of the text. `sure`: only values that
 * the variable must have. */
void words_expand(const Words *words, const SpkShellWord *word, gboolean sure,
		  GPtrArray *list);
/* A word of its own. */
const SpkShellWord *words_literal(SpkShell *shell, const char *text);
/* From the nth character on. */
const SpkShellWord *words_from(SpkShell *shell, const SpkShellWord *word, guint from);
/* As code: what is open as it is written. */
char *words_code(const SpkShellWord *word);
/* As the name of a file: $HOME and homes as "~", without "//", "/./" and "x/..". */
char *words_path(const SpkShellWord *word);
/* NAME=…, without a "/" before the "=". */
gboolean words_is_assignment(const char *word);

/* ---- command_find.c ---- */

/* One command, with what its judgement needs. */
typedef struct {
	const SpkShellWord *const
		*words; /* NULL: none, only assignments or redirections */
	guint n, n_own; /* of these, what comes before the command that a wrapper runs */
	guint64 code;	/* bits of those that are code, looked into apart */
	guint sub;	/* git: index of its sub-command; else 0 */
	const SpkShellCommand *command; /* with its redirections; NULL: of a wrapper */
	const char *tail;
	const char *way;
	const char *folder; /* that the line went to before, by cd; NULL */
	guint at;
	char *line;	   /* normalised */
	guint name_at;	   /* in line: past the assignments */
	char *name;	   /* without its folder; "" */
	gboolean pseudo;   /* only its files count */
	gboolean doubtful; /* of dash's view of a text of bash */
	gboolean nested;   /* of code: it can't be seen in the line itself */
	gboolean computed; /* the name is only known when it runs */
	gboolean dynamic;  /* what it runs may be something else each time */
	char *unknown;	   /* why it can't be told what it runs; or NULL */
	SpkDoesSet does;
	gboolean read_only;
	GPtrArray *
		globs; /* SpkShellWord *: wildcards that the command itself expands; NULL */
	GPtrArray *files; /* char *: further names, of code and values; or NULL */
} Part;

typedef struct {
	GPtrArray *parts;	   /* Part * */
	GPtrArray *urls;	   /* char * */
	GPtrArray *made;	   /* char *: files that the line makes */
	const SpkScripts *scripts; /* NULL */
	GPtrArray *shells;	   /* what the words of the parts live in */
	char *normal;
	char *unreadable; /* why; or NULL */
	guint unreadable_at;
	guint depth, texts;
	gsize bytes;	   /* of all texts */
	gboolean open_end; /* xargs: more words come */
	gboolean nested;
} Finder;

void finder_init(Finder *finder);
void finder_clear(Finder *finder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Finder, finder_clear)
void finder_run(Finder *finder, const char *line);

/* ---- command_effects.c ---- */

/* What the part sends out, and where. */
void effects_of(Part *part, GPtrArray *urls);
/* Whether the table knows it as one that only reads, with these options. */
gboolean effects_reads_only(const Part *part);
/* Whether the nth word is only text. */
gboolean effects_is_text(const Part *part, guint n);
/* The redirection writes or reads a file (not /dev/null, not a copy of a descriptor). */
gboolean effects_names_file(const SpkShellRedir *redir);

#endif
