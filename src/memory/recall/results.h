/*
 * Results of the latest searches. Each belongs to one state of the store: after any write, of any
 * process, all of them are wrong (words weigh by how rare they are among all memories), and go.
 * Not thread-safe.
 */
#ifndef SPK_MEMORY_RESULTS_H
#define SPK_MEMORY_RESULTS_H

#include <glib.h>

typedef struct SpkResults SpkResults;

/* capacity 0: keeps nothing. */
SpkResults *spk_results_new(guint capacity);
void spk_results_free(SpkResults *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkResults, spk_results_free)
/* The value put under that key at the same change, made at most max_age_us before now_us; NULL.
 * Borrowed until the next call. */
GArray *spk_results_get(SpkResults *kept, const char *key, gint64 change, gint64 now_us,
			gint64 max_age_us);
/* Takes a reference. */
void spk_results_put(SpkResults *kept, const char *key, gint64 change, gint64 now_us,
		     GArray *value);
guint spk_results_count(const SpkResults *kept);

#endif
