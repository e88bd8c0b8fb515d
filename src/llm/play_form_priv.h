/* The form of the lines of a play: what is allowed in them, and what is not. */
#ifndef SPK_LLM_PLAY_FORM_PRIV_H
#define SPK_LLM_PLAY_FORM_PRIV_H

#include <glib.h>
#include <jansson.h>

/* All say FALSE and BAD_INPUT in words, without the line's number. */
gboolean spk_play_check_header(const json_t *line, GError **error);
/* An object with one of expect, say and end, each of its form. */
gboolean spk_play_check_event(const json_t *line, GError **error);

#endif
