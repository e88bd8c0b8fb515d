/*
 * One answer of a server, from the bytes of its body: server-sent events, lines of JSON, or
 * the whole as one JSON object when the server doesn't stream. The wire takes the events apart.
 */
#ifndef SPK_LLM_STREAM_PRIV_H
#define SPK_LLM_STREAM_PRIV_H

#include "llm/wire_priv.h"

typedef struct SpkStream SpkStream;

/* `sink` may be NULL; `turn` is for the ids of calls that have none. What `source` points to
 * must stay. */
SpkStream *spk_stream_new(const SpkWire *wire, const SpkFaultSource *source,
			  const SpkLlmSink *sink, guint turn);
void spk_stream_free(SpkStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkStream, spk_stream_free)

/* PROVIDER_REPLY for what isn't of the form, LIMIT, or the server's own error. */
gboolean spk_stream_feed(SpkStream *stream, const char *data, gsize len, GError **error);
/* The server said that nothing more comes. */
gboolean spk_stream_is_done(const SpkStream *stream);
/* The answer is whole, even if the connection should have broken since. */
gboolean spk_stream_is_whole(const SpkStream *stream);
/* What the server's error (of feed or finish) says of trying again. */
double spk_stream_retry(const SpkStream *stream);
/* After the last byte. PROVIDER when the answer broke off, PROVIDER_REPLY when there is
 * none in it. Fills text, tool_calls, finish, model, usage and first_token_seconds. */
gboolean spk_stream_finish(SpkStream *stream, SpkLlmReply *ret_reply, GError **error);

#endif
