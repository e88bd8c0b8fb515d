/*
 * What the task commands share when they write to people: painted pieces, text cut to
 * columns, words for numbers, a question. Text from models, tools and repositories always
 * goes through spk_ui_line().
 */
#ifndef SPK_CMD_UI_H
#define SPK_CMD_UI_H

#include <glib.h>
#include <jansson.h>

#include "store/store.h"

/* With fewer columns a table leaves out, or puts below, what it can. */
enum { SPK_UI_NARROW = 70 };

/* Columns to write into: of the terminal, or 160 when fd is a pipe or a file. */
int spk_ui_columns(int fd);
/* text in the colour of the role, when fd shows colours. */
void spk_ui_paint(GString *out, int fd, const char *role, const char *text);
/* The longest prefix of `columns` columns; when cut it ends in "…". */
char *spk_ui_clip(const char *text, int columns);
/* One clean line (no control characters) of at most `columns` columns. NULL gives "". */
char *spk_ui_line(const char *text, int columns);
/* Folds clean text at blanks, each line after `indent` blanks, at most max_lines of them. */
void spk_ui_fold(GString *out, const char *text, int indent, int columns,
		 guint max_lines);
enum { SPK_UI_FIELD = 13 };
/* "  label      text": cleaned to one line and folded beside the label, at most max_lines; nothing when there is
 * no text. `label` has at most 10 columns. */
void spk_ui_field(GString *out, int fd, const char *role, const char *label,
		  const char *text, guint max_lines);
/* A unified diff: clean lines, coloured as fd shows it. */
void spk_ui_diff(GString *out, int fd, const char *diff);
/* Writes to fd; a reader that is gone is no error. */
void spk_ui_write(int fd, const GString *text);

/* "0.03 s", "12.0 s", "3 min 20 s" */
char *spk_ui_seconds(double seconds);
/* "12,345" */
char *spk_ui_number(gint64 n);
/* "1 step", "12,345 steps" */
char *spk_ui_count(gint64 n, const char *one);
/* Local time, "2026-01-31 13:00:00". */
char *spk_ui_time(gint64 wall_us);

/* What a call does, for people: "sh tests/run.sh" of shell, the path of file_edit. Clean, one
 * line. `arguments` as in the journal: a JSON text or an object. */
char *spk_ui_call(const char *tool, const json_t *arguments);

/* "native: what stands"; `words` (spk_box_describe) may begin with the tier already. */
char *spk_ui_box(const char *tier, const char *words);

/* "rolled back" */
char *spk_ui_state(SpkState state);
/* "verified" -> what that means, in words. "" for no verdict. */
const char *spk_ui_verdict_words(SpkVerdict verdict);
const char *spk_ui_verdict_role(SpkVerdict verdict);

/* Asks on the terminal; FALSE without asking when stdin or stderr is none. */
gboolean spk_ui_ask(const char *question);
gboolean spk_ui_can_ask(void);

#endif
