/* What a run knows of the memory before it asks: its scopes, and whether there is one for it. */
#include <string.h>

#include "agent/recall.h"
#include "agent/recall_priv.h"
#include "agent/run_priv.h"
#include "base/json.h"
#include "memory/tell.h"

RunMemory *run_memory_new(SpkRun *run)
{
	RunMemory *memory = g_new0(RunMemory, 1);
	g_autofree char *below = NULL;
	g_autofree char *top = spk_tree_top(run->env.task->repo, &below);

	memory->repo = spk_memory_scope_of_repo(top);
	memory->who = g_strconcat("spark:", run->env.spark->name, NULL);
	memory->spark = g_strdup(memory->who);
	memory->scopes[0] = "user";
	memory->scopes[1] = memory->repo;
	memory->scopes[2] = memory->spark;
	return memory;
}

void run_memory_free(RunMemory *memory)
{
	if (!memory)
		return;
	g_free(memory->repo);
	g_free(memory->spark);
	g_free(memory->who);
	g_free(memory);
}

const char *run_memory_repo(SpkRun *run)
{
	return run->memory->repo;
}

/* ---- whether there is one ---- */

/* run.c stands above */
static const json_t *on_record(SpkRun *run, const char *name)
{
	return g_hash_table_lookup(run->recorded, name);
}

const json_t *recall_recorded(SpkRun *run)
{
	return on_record(run, RECALL_KIND "/" RECALL_KEY);
}

gboolean recall_is_offline(SpkRun *run)
{
	return spk_json_bool(run->env.task->options, "offline", FALSE);
}

const json_t *recall_known(SpkRun *run)
{
	const json_t *record = recall_recorded(run);
	const json_t *played = json_object_get(run->env.task->options, RECALL_KIND);

	if (record || !recall_is_offline(run))
		return record;
	return json_is_object(played) ? played : NULL;
}

gboolean recall_has_begun(SpkRun *run)
{
	return on_record(run, "model.intent/0") || on_record(run, "tool.intent/0/0");
}

gboolean run_memory_is_off(SpkRun *run)
{
	return !run->env.open_memory ||
	       spk_json_bool(run->env.task->options, "no_memory", FALSE);
}

/* One small question where there never was a memory. */
gboolean recall_holds_any(SpkRun *run, gboolean *ret_any, GError **error)
{
	SpkMemoryStamp stamp;
	SpkMemoryList first = { .state = SPK_MEMORY_ACTIVE, .limit = 1 };
	g_autoptr(GPtrArray) rows = NULL;

	*ret_any = FALSE;
	if (!spk_memories_stamp(run->env.store, &stamp, error))
		return FALSE;
	if (!stamp.change)
		return TRUE;
	rows = spk_memories_list(run->env.store, &first, error);
	*ret_any = rows && rows->len;
	return rows != NULL;
}

gboolean run_memory_offers(SpkRun *run, gboolean *ret_offers, GError **error)
{
	const json_t *record = recall_known(run);

	*ret_offers = FALSE;
	if (run_memory_is_off(run))
		return TRUE;
	if (record || recall_has_begun(run) || recall_is_offline(run)) {
		*ret_offers = spk_json_bool(record, "tools", FALSE);
		return TRUE;
	}
	return !spk_conf_bool(run->env.conf, "memory.tools") ||
	       recall_holds_any(run, ret_offers, error);
}
