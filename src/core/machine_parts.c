/* What the steps of the machine need: words on record, the private copy, the sandbox, the run. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "core/machine_priv.h"
#include "guard/guard.h"

void machine_because(Machine *machine, const char *format, ...)
{
	va_list args;

	g_free(machine->reason);
	va_start(args, format);
	machine->reason = g_strdup_vprintf(format, args);
	va_end(args);
}

gboolean machine_update(Machine *machine, json_t *take_fields, GError **error)
{
	g_autoptr(json_t) fields = take_fields;

	return spk_task_update(machine->env->store, machine->task->id,
			       machine->held->lease->token, fields, error);
}

/* ---- getting ready ---- */

gboolean machine_find_strategy(Machine *machine, GError **error)
{
	const char *name = spk_json_str(machine->task->options, "strategy");

	if (!name)
		name = machine->spark->strategy;
	machine->strategy = spk_strategy_find(name);
	if (!machine->strategy)
		spk_error_set(error, SPK_ERR_CONFIG, NULL,
			      "spark %s: unknown strategy \"%s\"", machine->spark->name,
			      name);
	return machine->strategy != NULL;
}

gboolean machine_journal(Machine *machine, const char *kind, json_t *take_payload,
			 GError **error)
{
	g_autoptr(json_t) payload = take_payload;

	return spk_journal_append(machine->env->store, machine->task->id,
				  machine->held->lease->token, kind, SPK_EFFECT_PURE,
				  payload, NULL, error);
}

static json_t *notes_to_json(SpkTree *tree)
{
	json_t *notes = json_array();

	for (const char *const *note = spk_tree_notes(tree); note && *note; note++)
		json_array_append_new(notes, spk_json_text(*note));
	return notes;
}

static gboolean record_tree(Machine *machine, GError **error)
{
	SpkTree *tree = machine->tree;

	return machine_journal(
		       machine, "tree",
		       json_pack("{s:s,s:s,s:o,s:o,s:b,s:s}", "base", spk_tree_base(tree),
				 "base_user", spk_tree_base_user(tree), "base_commit",
				 spk_json_text(spk_tree_base_commit(tree)), "notes",
				 notes_to_json(tree), "is_git", spk_tree_is_git(tree),
				 "subdir", spk_tree_subdir(tree)),
		       error) &&
	       machine_update(
		       machine,
		       json_pack("{s:o}", "base",
				 spk_json_text(spk_tree_base_commit(tree)
						       ? spk_tree_base_commit(tree)
						       : spk_tree_base_user(tree))),
		       error);
}

static gboolean open_tree(Machine *machine, GError **error)
{
	g_auto(GStrv) carry = spk_conf_list(machine->env->conf, "box.carry");
	g_auto(GStrv) sensitive = spk_sensitive_list(machine->env->conf);
	SpkTreeLimits limits = { .sensitive = (const char *const *)sensitive,
				 .carry = carry };
	SpkTask *task = machine->task;

	if (machine->tree)
		return TRUE;
	if (task->base) {
		machine->tree = spk_tree_open(machine->env->home, task->id, error);
		return machine->tree != NULL;
	}
	machine->tree = spk_tree_create(machine->env->home, task->id, task->repo, &limits,
					machine->held->cancel, error);
	if (!machine->tree || !record_tree(machine, error))
		return FALSE;
	task->base = g_strdup(spk_tree_base_user(machine->tree));
	return TRUE;
}

static gboolean record_box(Machine *machine, SpkBox *box, GError **error)
{
	const char *tier = spk_tier_name(spk_box_tier(box));
	const char *image = spk_box_tier(box) == SPK_TIER_DOCKER ? machine->spark->image
								 : NULL;
	g_autofree char *text = g_strconcat(spk_box_describe(box),
					    image ? "; this spark's image is " : "",
					    image, NULL);

	return machine_journal(machine, "box",
			       json_pack("{s:s,s:o}", "tier", tier, "describe",
					 spk_json_text(text)),
			       error) &&
	       machine_update(machine, json_pack("{s:s}", "tier", tier), error);
}

/* Of the proxy's thread. What could not be put on record is not let through. */
static gboolean record_request(const SpkProxyRecord *record, gpointer user)
{
	Machine *machine = user;
	g_autoptr(json_t) payload = spk_way_out_to_json(record);
	const char *kind = record->ended ? "net.result" : "net.intent";
	g_autoptr(GError) error = NULL;

	if (spk_journal_append(machine->env->store, machine->task->id,
			       machine->held->lease->token, kind, SPK_EFFECT_UNSAFE,
			       payload, NULL, &error))
		return TRUE;
	spk_info("core", "task %s: %s", machine->task->id, error->message);
	return FALSE;
}

/* Those of the task, those of the spark, and `more`. */
static char **allowed_hosts(const Machine *machine, const char *const *more)
{
	const json_t *list = json_object_get(machine->task->options, "allow");
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item))
			g_strv_builder_add(builder, json_string_value(item));
	if (machine->spark->allow)
		g_strv_builder_addv(builder, (const char **)machine->spark->allow);
	if (more)
		g_strv_builder_addv(builder, (const char **)more);
	return g_strv_builder_end(builder);
}

/* `folder`: where the socket is; NULL: somewhere. */
static gboolean make_way(Machine *machine, SpkBox *box, const char *const *more,
			 const char *folder, SpkWayOut **ret_way, GError **error)
{
	g_auto(GStrv) allow = allowed_hosts(machine, more);
	const SpkWayOutSpec spec = {
		.conf = machine->env->conf,
		.allow = (const char *const *)allow,
		.folder = folder,
		.record = record_request,
		.user = machine,
	};

	return spk_way_out_open(box, &spec, ret_way, error);
}

