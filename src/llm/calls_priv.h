/* Tool calls of one answer, put together from the fragments in which they stream. */
#ifndef SPK_LLM_CALLS_PRIV_H
#define SPK_LLM_CALLS_PRIV_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkCalls SpkCalls;

SpkCalls *spk_calls_new(void);
void spk_calls_free(SpkCalls *calls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkCalls, spk_calls_free)

/* "tool_calls" of a delta, or of a whole message; anything but an array is none. LIMIT past
 * 128 calls or 1 MiB of arguments, PROVIDER_REPLY when it isn't of the form. */
gboolean spk_calls_add(SpkCalls *calls, const json_t *fragments, GError **error);
guint spk_calls_count(const SpkCalls *calls);
/* Array of {"id","name","arguments"}; PROVIDER_REPLY when a call has no name. */
json_t *spk_calls_to_json(const SpkCalls *calls, guint turn, GError **error);

#endif
