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

/* The same by keys of the wire's own, where fragments name the call they belong to: a call
 * begins, gets more of its arguments, or all of them (a string, or an object) in case it has
 * none yet. A call has all keys it began with, any of which finds it; lists end with NULL.
 * more(): PROVIDER_REPLY when there is no such call. */
gboolean spk_calls_begin(SpkCalls *calls, const char *const *keys, const char *id,
			 const char *name, GError **error);
gboolean spk_calls_has(const SpkCalls *calls, const char *const *keys);
gboolean spk_calls_more(SpkCalls *calls, const char *const *keys, const char *piece,
			GError **error);
gboolean spk_calls_whole(SpkCalls *calls, const char *const *keys,
			 const json_t *arguments, GError **error);

guint spk_calls_count(const SpkCalls *calls);
/* Array of {"id","name","arguments"}; PROVIDER_REPLY when a call has no name. */
json_t *spk_calls_to_json(const SpkCalls *calls, guint turn, GError **error);

#endif
