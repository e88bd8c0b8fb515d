#include "cmd/doctor_law.h"

#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/json.h"
#include "base/text.h"
#include "guard/autonomy.h"
#include "store/rules.h"

/* What the latest tasks of one spark needed. */
typedef struct {
	guint tasks; /* those of which it is known */
	SpkLevel needed, level;
} Use;

typedef struct {
	GHashTable
		*seen; /* patterns that decided, and "SPARK\nTOOL" of what was called */
	GHashTable *uses; /* name of a spark -> Use */
	guint tasks;
} Look;

static void look_clear(Look *look)
{
	g_clear_pointer(&look->seen, g_hash_table_unref);
	g_clear_pointer(&look->uses, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static void note(GHashTable *seen, const char *spark, const json_t *p)
{
	const char *name = spk_json_str(p, "name");
	const char *pattern = spk_json_str(json_object_get(p, "law"), "pattern");

	if (name)
		g_hash_table_add(seen, g_strconcat(spark, "\n", name, NULL));
	if (pattern)
		g_hash_table_add(seen, g_strdup(pattern));
}

/* ---- levels ---- */

/* The least level that does this without a question that was not put. */
static SpkLevel least_for(SpkDoesSet does, SpkRisk risk, gboolean lifted)
{
	for (guint level = 0; level < SPK_N_LEVELS; level++) {
		g_auto(SpkDecision) decision = { 0 };

		spk_ladder_judge(level, does, risk, &decision);
		if (decision.verdict == SPK_LAW_ALLOW ||
		    (decision.verdict == SPK_LAW_ASK && lifted))
			return level;
	}
	return SPK_N_LEVELS - 1;
}

/* What a person or a rule of the operator allowed needs a level that asks for it. */
static SpkLevel level_of_call(const json_t *law)
{
	const char *rule = spk_json_str(law, "rule");
	gboolean lifted = json_object_get(law, "answer") != NULL ||
			  (rule && g_str_has_prefix(rule, "operator."));
	SpkRisk risk;

	(void)spk_risk_parse(spk_json_str(law, "risk"), &risk);
	return least_for((SpkDoesSet)spk_json_int(law, "does", 0), risk, lifted);
}

/* FALSE: the journal doesn't tell (steps were pruned, or written by an earlier version), or
 * nothing was called. */
static gboolean level_of_task(const GPtrArray *entries, SpkLevel *ret)
{
	gboolean known = FALSE;

	*ret = SPK_LEVEL_OBSERVE;
	for (guint i = 0; i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];
		const json_t *p = entry->payload, *law = json_object_get(p, "law");

		if (!strcmp(entry->kind, "pruned") && json_object_get(p, "entries"))
			return FALSE;
		if (!strcmp(entry->kind, "commit.result") &&
		    spk_json_bool(p, "in_user_repo", FALSE))
			*ret = MAX(*ret,
				   least_for(SPK_DOES(COMMIT), SPK_RISK_LOW, FALSE));
		if (strcmp(entry->kind, "tool.intent") != 0 || !law)
			continue;
		if (!json_object_get(law, "does"))
			return FALSE;
		*ret = MAX(*ret, level_of_call(law));
		known = TRUE;
	}
	return known;
}

static Use *use_of(Look *look, const char *spark)
{
	Use *use = g_hash_table_lookup(look->uses, spark);

	if (!use) {
		use = g_new0(Use, 1);
		g_hash_table_insert(look->uses, g_strdup(spark), use);
	}
	return use;
}

static void note_level(Look *look, SpkStore *store, const SpkTask *task,
		       const GPtrArray *entries, SpkLevel level_now)
{
	const char *parent = spk_json_str(task->options, "parent");
	g_autoptr(SpkTask) above = parent ? spk_task_get(store, parent, NULL) : NULL;
	Use *use;
	SpkLevel needed;

	if (!level_of_task(entries, &needed))
		return;
	use = use_of(look, task->spark);
	use->tasks++;
	use->needed = MAX(use->needed, needed);
	use->level = MAX(use->level, level_now);
	/* a part never has more than what it is a part of */
	if (above) {
		use = use_of(look, above->spark);
		use->needed = MAX(use->needed, needed);
	}
}

/* ---- looking ---- */

static const SpkSpark *find_spark(const GPtrArray *sparks, const char *name)
{
	for (guint i = 0; i < sparks->len; i++)
		if (!g_strcmp0(((const SpkSpark *)sparks->pdata[i])->name, name))
			return sparks->pdata[i];
	return NULL;
}

static void look_at(Look *look, SpkStore *store, const SpkTask *task,
		    const SpkLevelHeld *held)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, task->id, 0, 0, NULL);

	g_hash_table_add(look->seen, g_strconcat(task->spark, "\n", NULL));
	for (guint i = 0; entries && i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];

		if (g_str_has_prefix(entry->kind, "tool."))
			note(look->seen, task->spark, entry->payload);
	}
	if (entries && held)
		note_level(look, store, task, entries, held->level);
}

