/* What a manual page is made of: man(7) macros around text that may hold anything. */
#ifndef SPK_CMD_ROFF_H
#define SPK_CMD_ROFF_H

#include <glib.h>

/* Text that stands in a line of its own or behind others: nothing in it is a request. */
void spk_roff_text(GString *out, const char *text);
void spk_roff_line(GString *out, const char *text);
/* A tagged paragraph; the tag in bold. */
void spk_roff_item(GString *out, const char *tag, const char *text);
/* One paragraph for each line that isn't empty. */
void spk_roff_paragraphs(GString *out, const char *text);

#endif
