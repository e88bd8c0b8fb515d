/* Inside the renderer of the journal: its state, and how the functions of a kind add lines. */
#ifndef SPK_CMD_LINES_PRIV_H
#define SPK_CMD_LINES_PRIV_H

#include "cmd/show/lines.h"

struct SpkLines {
	gboolean verbose;
	GHashTable *calls; /* "turn/index" -> what the call does, in words */
	char *doing;
	char *failure; /* why the model gave no answer, when that was said last */
	guint turns;
	gint64 tokens;
};

void line_free(gpointer line);
void line_add(GPtrArray *out, const char *role, const char *label, const char *format,
	      ...) G_GNUC_PRINTF(4, 5);
/* Folded instead of cut when it is long. */
void line_add_whole(GPtrArray *out, const char *role, const char *label,
		    const char *text);
/* Of the line added last. */
void line_add_tail(GPtrArray *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What goes on from now. */
void lines_now(SpkLines *lines, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Text of the payload, "" when there is none. */
const char *line_str(const json_t *payload, const char *key);
/* Texts of an array, the first few: "a, b and 3 more"; "" when there are none. */
char *line_list(const json_t *array);

/* ---- lines_steps.c ---- */
void lines_on_check_intent(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_check_result(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_model_intent(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_model_result(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_model_error(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_tool_intent(SpkLines *lines, const json_t *payload, GPtrArray *out);
void lines_on_cli(SpkLines *lines, const json_t *payload, GPtrArray *out);
/* Findings of the prompt scanner in `what`, with their places in words. */
void lines_add_scan(const json_t *scan, const char *what, GPtrArray *out);
void lines_on_tool_result(SpkLines *lines, const json_t *payload, GPtrArray *out);

#endif
