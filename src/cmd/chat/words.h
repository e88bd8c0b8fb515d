/*
 * The words that begin with a slash: one table of name, what follows, sentence. Parsing and
 * completion go by it; what a word does is slash.c. Pure: nothing is opened here.
 */
#ifndef SPK_CMD_CHAT_WORDS_H
#define SPK_CMD_CHAT_WORDS_H

#include <glib.h>

typedef enum {
	CHAT_WORD_APPLY,
	CHAT_WORD_CLI_MODEL,
	CHAT_WORD_COST,
	CHAT_WORD_DIFF,
	CHAT_WORD_GHOSTS,
	CHAT_WORD_HELP,
	CHAT_WORD_JOBS,
	CHAT_WORD_MEMORIES,
	CHAT_WORD_MODEL,
	CHAT_WORD_MODELS,
	CHAT_WORD_MOOD,
	CHAT_WORD_NEW,
	CHAT_WORD_QUIT,
	CHAT_WORD_RESUME,
	CHAT_WORD_SET,
	CHAT_WORD_SHOW,
	CHAT_WORD_TASKS,
	CHAT_WORD_UNDO,
	CHAT_N_WORDS,
} ChatWordId;

/* What may follow a word: at most one of these, but for CHAT_TAKES_KNOB: name and value. */
typedef enum {
	CHAT_TAKES_NOTHING,
	CHAT_TAKES_CLI_MODEL,
	CHAT_TAKES_KNOB,
	CHAT_TAKES_MODEL,
	CHAT_TAKES_RESULT,
	CHAT_TAKES_SESSION,
	CHAT_TAKES_SPARK,
	CHAT_TAKES_TASK,
} ChatTakes;

typedef struct {
	const char *name; /* NULL ends the table */
	ChatWordId id;
	ChatTakes takes;
	const char *sentence; /* NULL: another name of one above it */
	const char *instead;  /* not NULL: of a part that is not in this version */
} ChatWord;

const ChatWord *chat_words(void);
/* "[KEY VALUE]", "" */
const char *chat_words_usage(ChatTakes takes);

typedef struct {
	const ChatWord *word;
	char *first; /* what follows, without blanks in it; "" when nothing does */
	char *rest;  /* after that, stripped; "" but for CHAT_TAKES_KNOB */
} ChatLine;

void chat_line_clear(ChatLine *line);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChatLine, chat_line_clear)

/* text begins with "/". USAGE: no such word, or it does not take that. Whatever follows a word
 * that is not in this version is left alone. */
gboolean chat_line_parse(const char *text, ChatLine *ret_line, GError **error);

#endif
