/* One line at the terminal that begins with a text which can be changed (libedit). */
#ifndef SPK_CMD_EDIT_H
#define SPK_CMD_EDIT_H

#include <glib.h>

/* Written to stderr. NULL: Ctrl-C, or the input has ended. On TERM=dumb an empty line stands for
 * the text as it is. */
char *spk_edit_line(const char *prompt, const char *text);

#endif