/* What the tasks called, which patterns decided, and which level they needed. */
static void look_at_all(SpkStore *store, const SpkConf *conf, const GPtrArray *sparks,
			Look *ret)
{
	g_autoptr(GPtrArray) tasks = spk_task_list(store, -1, DOCTOR_LAW_TASKS, NULL);
	g_autoptr(GPtrArray) rows = spk_levels_list(store, NULL);

	ret->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	ret->uses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	ret->tasks = tasks ? tasks->len : 0;
	for (guint i = 0; i < ret->tasks; i++) {
		const SpkTask *task = tasks->pdata[i];
		const SpkSpark *spark = find_spark(sparks, task->spark);
		g_auto(SpkLevelHeld) held = { 0 };

		if (spark && rows)
			spk_autonomy_find(conf, rows, spark->name, spark->autonomy,
					  task->repo, &held);
		look_at(ret, store, task, held.from ? &held : NULL);
	}
}

/* ---- what is never used ---- */

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

static json_t *unused_tools(const SpkSpark *spark, GHashTable *seen)
{
	json_t *tools = json_array();

	for (const char *const *tool = spark->tools; *tool; tool++) {
		g_autofree char *key = g_strconcat(spark->name, "\n", *tool, NULL);

		if (!g_hash_table_contains(seen, key))
			json_array_append_new(tools, json_string(*tool));
	}
	return tools;
}

/* Those that have worked, and could do more than they did. */
static json_t *able_sparks(const GPtrArray *sparks, const Look *look)
{
	json_t *list = json_array();

	for (guint i = 0; i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		const Use *use = g_hash_table_lookup(look->uses, spark->name);
		g_autofree char *worked = g_strconcat(spark->name, "\n", NULL);
		g_autoptr(json_t) tools = unused_tools(spark, look->seen);
		gboolean high = use && use->tasks && use->needed < use->level;

		if (!g_hash_table_contains(look->seen, worked) ||
		    (!json_array_size(tools) && !high))
			continue;
		json_array_append_new(
			list,
			json_pack("{s:s,s:O,s:i,s:s?,s:s?}", "name", spark->name,
				  "tools_unused", tools, "tasks",
				  use ? (int)use->tasks : 0, "level",
				  use && use->tasks ? spk_level_name(use->level) : NULL,
				  "level_needed",
				  use && use->tasks ? spk_level_name(use->needed)
						    : NULL));
	}
	return list;
}

json_t *spk_doctor_law(const SpkConf *conf, const GPtrArray *sparks)
{
	g_autoptr(SpkStore)
		store = spk_store_open(spk_conf_store_path(conf), "normal",
				       SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, NULL);
	g_auto(Look) look = { 0 };

	if (!store)
		return json_null();
	look_at_all(store, conf, sparks, &look);
	return json_pack("{s:i,s:o,s:o,s:o}", "tasks", (int)look.tasks, "rules_unused",
			 unused_rules(store), "patterns_unused",
			 unused_patterns(conf, look.seen), "sparks",
			 able_sparks(sparks, &look));
}

/* ---- told ---- */

static void print_spark(const json_t *one)
{
	const json_t *tools = json_object_get(one, "tools_unused"), *tool;
	const char *name = spk_json_str(one, "name");
	const char *level = spk_json_str(one, "level");
	const char *needed = spk_json_str(one, "level_needed");
	int n = (int)spk_json_int(one, "tasks", 0);
	size_t i;

	if (json_array_size(tools)) {
		printf("  %s never called:", name);
		json_array_foreach(tools, i, tool)
			printf(" %s", json_string_value(tool));
		putchar('\n');
	}
	if (needed && strcmp(needed, level) != 0)
		printf("  %s is at %s, but its last %d task%s needed only %s: sparks "
		       "autonomy set %s --spark %s\n",
		       name, level, n, n == 1 ? "" : "s", needed, needed, name);
}

static void print_count(const char *what, gsize n)
{
	printf("%zu %s%s", n, what, n == 1 ? "" : "s");
}

void spk_doctor_law_print(const json_t *law)
{
	int n = (int)spk_json_int(law, "tasks", 0);
	const json_t *one;
	size_t i;

	if (!n) {
		puts("law: no task has run yet, so nothing is known of rules, tools and levels "
		     "that are not needed");
		return;
	}
	printf("law, in the latest %d task%s: ", n, n == 1 ? "" : "s");
	print_count("saved rule", json_array_size(json_object_get(law, "rules_unused")));
	fputs(" and ", stdout);
	print_count("pattern", json_array_size(json_object_get(law, "patterns_unused")));
	puts(" of [manager] never decided anything");
	json_array_foreach(json_object_get(law, "sparks"), i, one)
		print_spark(one);
}
