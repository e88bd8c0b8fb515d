/*
 * The loop guard: a ring of the last calls, each as a hash of call and result.
 */
#include "guard/guard.h"

#include <string.h>

typedef struct {
	char *hash;	 /* NULL: not used yet */
	gboolean warned; /* the verdict on this call was WARN */
} LoopEntry;

struct SpkLoopGuard {
	guint window, threshold;
	LoopEntry *ring; /* `window` entries */
	guint next;
};

SpkLoopGuard *spk_loop_guard_new(guint window, guint threshold)
{
	SpkLoopGuard *guard = g_new0(SpkLoopGuard, 1);

	guard->window = CLAMP(window, 1, 1000);
	guard->threshold = MAX(threshold, 1);
	guard->ring = g_new0(LoopEntry, guard->window);
	return guard;
}

void spk_loop_guard_free(SpkLoopGuard *guard)
{
	if (!guard)
		return;
	for (guint i = 0; i < guard->window; i++)
		g_free(guard->ring[i].hash);
	g_free(guard->ring);
	g_free(guard);
}

/* The lengths keep ("ab","c") apart from ("a","bc"). */
static char *hash_pair(const char *call, const char *result)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 len = strlen(call);

	g_checksum_update(sum, (const guchar *)&len, sizeof(len));
	g_checksum_update(sum, (const guchar *)call, len);
	g_checksum_update(sum, (const guchar *)result, strlen(result));
	return g_strdup(g_checksum_get_string(sum));
}

/* How often the pair is in the window; *ret_warned: one of these drew a warning. */
static guint count_in_ring(const SpkLoopGuard *guard, const char *hash,
			   gboolean *ret_warned)
{
	guint count = 0;

	*ret_warned = FALSE;
	for (guint i = 0; i < guard->window; i++) {
		if (g_strcmp0(guard->ring[i].hash, hash))
			continue;
		count++;
		*ret_warned |= guard->ring[i].warned;
	}
	return count;
}

SpkLoopVerdict spk_loop_guard_note(SpkLoopGuard *guard, const char *call,
				   const char *result, char **ret_reason)
{
	LoopEntry *entry = &guard->ring[guard->next];
	gboolean warned;
	guint seen;

	*ret_reason = NULL;
	guard->next = (guard->next + 1) % guard->window;
	g_free(entry->hash);
	entry->hash = hash_pair(call, result);
	entry->warned = FALSE;
	seen = count_in_ring(guard, entry->hash, &warned);
	if (seen <= guard->threshold)
		return SPK_LOOP_OK;
	*ret_reason = g_strdup_printf(
		"the same call gave the same result %u times within the last %u calls%s",
		seen, guard->window,
		warned ? "" /* a person reads it */
		       : ": do something else, or call finish and say what is in the way");
	entry->warned = TRUE;
	return warned ? SPK_LOOP_STOP : SPK_LOOP_WARN;
}
