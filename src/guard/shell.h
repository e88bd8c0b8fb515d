/*
 * A lexer and parser of the shell's language: POSIX with the additions of bash that change
 * what runs. It gives the simple commands of a text in the order in which they begin, those
 * of substitutions, conditions, loops and functions among them. It runs nothing and knows no
 * values; what only a run would tell is marked as open.
 *
 * /bin/sh may be dash or bash, and they read some texts differently: `posix` takes the first
 * one's view. A text that uses none of bash's additions (`dialect` is FALSE) reads alike.
 *
 * A SpkShell owns all it points to (one arena). Work is linear in the text: every character
 * that is looked at counts, and a text that needs more than SPK_SHELL_WORK steps for each of
 * its bytes is not read.
 */
#ifndef SPK_GUARD_SHELL_H
#define SPK_GUARD_SHELL_H

#include <glib.h>

#define SPK_SHELL_MAX_TEXT     65536 /* bytes */
#define SPK_SHELL_MAX_DEPTH    48    /* of what may be nested */
#define SPK_SHELL_MAX_COMMANDS 2048
#define SPK_SHELL_WORK	       48 /* steps for each byte */

/* What a character of a word is; words are taken out of their quotes. */
typedef enum {
	SPK_SHELL_PLAIN,  /* not quoted: may be of a glob, a brace, a tilde */
	SPK_SHELL_QUOTED, /* stands for itself */
	SPK_SHELL_OPEN, /* '*' for something that is not known, which is split at blanks */
	SPK_SHELL_OPEN_QUOTED, /* the same in double quotes: one word */
} SpkShellClass;

/* One open place of a word. */
typedef struct {
	const char *name;  /* of the variable, when it is just that; or NULL */
	const char *print; /* as the normalised line has it: "$x", "$(date)" */
} SpkShellOpen;

typedef struct {
	const char *text; /* NUL-terminated */
	const guint8 *classes;
	guint len;
	guint at, end; /* bytes of the source */
	const SpkShellOpen *open;
	guint n_open;
} SpkShellWord;

typedef enum {
	SPK_REDIR_READ,	    /* < */
	SPK_REDIR_WRITE,    /* > >| &> >& with a name */
	SPK_REDIR_APPEND,   /* >> &>> */
	SPK_REDIR_BOTH,	    /* <> */
	SPK_REDIR_COPY,	    /* <& >& with a number or - */
	SPK_REDIR_HEREDOC,  /* target: the text */
	SPK_REDIR_HERETEXT, /* <<< */
} SpkRedirKind;

typedef struct {
	SpkRedirKind kind;
	gboolean output; /* of COPY: >& */
	int fd;		 /* as it is written, -1: none */
	const SpkShellWord *target;
} SpkShellRedir;

typedef enum {
	SPK_STDIN_NONE, /* what the shell has itself */
	SPK_STDIN_PIPE, /* the output of other commands */
	SPK_STDIN_FILE, /* a file, by a redirection of something around it */
} SpkShellStdin;

typedef struct {
	const SpkShellWord *const *words;   /* without assignments */
	const SpkShellWord *const *assigns; /* NAME=value, NAME+=value, NAME[x]=value */
	const SpkShellWord *const *extra;   /* words inside of ${…}, of arrays */
	const SpkShellRedir *const *redirs;
	guint n_words, n_assigns, n_extra, n_redirs;
	guint at, end;
	const char
		*way; /* how it is reached: "", "pipe", "substitution", "function f" … */
	SpkShellStdin in;
	int from;	  /* IN_PIPE: index of the command whose output it is when there
			    * is just one, else -1 */
	const char *tail; /* what follows in its pipeline: " | sh"; or "" */
	gboolean pseudo;  /* no command: words of for, case, [[ ]]; redirections of { } */
	gboolean sure;	  /* runs whenever the text does, in the shell itself */
} SpkShellCommand;

typedef struct {
	GPtrArray *commands; /* SpkShellCommand * */
	GPtrArray *names; /* char *: variables that are given values by for, ${x:=…} */
	char *error;	  /* why the text is no shell; NULL: it is */
	guint error_at;
	gboolean dialect; /* it has something of bash's own */
	char *normal;	  /* one line; literal | & ; < > in words as the bytes 1 to 5 */
	guint64 work;	  /* steps taken */
	struct SpkShellBlock *blocks;
} SpkShell;

SpkShell *spk_shell_parse(const char *text, gsize len, gboolean posix);
void spk_shell_free(SpkShell *shell);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkShell, spk_shell_free)
/* Memory that lives as long as the shell does. */
gpointer spk_shell_alloc(SpkShell *shell, gsize size);
char *spk_shell_dup(SpkShell *shell, const char *text, gsize len);

/* Nothing in it is open. */
gboolean spk_shell_is_literal(const SpkShellWord *word);
/* Appends the word as a shell would read it again; literal | & ; < > as bytes 1 to 5. */
void spk_shell_print_word(GString *out, const SpkShellWord *word);
/* Gives these bytes back as what they are, or (mask) as "_". */
void spk_shell_unmark(char *text, gboolean mask);
/* One argument, quoted for a shell where it has to be. */
char *spk_shell_quote(const char *text);
/* Length of the NAME at the beginning of NAME=…, NAME+=… or NAME[…]=…; 0: it is no assignment. */
guint spk_shell_assigned(const SpkShellWord *word, guint *ret_value);

#endif
