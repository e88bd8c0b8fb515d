/*
 * One answer of a chat completions server, from the bytes of its body: server-sent events
 * with deltas, or the whole as one JSON object when the server doesn't stream.
 */
#ifndef SPK_LLM_CHAT_STREAM_PRIV_H
#define SPK_LLM_CHAT_STREAM_PRIV_H

#include "llm/llm_impl.h"

typedef struct SpkChatStream SpkChatStream;

/* `sink` may be NULL; `turn` is for the ids of calls that have none. */
SpkChatStream *spk_chat_stream_new(const SpkLlmSink *sink, guint turn);
void spk_chat_stream_free(SpkChatStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkChatStream, spk_chat_stream_free)

/* PROVIDER_REPLY for what isn't of the form, LIMIT, or the server's own error. */
gboolean spk_chat_stream_feed(SpkChatStream *stream, const char *data, gsize len,
			      GError **error);
/* The server said that nothing more comes. */
gboolean spk_chat_stream_is_done(const SpkChatStream *stream);
/* The answer is whole, even if the connection should have broken since. */
gboolean spk_chat_stream_is_whole(const SpkChatStream *stream);
/* What the server's error (of feed or finish) says of trying again. */
double spk_chat_stream_retry(const SpkChatStream *stream);
/* After the last byte. PROVIDER when the answer broke off, PROVIDER_REPLY when there is
 * none in it. Fills text, tool_calls, finish, model, usage and first_token_seconds. */
gboolean spk_chat_stream_finish(SpkChatStream *stream, SpkLlmReply *ret_reply,
				GError **error);

#endif
