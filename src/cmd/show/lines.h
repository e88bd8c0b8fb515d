/*
 * A task's journal in words: one function per kind of entry says what a person should read
 * (nothing, a line, or a few) and what is going on now. Pure: no terminal here, so that the
 * live line, `tasks log` and the tests share it. One thread at a time.
 */
#ifndef SPK_CMD_LINES_H
#define SPK_CMD_LINES_H

#include <glib.h>

#include "store/store.h"

typedef struct SpkLines SpkLines;

typedef struct {
	const char *role;  /* of the mark: "ok", "bad", "warn", "dim", "bold" */
	const char *label; /* at most 9 columns: "before", "shell", … ; borrowed */
	char *text;	   /* clean, one line */
	char *tail;	   /* how it came out, shown even when text is cut; or NULL */
	gboolean whole;	   /* folded, not cut */
} SpkLine;

/* `verbose`: every kind of entry gives at least one line (tasks log). */
SpkLines *spk_lines_new(gboolean verbose);
void spk_lines_free(SpkLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLines, spk_lines_free)

/* GPtrArray of SpkLine, may be empty. Entries come in order of seq. */
GPtrArray *spk_lines_take(SpkLines *lines, const SpkJournalEntry *entry);
/* What goes on after the entries so far, for the live line: "shell sh tests/run.sh". */
const char *spk_lines_doing(SpkLines *lines);
/* Model turns and tokens (both directions) so far. */
guint spk_lines_turns(SpkLines *lines);
gint64 spk_lines_tokens(SpkLines *lines);

/* "  ✓ label     text → tail\n", coloured as fd shows it, no wider than `columns`: the text is cut,
 * or folded when it is to be whole; a tail without room stands below it. */
void spk_line_format(const SpkLine *line, int fd, int columns, GString *out);

#endif
