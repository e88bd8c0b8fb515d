/*
 * Plays (interface.md): golden transcripts as UTF-8 JSON lines. A play drives the `script`
 * provider, is exported from a task's journal, and is served over HTTP by the tests.
 *
 * Header: {"play":1,"goal":…,"repo":PATH | {"files":{NAME: TEXT | {"text","mode","link",
 * "base64"}}, "git":true},"options":{…}}. Then {"expect":…} / {"say":…} pairs, optional
 * {"end":…}.
 * expect: {"last_contains":[…], "last_matches":REGEX: both of what came after the model's last
 *          answer; "last_role":"user|tool" of the last message;
 *          "tools":[names that must be offered], "prefix":SHA256, "prefix_stable":true (as in
 *          the first request of the task)}
 * say: {"text":…, "tool_calls":[{"name","arguments":OBJECT|STRING,"id"?}],
 *       "chunks":[pieces of the text as they stream], "finish":…, "delay_ms":…,
 *       "usage":{"input","output","cached"}, "repeat":true (the last say answers for ever),
 *       "error":{"status","code","message","retry_after","times"} | "reset" | "garbage" |
 *               {"kind":"reset"|"garbage","times"}}
 * An error comes instead of the answer, at each attempt or at the first `times` ones; before
 * a reset or garbage the text is streamed.
 * end: {"status","verdict","tree","limits":{"calls","tokens","events","steps"}}
 */
#ifndef SPK_LLM_PLAY_H
#define SPK_LLM_PLAY_H

#include <glib.h>
#include <jansson.h>

#include "llm/llm.h"

typedef struct SpkPlay SpkPlay;

/* BAD_INPUT with file and line for what doesn't fit. At most 64 MiB. */
SpkPlay *spk_play_load(const char *path, GError **error);
SpkPlay *spk_play_parse(const char *text, gsize len, const char *name, GError **error);
void spk_play_free(SpkPlay *play);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkPlay, spk_play_free)

const json_t *spk_play_header(const SpkPlay *play);
const json_t *spk_play_end(const SpkPlay *play); /* NULL when absent */
guint spk_play_turns(const SpkPlay *play);
/* `say` / `expect` of turn n (expect may be NULL). A say with "repeat" serves all later turns;
 * NULL past the end. */
const json_t *spk_play_say(const SpkPlay *play, guint turn);
const json_t *spk_play_expect(const SpkPlay *play, guint turn);
/* FALSE and REPLAY_DIFFERS naming turn, what was expected and what came. */
gboolean spk_play_check(const SpkPlay *play, guint turn, const SpkLlmRequest *request,
			GError **error);

#endif
