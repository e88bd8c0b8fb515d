#include "cmd/doctor_law.h"

#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/json.h"
#include "base/text.h"
#include "store/rules.h"

static void note(GHashTable *seen, const char *spark, const json_t *p)
{
	const char *name = spk_json_str(p, "name");
	const char *pattern = spk_json_str(json_object_get(p, "law"), "pattern");

	if (name)
		g_hash_table_add(seen, g_strconcat(spark, "\n", name, NULL));
	if (pattern)
		g_hash_table_add(seen, g_strdup(pattern));
}

/* What the tasks called and which patterns decided; *ret_tasks: how many were looked at. */
static GHashTable *look(SpkStore *store, guint *ret_tasks)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) tasks = spk_task_list(store, -1, DOCTOR_LAW_TASKS, NULL);

	*ret_tasks = tasks ? tasks->len : 0;
	for (guint i = 0; tasks && i < tasks->len; i++) {
		const SpkTask *task = tasks->pdata[i];
		g_autoptr(GPtrArray)
			entries = spk_journal_read(store, task->id, 0, 0, NULL);

		g_hash_table_add(seen, g_strconcat(task->spark, "\n", NULL));
		for (guint k = 0; entries && k < entries->len; k++) {
			const SpkJournalEntry *entry = entries->pdata[k];

			if (g_str_has_prefix(entry->kind, "tool."))
				note(seen, task->spark, entry->payload);
		}
	}
	return seen;
}

static json_t *unused_rules(SpkStore *store)
{
	g_autoptr(GPtrArray) rules = spk_rules_list(store, NULL);
	json_t *list = json_array();

	for (guint i = 0; rules && i < rules->len; i++) {
		const SpkRule *rule = rules->pdata[i];

		if (!rule->uses)
			json_array_append_new(list, spk_json_text(rule->pattern));
	}
	return list;
}

static json_t *unused_patterns(const SpkConf *conf, GHashTable *seen)
{
	static const char *const options[] = { "manager.sensitive_patterns",
					       "manager.auto_approve_patterns",
					       "manager.deny_patterns" };
	json_t *list = json_array();

	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		g_auto(GStrv) patterns = spk_conf_list(conf, options[i]);

		for (char **pattern = patterns; *pattern; pattern++)
			if (!g_hash_table_contains(seen, *pattern))
				json_array_append_new(list, spk_json_text(*pattern));
	}
	return list;
}

/* Of sparks that have worked. */
static json_t *unused_tools(const GPtrArray *sparks, GHashTable *seen)
{
	json_t *list = json_array();

	for (guint i = 0; i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		g_autofree char *worked = g_strconcat(spark->name, "\n", NULL);
		json_t *tools = json_array();

		for (const char *const *tool = spark->tools; *tool; tool++) {
			g_autofree char *key = g_strconcat(worked, *tool, NULL);

			if (!g_hash_table_contains(seen, key))
				json_array_append_new(tools, json_string(*tool));
		}
		if (g_hash_table_contains(seen, worked) && json_array_size(tools))
			json_array_append_new(list,
					      json_pack("{s:s,s:o}", "name", spark->name,
							"tools_unused", tools));
		else
			json_decref(tools);
	}
	return list;
}

json_t *spk_doctor_law(const SpkConf *conf, const GPtrArray *sparks)
{
	g_autoptr(SpkStore)
		store = spk_store_open(spk_conf_store_path(conf), "normal",
				       SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, NULL);
	g_autoptr(GHashTable) seen = NULL;
	guint n = 0;

	if (!store)
		return json_null();
	seen = look(store, &n);
	return json_pack("{s:i,s:o,s:o,s:o}", "tasks", (int)n, "rules_unused",
			 unused_rules(store), "patterns_unused",
			 unused_patterns(conf, seen), "sparks",
			 unused_tools(sparks, seen));
}

void spk_doctor_law_print(const json_t *law)
{
	const json_t *one, *tool;
	size_t i, k;

	if (!json_is_object(law))
		return;
	printf("law, in the latest %d tasks: %zu saved rules and %zu patterns of [manager] never "
	       "decided anything\n",
	       (int)spk_json_int(law, "tasks", 0),
	       json_array_size(json_object_get(law, "rules_unused")),
	       json_array_size(json_object_get(law, "patterns_unused")));
	json_array_foreach(json_object_get(law, "sparks"), i, one) {
		printf("  %s never called:", spk_json_str(one, "name"));
		json_array_foreach(json_object_get(one, "tools_unused"), k, tool)
			printf(" %s", json_string_value(tool));
		putchar('\n');
	}
}
