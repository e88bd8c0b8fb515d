#include "core/level.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "guard/autonomy.h"
#include "guard/taint.h"

static void keep(const SpkLevelHeld *held, json_t *options)
{
	spk_json_set(options, "autonomy",
		     json_pack("{s:s,s:o}", "level", spk_level_name(held->level), "from",
			       spk_json_text(held->from)));
}

/* What was kept, or, of a play that somebody has written, said. */
static gboolean recall_level(json_t *options, SpkLevelHeld *held)
{
	const json_t *kept = json_object_get(options, "autonomy");
	const char *name = spk_json_str(kept ? kept : options, "level");

	if (!spk_level_parse(name, &held->level))
		return FALSE;
	held->from = g_strdup("the play");
	json_object_del(options, "level");
	return TRUE;
}

/* A part of a task has its parent's level at most, and has read what that has read. */
static gboolean inherit(SpkStore *store, const char *parent, SpkLevelHeld *held,
			json_t *options, GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(store, parent, error);
	g_autoptr(SpkJournalEntry) entry = NULL;
	g_autofree char *from = NULL;
	const json_t *kept;
	SpkLevel level;

	if (!task || !spk_journal_last(store, task->id, "taint", &entry, error))
		return FALSE;
	kept = json_object_get(task->options, "autonomy");
	(void)spk_level_parse(spk_json_str(kept, "level"), &level);
	from = g_strdup_printf("that of task %s, which it is a part of", task->id);
	spk_autonomy_cap(held, level, from);
	spk_json_set(options, "parent", json_string(task->id));
	if (entry)
		spk_json_set(options, "taint", json_deep_copy(entry->payload));
	if (json_object_get(task->options, "untrusted"))
		spk_json_set(options, "untrusted",
			     json_incref(json_object_get(task->options, "untrusted")));
	return TRUE;
}

static gboolean is_untrusted(const SpkConf *conf, const char *folder)
{
	g_auto(GStrv) list = spk_conf_list(conf, "autonomy.untrusted");

	for (char **item = list; *item; item++) {
		g_autofree char *expanded = spk_fs_expand(*item);
		g_autofree char *top = g_canonicalize_filename(expanded, NULL);
		gsize len = strlen(top);

		if (!strncmp(folder, top, len) &&
		    (folder[len] == '/' || !folder[len] || len == 1))
			return TRUE;
	}
	return FALSE;
}

gboolean core_set_level(SpkStore *store, const SpkConf *conf, const SpkSpark *spark,
			const char *folder, const char *parent, json_t *options,
			GError **error)
{
	g_autoptr(GPtrArray) rows = spk_levels_list(store, error);
	g_autofree char *wanted = g_strdup(spk_json_str(options, "level"));
	g_auto(SpkLevelHeld) held = { 0 };

	if (!rows)
		return FALSE;
	/* a replay has what its task had: nothing leaves its throw-away copy */
	if (spk_json_bool(options, "offline", FALSE) && recall_level(options, &held)) {
		keep(&held, options);
		return TRUE;
	}
	spk_autonomy_find(conf, rows, spark->name, spark->autonomy, folder, &held);
	if (wanted && !spk_autonomy_ask(conf, wanted, &held, error))
		return FALSE;
	json_object_del(options, "level");
	if (parent && !inherit(store, parent, &held, options, error))
		return FALSE;
	keep(&held, options);
	if (!json_object_get(options, "untrusted") && is_untrusted(conf, folder))
		spk_json_set(options, "untrusted", json_string("autonomy.untrusted"));
	return TRUE;
}

gboolean core_cap_level(SpkStore *store, const SpkConf *conf, const SpkSpark *spark,
			const char *folder, json_t *options, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_levels_list(store, error);
	const json_t *kept = json_object_get(options, "autonomy");
	g_auto(SpkLevelHeld) held = { 0 };
	SpkLevel level;

	if (!rows)
		return FALSE;
	spk_autonomy_find(conf, rows, spark->name, spark->autonomy, folder, &held);
	if (kept) {
		(void)spk_level_parse(spk_json_str(kept, "level"), &level);
		spk_autonomy_cap(&held, level, spk_json_str(kept, "from"));
	}
	keep(&held, options);
	return TRUE;
}
