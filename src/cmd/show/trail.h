/*
 * The journal of one task, read once, with the entries that commands ask for. What is
 * borrowed lives as long as the trail.
 */
#ifndef SPK_CMD_TRAIL_H
#define SPK_CMD_TRAIL_H

#include <glib.h>
#include <jansson.h>

#include "store/store.h"

typedef struct {
	GPtrArray *entries; /* SpkJournalEntry */
	const json_t *tree; /* payloads of the last of their kind, or NULL */
	const json_t *box, *ended, *verdict;
	const char *base; /* raw tree of the snapshot, or NULL */
	const char *last; /* raw tree after the last step, also of what was rolled back */
	const char *result;    /* raw tree that was committed, or NULL */
	const char *committed; /* tree of that commit, or NULL */
	const SpkJournalEntry
		*applied;    /* the newest apply.intent that is not undone, or NULL */
	gboolean apply_done; /* it has a result, not only an intent */
} SpkTrail;

SpkTrail *spk_trail_read(SpkStore *store, const char *task, GError **error);
void spk_trail_free(SpkTrail *trail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTrail, spk_trail_free)

/* Payload of the last entry of this kind before entry `end` (entries->len: all), or NULL. */
const json_t *spk_trail_last(const SpkTrail *trail, const char *kind, guint end);

/* Housekeeping has dropped this ("copies", "steps", …). */
gboolean spk_trail_pruned(const SpkTrail *trail, const char *what);

#endif
