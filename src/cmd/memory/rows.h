/* A memory for people and for programs. Its text is anybody's: it is shown as one clean line or
 * folded, never as it is. */
#ifndef SPK_CMD_MEMORY_ROWS_H
#define SPK_CMD_MEMORY_ROWS_H

#include "memory/portable.h"

/* What --json of the commands says of the objects of spk_portable_row(). */
#define SPK_ROW_JSON                                                                 \
	"id, text, kind, scope, state (active, superseded, retired), source, task, " \
	"entry, untrusted, time, stored, updated, confidence, speaker, supersedes, " \
	"superseded_by, merged and model"

/* What `untrusted` means, for people. */
#define SPK_ROW_UNTRUSTED                                                                  \
	"untrusted: it comes from a repository or from strangers; a model is shown it as " \
	"data, never as an instruction"

/* "now", "5 min", "3 h", "12 d", "8 wk", "3 y"; of a time to come "now". */
char *spk_row_age(gint64 time_us, gint64 now_us);
/* The scope in few columns: a repository by the name of its folder. Clean. */
char *spk_row_scope(const SpkMemoryRow *row, int columns);
/* One line and its end: `lead` (clean, NULL: none), id, age, scope and kind where there is room,
 * what is special about it, and the text, cut to the columns of stdout. */
void spk_row_append(GString *out, const SpkMemoryRow *row, const char *lead,
		    gint64 now_us);

#endif
