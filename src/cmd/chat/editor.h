/*
 * A message typed at the terminal: libedit with history and completion. A line that ends in a
 * backslash goes on, and so does an open ``` fence. What is pasted is one piece, however many
 * lines it has, and never acts as keys (bracketed paste). Ctrl-C empties the line, Ctrl-D on an
 * empty one ends. libedit takes the terminal back before a signal stops or ends the program
 * (EL_SIGNAL). On TERM=dumb plain lines are read. Used by one thread; one at a time.
 */
#ifndef SPK_CMD_CHAT_EDITOR_H
#define SPK_CMD_CHAT_EDITOR_H

#include <glib.h>

#define SPK_MESSAGE_MAX (256u << 10)

typedef struct SpkEditor SpkEditor;

/* Words that `start` may be gone on to; NULL-terminated, to be freed, or NULL. `before`: the
 * line up to it; "" only where the message begins. */
typedef char **(*SpkCompleteFn)(const char *before, const char *start, gpointer user);

typedef enum { SPK_INPUT_MESSAGE, SPK_INPUT_EMPTIED, SPK_INPUT_END } SpkInput;

/* history: a file (0600, 1000 entries), read now and written after each message; NULL: none. A
 * message that begins with a blank is not kept. */
SpkEditor *spk_editor_new(const char *history, SpkCompleteFn complete, gpointer user);
void spk_editor_free(SpkEditor *editor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkEditor, spk_editor_free)

/* *ret_text (of SPK_INPUT_MESSAGE) is valid UTF-8 without control characters but \n and \t, at
 * most SPK_MESSAGE_MAX bytes, without white space at its ends, and not empty. */
SpkInput spk_editor_read(SpkEditor *editor, char **ret_text);

#endif
