/*
 * The terminal as it was, given back when a signal ends the program: its modes, the cursor,
 * no bracketed paste, no colour. Then the program dies by that same signal, so that a shell, a core
 * dump or a sanitizer see what they would have seen. A job in the background leaves the terminal
 * to whoever has it. One terminal a process; called by the main thread.
 */
#ifndef SPK_CMD_CHAT_RESCUE_H
#define SPK_CMD_CHAT_RESCUE_H

#include <glib.h>

/* Keeps the modes of the terminal `fd`, and from now on listens to crashes, SIGHUP and SIGQUIT. */
void chat_rescue_begin(int fd);
/* While a line is awaited SIGINT and SIGTERM end the program too, also without a terminal that
 * was kept; afterwards they are again what they were (a turn is cancelled by them). */
void chat_rescue_edit(void);
void chat_rescue_edited(void);
void chat_rescue_end(void);

/* Whether the program was stopped and goes on, since this was last asked: others have written
 * below what it showed. */
gboolean chat_rescue_was_stopped(void);

#endif
