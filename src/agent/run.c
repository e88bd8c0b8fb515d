#include "agent/judge.h"
#include "agent/law.h"
#include "agent/recall.h"
#include "agent/run_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "tool/tool.h"

#define NUMBER_KEY_MAX 24

/* The key of an entry within its kind: what makes the step findable again. */
static char *entry_key(const SpkJournalEntry *entry)
{
	const json_t *p = entry->payload;

	if (g_str_has_prefix(entry->kind, "model."))
		return g_strdup_printf("%" G_GINT64_FORMAT, spk_json_int(p, "turn", -1));
	if (g_str_has_prefix(entry->kind, "tool."))
		return g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
				       spk_json_int(p, "turn", -1),
				       spk_json_int(p, "index", -1));
	if (json_object_get(p, "key"))
		return g_strdup(spk_json_str(p, "key"));
	return g_strdup("0");
}

static void remember(SpkRun *run, const char *kind, const char *key, json_t *payload)
{
	g_hash_table_replace(run->recorded, g_strconcat(kind, "/", key, NULL),
			     json_incref(payload));
}

const json_t *run_recorded(SpkRun *run, const char *kind, const char *key)
{
	g_autofree char *name = g_strconcat(kind, "/", key, NULL);

	return g_hash_table_lookup(run->recorded, name);
}

const json_t *spk_run_recorded(SpkRun *run, const char *kind, gint64 number)
{
	char key[NUMBER_KEY_MAX];

	g_snprintf(key, sizeof(key), "%" G_GINT64_FORMAT, number);
	return run_recorded(run, kind, key);
}

gboolean run_record(SpkRun *run, const char *kind, const char *key, SpkEffect effect,
		    json_t *take_payload, GError **error)
{
	g_autoptr(json_t) given = take_payload;
	g_autoptr(json_t) payload = spk_redact_json(NULL, given); /* as it will be read */
	gboolean own_key = g_str_has_prefix(kind, "model.") ||
			   g_str_has_prefix(kind, "tool.");

	if (!own_key)
		spk_json_set(payload, "key", json_string(key));
	if (!spk_journal_append(run->env.store, run->env.task->id, run->env.token, kind,
				effect, payload, NULL, error))
		return FALSE;
	remember(run, kind, key, payload);
	return TRUE;
}

gboolean spk_run_record(SpkRun *run, const char *kind, gint64 number, SpkEffect effect,
			json_t *take_payload, GError **error)
{
	char key[NUMBER_KEY_MAX];

	g_snprintf(key, sizeof(key), "%" G_GINT64_FORMAT, number);
	return run_record(run, kind, key, effect, take_payload, error);
}

void run_remember(SpkRun *run, const char *kind, const char *key, json_t *payload)
{
	remember(run, kind, key, payload);
}

gboolean run_go(SpkRun *run, GError **error)
{
	if (!spk_cancel_check(run->env.cancel, error))
		return FALSE;
	return !run->env.may_go_on || run->env.may_go_on(run->env.user, error);
}

const char *spk_run_last_tree(SpkRun *run)
{
	return run->last_tree;
}

gboolean spk_run_at_budget(const SpkRun *run)
{
	return run->at_budget;
}

double spk_run_seconds(SpkRun *run)
{
	return run->env.task->seconds + (spk_mono_us() - run->started_us) / 1e6;
}

gint64 run_option_int(SpkRun *run, const char *name, const char *conf_name)
{
	gint64 fallback = conf_name ? spk_conf_int(run->env.conf, conf_name) : 0;

	return spk_json_int(run->env.task->options, name, fallback);
}

/* Reads the journal; returns the number of entries that did something. */
static gboolean load(SpkRun *run, guint *ret_steps, GError **error)
{
	g_autoptr(GPtrArray) entries =
		spk_journal_read(run->env.store, run->env.task->id, 0, 0, error);

	if (!entries)
		return FALSE;
	*ret_steps = 0;
	for (guint i = 0; i < entries->len; i++) {
		SpkJournalEntry *entry = entries->pdata[i];
		g_autofree char *key = entry_key(entry);
		const char *tree = NULL;

		remember(run, entry->kind, key, entry->payload);
		run_law_recall(run, entry);
		run_judge_recall(run, entry);
		if (!strcmp(entry->kind, "tool.result") ||
		    !strcmp(entry->kind, "restored") || !strcmp(entry->kind, "kept"))
			tree = spk_json_str(entry->payload, "tree");
		if (tree) {
			g_free(run->last_tree);
			run->last_tree = g_strdup(tree);
		}
		if (g_str_has_suffix(entry->kind, ".intent"))
			(*ret_steps)++;
	}
	return TRUE;
}

gboolean run_place(SpkRun *run, GError **error)
{
	if (run->env.tree)
		return TRUE;
	if (!run->env.open_place(run->env.user, &run->env.tree, &run->env.box,
				 &run->env.way, error))
		return FALSE;
	if (!run->last_tree)
		run->last_tree = g_strdup(spk_tree_base(run->env.tree));
	return TRUE;
}

/* Whoever held the task may have died, or hang, in the middle of a call. */
static gboolean take_over(SpkRun *run, GError **error)
{
	if (spk_box_end_stale(run->env.box, spk_tree_work(run->env.tree)))
		spk_info("agent", "task %s: a command of its former holder was ended",
			 run->env.task->id);
	return spk_tree_restore(run->env.tree, run->last_tree, run->env.cancel, error);
}

static gboolean is_delegated(SpkRun *run)
{
	return !g_strcmp0(spk_json_str(run->env.task->options, "strategy"), "delegate");
}

