/*
 * An answer while it grows: what the wires have in common when they take an event apart.
 * Everything in it is bounded.
 */
#ifndef SPK_LLM_ANSWER_PRIV_H
#define SPK_LLM_ANSWER_PRIV_H

#include "llm/calls_priv.h"
#include "llm/fault.h"
#include "llm/llm_impl.h"

typedef struct {
	const SpkLlmSink *sink; /* may be NULL */
	SpkFaultSource source;
	guint turn; /* for the ids of calls that have none */
	GString *text;
	SpkCalls *calls;
	char *finish; /* in the words of SpkLlmReply, NULL: not yet said */
	char *model;  /* NULL: not yet named */
	SpkUsage usage;
	gboolean began; /* there was something of an answer */
	gboolean done;	/* nothing more comes */
	double retry;	/* what the server's error says of trying again */
	gint64 start_us, first_us;
} SpkAnswer;

void spk_answer_init(SpkAnswer *answer, const SpkLlmSink *sink, guint turn,
		     const SpkFaultSource *source);
void spk_answer_clear(SpkAnswer *answer);

/* The first token came, whatever it is. */
void spk_answer_note_first(SpkAnswer *answer);
/* A piece of the text, up to a NUL, which no text has; LIMIT past 4 MiB. NULL: nothing. */
gboolean spk_answer_add_text(SpkAnswer *answer, const char *piece, GError **error);
/* Both keep a bounded copy; the first model named stays. NULL and "": nothing. */
void spk_answer_set_finish(SpkAnswer *answer, const char *finish);
void spk_answer_set_model(SpkAnswer *answer, const char *model);
/* The answer is whole, even if the connection should break now. */
gboolean spk_answer_is_whole(const SpkAnswer *answer);
/* The server's own error, in any of its forms: sets it and says FALSE. */
gboolean spk_answer_fail(SpkAnswer *answer, const json_t *body, GError **error);
/* A count of tokens: object[key], -1 when it isn't there. */
gint64 spk_answer_count(const json_t *object, const char *key);
/* Fills text, tool_calls, finish, model, usage and first_token_seconds. */
gboolean spk_answer_finish(SpkAnswer *answer, SpkLlmReply *ret_reply, GError **error);

#endif
