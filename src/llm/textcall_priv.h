/*
 * Tool calls of models that have none of their own: a text protocol. An answer is one JSON
 * object and nothing else,
 *
 *     {"say": TEXT, "tool": NAME, "arguments": {…}}     a call, with words before it
 *     {"say": TEXT, "tool": null}                       words alone
 *
 * in which other keys are refused. `say` comes first, so that it can be shown as it streams.
 * Where the server holds an answer to a JSON Schema, the schema of just these answers goes with
 * the request, and nothing else can come.
 */
#ifndef SPK_LLM_TEXTCALL_PRIV_H
#define SPK_LLM_TEXTCALL_PRIV_H

#include "llm/llm.h"

/* The request in that form: the tools told in the system prompt, earlier calls and results as
 * text, no tools. `held`: with the schema. Messages and schema are the caller's to free. The
 * same request gives the same bytes. */
SpkLlmRequest spk_textcall_request(const SpkLlmRequest *request, gboolean held);

/* Takes the text of a reply apart: text and tool_calls become as if the model had called. BAD_INPUT
 * says what is wrong and at which character, for the model to read; the reply stays then. */
gboolean spk_textcall_parse(SpkLlmReply *reply, const json_t *tools, guint turn,
			    GError **error);

/* The text of `say` out of the pieces of such an answer. */
typedef struct {
	enum { SAY_BEFORE, SAY_INSIDE, SAY_AFTER } state;
	GString *pending; /* of the answer that is not judged yet */
} SpkTextSay;
void spk_textsay_init(SpkTextSay *say);
void spk_textsay_clear(SpkTextSay *say);
/* What of `say` the piece adds; "" for nothing. */
char *spk_textsay_feed(SpkTextSay *say, const char *piece);

#endif
