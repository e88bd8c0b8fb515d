/*
 * Markdown made readable on a terminal, while it streams. Text shows as it comes, raw; when
 * its block is complete (a blank line, a heading's end) it is wiped and written again as it
 * should look. Only the unfinished block is ever redrawn, so what scrolled away stays. Lines of
 * code need no second look and are final as they come.
 *
 * Without style (a pipe, NO_COLOR, TERM=dumb) the text passes as it is, without any escape.
 * Either way it is cleaned of control characters first (spk_text_clean), also of those that
 * two pieces share. One thread at a time.
 */
#ifndef SPK_CMD_CHAT_MARKDOWN_H
#define SPK_CMD_CHAT_MARKDOWN_H

#include <glib.h>

typedef struct SpkMarkdown SpkMarkdown;
typedef void (*SpkMarkdownWrite)(const char *text, gsize len, gpointer user);

SpkMarkdown *spk_markdown_new(gboolean style, SpkMarkdownWrite write, gpointer user);
void spk_markdown_free(SpkMarkdown *markdown);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkMarkdown, spk_markdown_free)

/* The screen that the next pieces go to, in columns and rows. */
void spk_markdown_screen(SpkMarkdown *markdown, int columns, int rows);
/* Something else has been written below: the unfinished block is shown again on lines of its own. */
void spk_markdown_anew(SpkMarkdown *markdown);
void spk_markdown_feed(SpkMarkdown *markdown, const char *piece);
/* Takes back what is shown of the unfinished block. */
void spk_markdown_drop(SpkMarkdown *markdown);
/* The text is over: its last block is written, and a line end. Nothing is kept. */
void spk_markdown_finish(SpkMarkdown *markdown);

/* A whole text at once: clean Markdown to lines of at most `columns` (at least 19). With style
 * every SGR sequence that is opened on a line is closed on it. */
char *spk_markdown_render(const char *text, gsize len, int columns);

#endif
