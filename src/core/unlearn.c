/* Takes back what a task has taught the memory. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/core_priv.h"
#include "memory/memory.h"

void spk_unlearned_clear(SpkUnlearned *unlearned)
{
	g_clear_pointer(&unlearned->forgotten, g_ptr_array_unref);
	g_clear_pointer(&unlearned->revived, g_ptr_array_unref);
}

static gboolean is_over(const SpkTask *task, GError **error)
{
	if (spk_state_is_terminal(task->status))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT,
		      "wait for its end, or `sparks tasks cancel` it first",
		      "task %s is %s and may still add to the memory", task->id,
		      spk_state_name(task->status));
	return FALSE;
}

static gboolean revive(SpkStore *store, const char *old, const char *by,
		       GPtrArray *revived, GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;
	gboolean was = FALSE;

	if (!old || !spk_memories_get(store, old, &row, error))
		return !old;
	if (!row || row->state != SPK_MEMORY_SUPERSEDED ||
	    g_strcmp0(row->superseded_by, by) != 0)
		return TRUE;
	if (!spk_memories_revive(store, row->id, &was, error))
		return FALSE;
	if (was)
		g_ptr_array_add(revived, g_strdup(row->id));
	return TRUE;
}

static gboolean forget(SpkMemory *memory, const char *id, GPtrArray *forgotten,
		       GError **error)
{
	gboolean was = FALSE;

	if (!spk_memory_forget(memory, id, &was, error))
		return FALSE;
	if (was)
		g_ptr_array_add(forgotten, g_strdup(id));
	return TRUE;
}

static gboolean take_back(SpkCore *core, SpkMemory *memory, const char *task,
			  SpkUnlearned *unlearned, GError **error)
{
	SpkMemoryList what = { .state = -1, .task = task };
	g_autoptr(GPtrArray) rows = spk_memories_list(core->store, &what, error);
	g_autoptr(GPtrArray) merged = spk_memories_merged_of(core->store, task, error);

	if (!rows || !merged)
		return FALSE;
	for (guint i = 0; i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];

		if (!revive(core->store, row->supersedes, row->id, unlearned->revived,
			    error) ||
		    !forget(memory, row->id, unlearned->forgotten, error))
			return FALSE;
	}
	for (guint i = 0; i < merged->len; i++)
		if (!forget(memory, merged->pdata[i], unlearned->forgotten, error))
			return FALSE;
	return TRUE;
}

static json_t *ids_of(const GPtrArray *ids)
{
	json_t *list = json_array();

	for (guint i = 0; i < ids->len; i++)
		json_array_append_new(list, spk_json_text(ids->pdata[i]));
	return list;
}

static gboolean record(SpkCore *core, const char *task, const SpkUnlearned *unlearned,
		       GError **error)
{
	g_autoptr(json_t) payload = json_pack("{s:o,s:o}", "forgotten",
					      ids_of(unlearned->forgotten), "revived",
					      ids_of(unlearned->revived));

	return spk_journal_append(core->store, task, 0, "learn.undone",
				  SPK_EFFECT_IDEMPOTENT, payload, NULL, error);
}

gboolean spk_core_unlearn(SpkCore *core, const char *id, SpkUnlearned *ret,
			  GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, id, error);
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	g_autoptr(SpkMemory) memory = NULL;
	g_auto(SpkUnlearned) unlearned = {
		g_ptr_array_new_with_free_func(g_free),
		g_ptr_array_new_with_free_func(g_free),
	};

	if (!task || !is_over(task, error))
		return FALSE;
	memory = spk_memory_open(core->store, conf, core->home, error);
	if (!memory || !take_back(core, memory, task->id, &unlearned, error) ||
	    (unlearned.forgotten->len && !record(core, task->id, &unlearned, error)))
		return FALSE;
	*ret = unlearned;
	unlearned = (SpkUnlearned){ 0 };
	return TRUE;
}
