/* Opening and closing. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "memory/recall/memory_priv.h"

/* store.db -> memory.index; any other X.db -> X.memory.index */
static char *index_path_of(const char *store)
{
	g_autofree char *folder = g_path_get_dirname(store);
	g_autofree char *base = g_path_get_basename(store);
	g_autofree char *name = NULL;

	if (g_str_has_suffix(base, ".db"))
		base[strlen(base) - strlen(".db")] = '\0';
	name = strcmp(base, "store") == 0 ? g_strdup("memory.index")
					  : g_strconcat(base, ".memory.index", NULL);
	return g_build_filename(folder, name, NULL);
}

SpkMemory *spk_memory_open(SpkStore *store, const SpkConf *conf, const char *home,
			   GError **error)
{
	SpkMemory *memory = g_new0(SpkMemory, 1);

	(void)error; /* nothing is opened yet that could fail */
	memory->store = store;
	memory->conf = spk_conf_ref((SpkConf *)conf);
	memory->home = g_strdup(home);
	memory->patience_ms = SPK_MEMORY_PATIENCE_MS;
	memory->index_path = index_path_of(spk_store_path(store));
	spk_fusion_knobs(conf, &memory->knobs);
	memory->index_options = (SpkIndexOptions){
		.hnsw = spk_conf_bool(conf, "memory.hnsw_enabled"),
		.min_size = (guint)spk_conf_int(conf, "memory.hnsw_min_index_size"),
		.m = (guint)spk_conf_int(conf, "memory.hnsw_m"),
		.ef_construction =
			(guint)spk_conf_int(conf, "memory.hnsw_ef_construction"),
		.ef_search = (guint)spk_conf_int(conf, "memory.hnsw_ef_search"),
	};
	memory->dedup = spk_conf_real(conf, "memory.dedup_threshold");
	memory->max_entries = spk_conf_int(conf, "memory.max_entries");
	memory->results = spk_results_new(
		(guint)spk_conf_int(conf, "memory.retrieval_cache_capacity"));
	g_mutex_init(&memory->model_lock);
	g_mutex_init(&memory->lock);
	g_mutex_init(&memory->fill_lock);
	memory->fill_left = -1;
	memory->unfit =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return memory;
}

void spk_memory_set_patience(SpkMemory *memory, gint64 ms)
{
	memory->patience_ms = ms;
}

void spk_memory_close(SpkMemory *memory)
{
	if (!memory)
		return;
	if (memory->forgot && spk_memory_has_file(memory))
		(void)spk_memory_embedder(memory); /* it tells whose the file is */
	spk_memory_save(memory);
	g_clear_pointer(&memory->index, spk_index_free);
	g_clear_pointer(&memory->turns, spk_turns_free);
	g_clear_pointer(&memory->embedder, spk_embedder_close);
	spk_results_free(memory->results);
	g_clear_pointer(&memory->damaged, g_array_unref);
	g_hash_table_unref(memory->unfit);
	g_mutex_clear(&memory->fill_lock);
	g_mutex_clear(&memory->lock);
	g_mutex_clear(&memory->model_lock);
	spk_conf_unref(memory->conf);
	g_free(memory->mean);
	g_free(memory->model);
	g_free(memory->home);
	g_free(memory->index_path);
	g_free(memory);
}

const char *spk_memory_index_path(SpkMemory *memory)
{
	return memory->index_path;
}
