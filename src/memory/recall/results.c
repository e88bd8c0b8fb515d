/* Results of the latest searches: a queue in the order of their use, and a table into it. */
#include "memory/recall/results.h"

typedef struct {
	char *key;
	gint64 made_us;
	GArray *value;
} Entry;

struct SpkResults {
	guint capacity;
	gint64 change;
	GQueue queue;	   /* Entry, latest use first */
	GHashTable *links; /* key -> GList of the queue */
};

SpkResults *spk_results_new(guint capacity)
{
	SpkResults *kept = g_new0(SpkResults, 1);

	kept->capacity = capacity;
	g_queue_init(&kept->queue);
	kept->links = g_hash_table_new(g_str_hash, g_str_equal);
	return kept;
}

static void drop(SpkResults *kept, GList *link)
{
	Entry *entry = link->data;

	g_hash_table_remove(kept->links, entry->key);
	g_queue_delete_link(&kept->queue, link);
	g_array_unref(entry->value);
	g_free(entry->key);
	g_free(entry);
}

static void drop_all(SpkResults *kept)
{
	while (kept->queue.tail)
		drop(kept, kept->queue.tail);
}

void spk_results_free(SpkResults *kept)
{
	if (!kept)
		return;
	drop_all(kept);
	g_hash_table_unref(kept->links);
	g_free(kept);
}

GArray *spk_results_get(SpkResults *kept, const char *key, gint64 change, gint64 now_us,
			gint64 max_age_us)
{
	GList *link;
	const Entry *entry;

	if (change != kept->change)
		drop_all(kept);
	kept->change = change;
	link = g_hash_table_lookup(kept->links, key);
	if (!link)
		return NULL;
	entry = link->data;
	/* A clock that went backwards makes nothing younger. */
	if (ABS(now_us - entry->made_us) > max_age_us) {
		drop(kept, link);
		return NULL;
	}
	g_queue_unlink(&kept->queue, link);
	g_queue_push_head_link(&kept->queue, link);
	return entry->value;
}

void spk_results_put(SpkResults *kept, const char *key, gint64 change, gint64 now_us,
		     GArray *value)
{
	GList *old = g_hash_table_lookup(kept->links, key);
	Entry *entry;

	if (change != kept->change || !kept->capacity)
		return;
	if (old)
		drop(kept, old);
	while (kept->queue.length >= kept->capacity)
		drop(kept, kept->queue.tail);
	entry = g_new0(Entry, 1);
	entry->key = g_strdup(key);
	entry->made_us = now_us;
	entry->value = g_array_ref(value);
	g_queue_push_head(&kept->queue, entry);
	g_hash_table_insert(kept->links, entry->key, kept->queue.head);
}

guint spk_results_count(const SpkResults *kept)
{
	return kept->queue.length;
}