static gboolean open_way(Machine *machine, SpkBox *box, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(spk_tree_work(machine->tree));

	if (spk_json_bool(machine->task->options, "offline", FALSE))
		return TRUE;
	return machine->way || make_way(machine, box, NULL, folder, &machine->way, error);
}

/* SpkRunEnv's open_way. */
static gboolean open_more_way(gpointer user, const char *const *more, SpkWayOut **ret_way,
			      GError **error)
{
	Machine *machine = user;

	return make_way(machine, machine->box, more, NULL, ret_way, error);
}

/* What the task was to have, and this sandbox hasn't. */
static void warn_of_lack(const Machine *machine, SpkBox *box)
{
	char *const *carried = spk_tree_carried(machine->tree);
	const char *tier = spk_tier_name(spk_box_tier(box));

	if (carried && *carried && !spk_box_lends(box))
		spk_warn("core",
			 "task %s: the tier %s cannot lend %s and its like to commands",
			 machine->task->id, tier, *carried);
	if (machine->spark->image && spk_box_tier(box) != SPK_TIER_DOCKER)
		spk_warn(
			"core",
			"task %s: image %s of the spark %s has no effect in the tier %s: "
			"[box] backend = \"docker\" has containers",
			machine->task->id, machine->spark->image, machine->spark->name,
			tier);
}

/* SpkRunEnv's open_place. */
static gboolean open_place(gpointer user, SpkTree **ret_tree, SpkBox **ret_box,
			   SpkWayOut **ret_way, GError **error)
{
	Machine *machine = user;
	SpkBox *box = core_box(machine->env->core, error);

	if (!box || !open_tree(machine, error) || !record_box(machine, box, error) ||
	    !open_way(machine, box, error))
		return FALSE;
	warn_of_lack(machine, box);
	*ret_way = machine->way;
	machine->box = box;
	*ret_tree = machine->tree;
	*ret_box = box;
	return TRUE;
}

/* SpkRunEnv's may_go_on. */
static gboolean may_go_on(gpointer user, GError **error)
{
	return held_may_go_on(((Machine *)user)->held, error);
}

/* SpkRunEnv's open_memory. Of this task: it has the configuration that the task has. */
static SpkMemory *open_memory(gpointer user, GError **error)
{
	Machine *machine = user;
	const MachineEnv *env = machine->env;

	spk_embedder_hush();
	if (!machine->memory)
		machine->memory =
			spk_memory_open(env->store, env->conf, env->home, error);
	return machine->memory;
}

SpkRunEnv machine_run_env(Machine *machine)
{
	return (SpkRunEnv){
		.store = machine->env->store,
		.conf = machine->env->conf,
		.open_place = open_place,
		.open_way = open_more_way,
		.open_memory = open_memory,
		.lazy = machine->strategy->lazy,
		.sink = machine->env->sink,
		.task = machine->task,
		.spark = machine->spark,
		.token = machine->held->lease->token,
		.home = machine->env->home,
		.cancel = machine->held->cancel,
		.may_go_on = may_go_on,
		.user = machine,
	};
}

gboolean machine_open_run(Machine *machine, GError **error)
{
	SpkRunEnv env = machine_run_env(machine);

	if (machine->run)
		return TRUE;
	if (!machine->strategy->alone)
		machine->llm = spk_llm_open(machine->env->conf,
					    spk_json_str(machine->task->options, "model"),
					    error);
	if (!machine->strategy->alone && !machine->llm)
		return FALSE;
	env.llm = machine->llm;
	machine->run = spk_run_new(&env, error);
	return machine->run != NULL;
}

/* ---- taking a task up in the middle ---- */

static guint count_recorded(Machine *machine, const char *kind)
{
	guint n = 0;

	while (spk_run_recorded(machine->run, kind, n))
		n++;
	return n;
}

/* Runs the strategy over the rounds that are on record: it returns what was recorded. */
gboolean machine_catch_up(Machine *machine, GError **error)
{
	gboolean verifying = machine->task->status == SPK_STATE_VERIFYING;
	guint ended, rounds;

	if (machine->run)
		return TRUE;
	if (!machine_open_run(machine, error))
		return FALSE;
	if (spk_run_recorded(machine->run, "kept", 0))
		return TRUE; /* nobody says anything any more */
	ended = count_recorded(machine, "ended");
	rounds = verifying && ended ? ended - 1 : count_recorded(machine, "verdict");
	for (; machine->round < rounds; machine->round++) {
		const json_t *verdict =
			spk_run_recorded(machine->run, "verdict", machine->round);
		g_auto(SpkOutcome) outcome = { 0 };

		if (!machine->strategy->run(machine->run, &outcome, error))
			return FALSE;
		machine->strategy->feedback(machine->run,
					    spk_json_str(verdict, "feedback"));
	}
	if (verifying) {
		g_auto(SpkOutcome) outcome = { 0 };

		return machine->strategy->run(machine->run, &outcome, error);
	}
	return TRUE;
}

/* ---- the end ---- */

gboolean machine_learn(Machine *machine, SpkState to, GError **error)
{
	g_autoptr(SpkTask) task = NULL;

	if (!machine->run || !spk_state_is_terminal(to) || to == SPK_STATE_CANCELLED)
		return TRUE;
	task = spk_task_get(machine->env->store, machine->task->id, error);
	return task && spk_learn(machine->run, task, to, error);
}
