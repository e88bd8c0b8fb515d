/* Tool calls of one answer, put together from the fragments in which they stream. */
#ifndef SPK_LLM_CHAT_CALLS_PRIV_H
#define SPK_LLM_CHAT_CALLS_PRIV_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkChatCalls SpkChatCalls;

SpkChatCalls *spk_chat_calls_new(void);
void spk_chat_calls_free(SpkChatCalls *calls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkChatCalls, spk_chat_calls_free)

/* "tool_calls" of a delta, or of a whole message; anything but an array is none. LIMIT past
 * 128 calls or 1 MiB of arguments, PROVIDER_REPLY when it isn't of the form. */
gboolean spk_chat_calls_add(SpkChatCalls *calls, const json_t *fragments, GError **error);
guint spk_chat_calls_count(const SpkChatCalls *calls);
/* Array of {"id","name","arguments"}; PROVIDER_REPLY when a call has no name. */
json_t *spk_chat_calls_to_json(const SpkChatCalls *calls, guint turn, GError **error);

#endif
