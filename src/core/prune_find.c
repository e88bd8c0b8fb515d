/* What finished tasks have left, and what of it is too old or too much. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "core/core_priv.h"
#include "core/prune_priv.h"

#define DAY_US (G_GINT64_CONSTANT(86400) * 1000000)

/* One row a kind: where it lies below SPARKS_HOME, and the options that rule it. */
static const struct {
	SpkPruneWhat what;
	const char *name, *folder, *days, *bytes;
} kinds[] = {
	{ SPK_PRUNE_COPY, "copies", "trees", "keep.copies_days", "keep.copies_bytes" },
	{ SPK_PRUNE_SPILL, "spill", "spill", "keep.spill_days", "keep.spill_bytes" },
	{ SPK_PRUNE_STEPS, "steps", NULL, "keep.steps_days", "keep.steps_bytes" },
	{ SPK_PRUNE_BRANCHES, "branches", NULL, "keep.branches_days", NULL },
};

const char *spk_prune_name(SpkPruneWhat what)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (kinds[i].what == what)
			return kinds[i].name;
	g_assert_not_reached();
}

static void item_free(gpointer data)
{
	PruneItem *item = data;

	g_free(item->why);
	g_free(item);
}

/* Bytes that the task has of this kind; -1: nothing, or not to be known (a branch). */
static gboolean measure(SpkCore *core, const SpkTask *task, gsize kind, gint64 *ret_bytes,
			gboolean *ret_there, GError **error)
{
	g_autofree char *path = NULL;

	*ret_bytes = -1;
	if (kinds[kind].folder) {
		path = g_build_filename(spk_core_home(core), kinds[kind].folder, task->id,
					NULL);
		*ret_bytes = spk_tree_bytes(path);
	} else if (kinds[kind].what == SPK_PRUNE_STEPS) {
		if (!spk_journal_bulk(spk_core_store(core), task->id, ret_bytes, error))
			return FALSE;
		if (!*ret_bytes)
			*ret_bytes = -1;
	} else {
		*ret_there = task->branch != NULL;
		return TRUE;
	}
	*ret_there = *ret_bytes >= 0;
	return TRUE;
}

static gboolean is_named(const SpkTask *task, const SpkPrune *how)
{
	return !how->tasks || g_strv_contains(how->tasks, task->id);
}

/* Days that this kind is kept; -1: for ever. */
static gint64 days_of(const SpkConf *conf, gsize kind, const SpkPrune *how)
{
	gint64 days = spk_conf_int(conf, kinds[kind].days);

	if (how->tasks)
		return 0;
	if (how->older_than_days >= 0)
		return how->older_than_days;
	return days ? days : -1;
}

static void mark(PruneItem *item, char *take_why)
{
	g_free(item->why);
	item->why = take_why;
	item->due = TRUE;
}

static void mark_old(GPtrArray *items, SpkPruneWhat what, gint64 days,
		     const SpkPrune *how)
{
	for (guint i = 0; i < items->len; i++) {
		PruneItem *item = items->pdata[i];

		if (item->what != what || days < 0 ||
		    item->task->finished_us > spk_now_us() - days * DAY_US)
			continue;
		mark(item,
		     how->tasks ? g_strdup("asked for")
				: g_strdup_printf("older than %" G_GINT64_FORMAT " days",
						  days));
	}
}

/* The oldest go until the rest fits. */
static void mark_too_much(GPtrArray *items, SpkPruneWhat what, gint64 max_bytes)
{
	gint64 sum = 0;

	for (guint i = 0; i < items->len; i++) {
		const PruneItem *item = items->pdata[i];

		if (item->what == what && !item->due)
			sum += item->bytes;
	}
	for (guint i = 0; i < items->len && sum > max_bytes; i++) {
		PruneItem *item = items->pdata[i];

		if (item->what != what || item->due)
			continue;
		sum -= item->bytes;
		mark(item, g_strdup("more than the quota"));
	}
}

static gboolean add_items(SpkCore *core, SpkTask *task, const SpkPrune *how,
			  GPtrArray *items, GError **error)
{
	for (gsize kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
		PruneItem *item;
		gboolean there;
		gint64 bytes;

		if (!(how->what & kinds[kind].what))
			continue;
		if (!measure(core, task, kind, &bytes, &there, error))
			return FALSE;
		if (!there)
			continue;
		item = g_new0(PruneItem, 1);
		item->task = task;
		item->what = kinds[kind].what;
		item->bytes = bytes;
		g_ptr_array_add(items, item);
	}
	return TRUE;
}

GPtrArray *prune_find(SpkCore *core, const GPtrArray *tasks, const SpkPrune *how,
		      SpkCancel *cancel, GError **error)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
	g_autoptr(SpkConf) conf = spk_core_conf(core);

	for (guint i = tasks->len; i > 0; i--) {
		SpkTask *task = tasks->pdata[i - 1];

		if (!spk_state_is_terminal(task->status) || !is_named(task, how))
			continue;
		if (!spk_cancel_check(cancel, error) ||
		    !add_items(core, task, how, items, error))
			return NULL;
	}
	for (gsize kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
		const char *quota = kinds[kind].bytes;
		gint64 max_bytes = quota ? spk_conf_int(conf, quota) : 0;

		mark_old(items, kinds[kind].what, days_of(conf, kind, how), how);
		if (max_bytes && !how->tasks && how->older_than_days < 0)
			mark_too_much(items, kinds[kind].what, max_bytes);
	}
	return g_steal_pointer(&items);
}