/* The figures of the day it begins: a table that changes meanwhile is the next run's. */
static gboolean load_prices(SpkRun *run, GError **error)
{
	if (!run->env.llm && !is_delegated(run))
		return TRUE;
	run->prices = spk_prices_load(run->env.home, error);
	return run->prices != NULL;
}

/* ---- tools ---- */

static void add_name(GPtrArray *names, const char *name)
{
	if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_ptr_array_add(names, g_strdup(name));
}

/* The agent program that was asked for; NULL: none. A spark that only reads has no use of one. */
static const char *wanted_agent(SpkRun *run)
{
	const char *tool = spk_json_str(run->env.task->options, "cli_tool");

	if (!tool)
		tool = spk_conf_str(run->env.conf, "cli.tool");
	return run->env.spark->read_only || !spk_tool_is_cli(tool) ? NULL : tool;
}

/* What can't be used here is not offered, and that is said. */
static void offer(SpkRun *run, const char *name)
{
	const SpkTool *tool = spk_tool_find(name);
	g_autofree char *why = tool && tool->absent ? tool->absent(run->env.conf) : NULL;

	if (why && run->env.llm)
		spk_warn("agent", "task %s: the tool %s is not offered: %s",
			 run->env.task->id, name, why);
	if (!why)
		add_name(run->names, name);
	if (!why && spk_tool_is_cli(name))
		add_name(run->agents, name);
}

static gboolean is_of_memory(const char *name)
{
	return g_str_has_prefix(name, "memory_");
}

/* Those of the spark; and, of one that is built in, those of a memory that has something. */
static gboolean offer_own(SpkRun *run, GError **error)
{
	const SpkSpark *spark = run->env.spark;
	gboolean off = run_memory_is_off(run);

	for (const char *const *name = spark->tools; *name; name++)
		if (!off || !is_of_memory(*name))
			offer(run, *name);
	if (strcmp(spark->origin, "built in") != 0)
		return TRUE;
	if (!run_memory_offers(run, &run->memory_tools, error))
		return FALSE;
	if (run->memory_tools) {
		offer(run, "memory_search");
		offer(run, "memory_save");
	}
	return TRUE;
}

static gboolean choose_tools(SpkRun *run, GError **error)
{
	const char *wanted = wanted_agent(run);
	g_auto(GStrv) others = spk_conf_list(run->env.conf, "cli.fallback");

	run->names = g_ptr_array_new_with_free_func(g_free);
	run->agents = g_ptr_array_new_with_free_func(g_free);
	if (!offer_own(run, error))
		return FALSE;
	/* delegated: another one may take over where it is not here */
	if (wanted && is_delegated(run)) {
		add_name(run->names, wanted);
		add_name(run->agents, wanted);
	} else if (wanted) {
		offer(run, wanted);
	}
	for (char **name = others; wanted && *name; name++)
		if (spk_tool_is_cli(*name))
			add_name(run->agents, *name);
	g_ptr_array_add(run->names, NULL);
	g_ptr_array_add(run->agents, NULL);
	return TRUE;
}

SpkRun *spk_run_new(const SpkRunEnv *env, GError **error)
{
	g_autoptr(SpkRun) run = g_new0(SpkRun, 1);
	guint steps;

	run->env = *env;
	run->recorded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)json_decref);
	run->messages = json_array();
	run->vault = spk_vault_new();
	run->memory = run_memory_new(run);
	run->unpriced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run->failed = json_array();
	run->law = run_law_new(run);
	run->judge = run_judge_new();
	run->started_us = spk_mono_us();
	run->sensitive = spk_sensitive_list(env->conf);
	if (spk_conf_bool(env->conf, "manager.loop_guard.enabled"))
		run->guard = spk_loop_guard_new(
			spk_conf_int(env->conf, "manager.loop_guard.window_size"),
			spk_conf_int(env->conf, "manager.loop_guard.repeat_threshold"));
	if (!load_prices(run, error) || !load(run, &steps, error) ||
	    !choose_tools(run, error))
		return NULL;
	run->tools = spk_tool_schemas((const char *const *)run->names->pdata);
	if (env->llm)
		spk_llm_learn(env->llm, env->cancel);
	/* a task that has a base has a private copy */
	if ((!env->lazy || env->task->base) &&
	    (!run_place(run, error) || (steps && !take_over(run, error))))
		return NULL;
	return g_steal_pointer(&run);
}

void spk_run_free(SpkRun *run)
{
	if (!run)
		return;
	g_clear_pointer(&run->prices, spk_prices_free);
	g_clear_pointer(&run->unpriced, g_hash_table_unref);
	json_decref(run->failed);
	g_clear_pointer(&run->recorded, g_hash_table_unref);
	g_clear_pointer(&run->messages, json_decref);
	g_clear_pointer(&run->tools, json_decref);
	g_clear_pointer(&run->names, g_ptr_array_unref);
	g_clear_pointer(&run->agents, g_ptr_array_unref);
	g_clear_pointer(&run->guard, spk_loop_guard_free);
	g_strfreev(run->sensitive);
	g_clear_pointer(&run->vault, spk_vault_free);
	g_clear_pointer(&run->law, run_law_free);
	g_clear_pointer(&run->judge, run_judge_free);
	g_clear_pointer(&run->memory, run_memory_free);
	g_free(run->last_tree);
	g_free(run);
}

void spk_outcome_clear(SpkOutcome *outcome)
{
	g_free(outcome->summary);
	g_free(outcome->reason);
	*outcome = (SpkOutcome){ 0 };
}
