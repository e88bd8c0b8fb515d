/*
 * The task machine: one step function per state, joined to the table of store/states.h. A
 * step does the work of its state and returns the state that follows; the loop records the
 * move. Nothing is kept between steps that the journal doesn't know, so a task can be taken
 * up in any state.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "core/core_priv.h"
#include "guard/guard.h"

typedef struct {
	const MachineEnv *env;
	Held *held;
	SpkTask *task;
	SpkSpark *spark;
	const SpkStrategy *strategy;
	SpkTree *tree;
	SpkWayOut *way;
	SpkBox *box; /* borrowed; set with a tree, for what is kept warm in it */
	SpkLlm *llm;
	SpkRun *run;
	guint round;  /* of verification */
	char *reason; /* for the move that follows */
} Machine;

static void machine_clear(Machine *machine)
{
	g_clear_pointer(&machine->way, spk_way_out_free);
	g_clear_pointer(&machine->run, spk_run_free);
	if (machine->box)
		spk_box_leave(machine->box, spk_tree_work(machine->tree));
	g_clear_pointer(&machine->llm, spk_llm_free);
	g_clear_pointer(&machine->tree, spk_tree_free);
	g_clear_pointer(&machine->task, spk_task_free);
	g_clear_pointer(&machine->spark, spk_spark_free);
	g_free(machine->reason);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Machine, machine_clear)

static void because(Machine *machine, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void because(Machine *machine, const char *format, ...)
{
	va_list args;

	g_free(machine->reason);
	va_start(args, format);
	machine->reason = g_strdup_vprintf(format, args);
	va_end(args);
}

static gboolean update(Machine *machine, json_t *take_fields, GError **error)
{
	g_autoptr(json_t) fields = take_fields;

	return spk_task_update(machine->env->store, machine->task->id,
			       machine->held->lease->token, fields, error);
}

/* ---- getting ready ---- */

static gboolean journal(Machine *machine, const char *kind, json_t *take_payload,
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

	return journal(machine, "tree",
		       json_pack("{s:s,s:s,s:o,s:o,s:b,s:s}", "base", spk_tree_base(tree),
				 "base_user", spk_tree_base_user(tree), "base_commit",
				 spk_json_text(spk_tree_base_commit(tree)), "notes",
				 notes_to_json(tree), "is_git", spk_tree_is_git(tree),
				 "subdir", spk_tree_subdir(tree)),
		       error) &&
	       update(machine,
		      json_pack("{s:o}", "base",
				spk_json_text(spk_tree_base_commit(tree)
						      ? spk_tree_base_commit(tree)
						      : spk_tree_base_user(tree))),
		      error);
}

static gboolean open_tree(Machine *machine, GError **error)
{
	g_auto(GStrv) carry = spk_conf_list(machine->env->conf, "box.carry");
	SpkTreeLimits limits = { .sensitive = spk_sensitive_patterns, .carry = carry };
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

	return journal(machine, "box",
		       json_pack("{s:s,s:o}", "tier", tier, "describe",
				 spk_json_text(text)),
		       error) &&
	       update(machine, json_pack("{s:s}", "tier", tier), error);
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

/* Those of the task and those of the spark. */
static char **allowed_hosts(const Machine *machine)
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
	return g_strv_builder_end(builder);
}

static gboolean open_way(Machine *machine, SpkBox *box, GError **error)
{
	g_auto(GStrv) allow = allowed_hosts(machine);
	g_autofree char *folder = g_path_get_dirname(spk_tree_work(machine->tree));
	const SpkWayOutSpec spec = {
		.conf = machine->env->conf,
		.allow = (const char *const *)allow,
		.folder = folder,
		.record = record_request,
		.user = machine,
	};

	if (spk_json_bool(machine->task->options, "offline", FALSE))
		return TRUE;
	return machine->way || spk_way_out_open(box, &spec, &machine->way, error);
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

static gboolean open_run(Machine *machine, GError **error)
{
	SpkRunEnv env = {
		.store = machine->env->store,
		.conf = machine->env->conf,
		.open_place = open_place,
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

	if (machine->run)
		return TRUE;
	machine->llm = spk_llm_open(machine->env->conf,
				    spk_json_str(machine->task->options, "model"), error);
	if (!machine->llm)
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
static gboolean catch_up(Machine *machine, GError **error)
{
	gboolean verifying = machine->task->status == SPK_STATE_VERIFYING;
	guint ended, rounds;

	if (machine->run)
		return TRUE;
	if (!open_run(machine, error))
		return FALSE;
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

/* ---- steps ---- */

/* The prompt scanner stands here once it is built. */
static gboolean step_queued(Machine *machine, SpkState *next, GError **error)
{
	*next = SPK_STATE_SCANNED;
	return TRUE;
}

static gboolean step_scanned(Machine *machine, SpkState *next, GError **error)
{
	because(machine, "spark %s", machine->spark->name);
	*next = SPK_STATE_ROUTED;
	return TRUE;
}

static gboolean step_routed(Machine *machine, SpkState *next, GError **error)
{
	if (!open_run(machine, error) ||
	    (!machine->strategy->lazy && !spk_verify_before(machine->run, error)))
		return FALSE;
	*next = SPK_STATE_RUNNING;
	return TRUE;
}

static const char *const end_names[] = { "finished", "steps", "tokens", "time", "loop" };

static gboolean step_running(Machine *machine, SpkState *next, GError **error)
{
	g_auto(SpkOutcome) outcome = { 0 };

	if (!catch_up(machine, error) ||
	    !machine->strategy->run(machine->run, &outcome, error))
		return FALSE;
	if (!spk_run_at_budget(machine->run) &&
	    !spk_run_recorded(machine->run, "ended", machine->round) &&
	    !spk_run_record(machine->run, "ended", machine->round, SPK_EFFECT_PURE,
			    json_pack("{s:s,s:o,s:o}", "end", end_names[outcome.end],
				      "summary", spk_json_text(outcome.summary), "reason",
				      spk_json_text(outcome.reason)),
			    error))
		return FALSE;
	if (outcome.end == SPK_END_FINISHED) {
		*next = SPK_STATE_VERIFYING;
		return update(machine,
			      json_pack("{s:o}", "summary",
					spk_json_text(outcome.summary)),
			      error);
	}
	spk_error_set(
		error, outcome.end == SPK_END_LOOP ? SPK_ERR_FAILED : SPK_ERR_LIMIT,
		outcome.end == SPK_END_LOOP
			? "the model went in circles: another one or a clearer goal may help"
		: spk_run_at_budget(machine->run)
			? "go on with more: sparks tasks resume ID --max-tokens N"
			: "raise the limit and give the task again; what it did so far: "
			  "`sparks tasks diff`",
		"%s", outcome.reason);
	return FALSE;
}

static json_t *paths_to_json(const GPtrArray *paths, gboolean only_risky)
{
	json_t *json = json_array();

	for (guint i = 0; i < paths->len; i++)
		if (!only_risky || spk_guard_risky(paths->pdata[i]))
			json_array_append_new(json, spk_json_text(paths->pdata[i]));
	return json;
}

static gboolean record_verdict(Machine *machine, const SpkVerification *verification,
			       GError **error)
{
	g_autoptr(json_t) files = paths_to_json(verification->changed, FALSE);
	g_autoptr(json_t) risky = paths_to_json(verification->changed, TRUE);
	json_t *payload =
		json_pack("{s:i,s:s,s:o,s:O,s:O,s:o}", "round", (int)machine->round,
			  "verdict", spk_verdict_name(verification->verdict), "reason",
			  spk_json_text(verification->reason), "changed", files, "risky",
			  risky, "feedback", spk_json_text(verification->feedback));

	if (spk_run_recorded(machine->run, "verdict", machine->round))
		json_decref(payload);
	else if (!spk_run_record(machine->run, "verdict", machine->round, SPK_EFFECT_PURE,
				 payload, error))
		return FALSE;
	return update(machine,
		      json_pack("{s:s,s:o,s:{s:O,s:O}}", "verdict",
				spk_verdict_name(verification->verdict), "reason",
				spk_json_text(verification->reason), "changes", "files",
				files, "risky", risky),
		      error);
}

static char *commit_message(Machine *machine, const SpkVerification *verification)
{
	g_autofree char *goal = spk_text_clean(machine->task->goal, -1, SPK_CLEAN_LINE);
	g_autofree char *subject = spk_text_clip(goal, 72);
	g_autofree char *summary = NULL;
	g_autoptr(SpkTask)
		fresh = spk_task_get(machine->env->store, machine->task->id, NULL);

	summary = fresh && fresh->summary
			  ? spk_text_clean(fresh->summary, -1, SPK_CLEAN_TEXT)
			  : g_strdup("");
	g_strstrip(summary);
	return g_strdup_printf(
		"%s\n\n%s%sSparks-Task: %s\nSparks-Spark: %s\nSparks-Verdict: %s\n",
		subject, summary, *summary ? "\n\n" : "", machine->task->id,
		machine->spark->name, spk_verdict_name(verification->verdict));
}

/* Dates come from the intent's record, so that a commit made again is the same commit. */
static gboolean commit(Machine *machine, const SpkVerification *verification,
		       GError **error)
{
	g_autofree char *branch = g_strconcat("sparks/", machine->task->id, NULL);
	g_autofree char *message = commit_message(machine, verification);
	SpkTreeCommit how = { .message = message, .branch = branch };
	g_autofree char *raw = NULL, *tree = NULL, *sha = NULL;
	const json_t *intent;
	gboolean in_repo = FALSE;

	raw = g_strdup(spk_run_last_tree(machine->run));
	tree = spk_tree_user_tree(machine->tree, raw, machine->held->cancel, error);
	if (!tree)
		return FALSE;
	if (!spk_run_recorded(machine->run, "commit.intent", 0) &&
	    !spk_run_record(machine->run, "commit.intent", 0, SPK_EFFECT_IDEMPOTENT,
			    json_pack("{s:s,s:s,s:I}", "branch", branch, "tree", tree,
				      "time_us", (json_int_t)spk_now_us()),
			    error))
		return FALSE;
	intent = spk_run_recorded(machine->run, "commit.intent", 0);
	how.time_us = spk_json_int(intent, "time_us", 0);
	sha = spk_tree_commit(machine->tree, raw, &how, &in_repo, machine->held->cancel,
			      error);
	if (!sha)
		return FALSE;
	if (!spk_run_recorded(machine->run, "commit.result", 0) &&
	    !spk_run_record(machine->run, "commit.result", 0, SPK_EFFECT_IDEMPOTENT,
			    json_pack("{s:s,s:s,s:s,s:b}", "branch", branch, "commit",
				      sha, "tree", tree, "in_user_repo", in_repo),
			    error))
		return FALSE;
	return update(machine,
		      json_pack("{s:o,s:s}", "branch",
				in_repo ? json_string(branch) : json_null(), "commit",
				sha),
		      error);
}

static gboolean roll_back(Machine *machine, const char *reason, SpkState *next,
			  GError **error)
{
	const char *base = spk_tree_base(machine->tree);

	because(machine, "%s", reason);
	*next = SPK_STATE_ROLLED_BACK;
	return spk_tree_restore(machine->tree, base, machine->held->cancel, error) &&
	       (spk_run_recorded(machine->run, "restored", 0) ||
		spk_run_record(machine->run, "restored", 0, SPK_EFFECT_IDEMPOTENT,
			       json_pack("{s:s,s:s,s:s}", "tree", base, "attempt",
					 spk_run_last_tree(machine->run), "why",
					 "verification failed"),
			       error));
}

/* The copy was set back and the move was lost: the tree says nothing of the work any more. */
static gboolean was_restored(Machine *machine, SpkState *next)
{
	const json_t *verdict = spk_run_recorded(machine->run, "verdict", machine->round);
	const char *reason = spk_json_str(verdict, "reason");

	if (!spk_run_recorded(machine->run, "restored", 0))
		return FALSE;
	because(machine, "%s", reason ? reason : "verification failed");
	*next = SPK_STATE_ROLLED_BACK;
	return TRUE;
}

static gboolean step_verifying(Machine *machine, SpkState *next, GError **error)
{
	gint64 heals =
		spk_json_int(machine->task->options, "heal_attempts",
			     spk_conf_int(machine->env->conf, "task.heal_attempts"));
	g_auto(SpkVerification) verification = { 0 };

	if (!catch_up(machine, error))
		return FALSE;
	if (was_restored(machine, next))
		return TRUE;
	if (!spk_verify_after(machine->run, machine->round, &verification, error) ||
	    !record_verdict(machine, &verification, error))
		return FALSE;
	because(machine, "%s", verification.reason);
	if (verification.verdict == SPK_VERDICT_FAILED) {
		if (machine->round >= heals)
			return roll_back(machine, verification.reason, next, error);
		machine->strategy->feedback(machine->run, verification.feedback);
		machine->round++;
		*next = SPK_STATE_RUNNING;
		return TRUE;
	}
	*next = SPK_STATE_DONE;
	return !verification.changed->len || commit(machine, &verification, error);
}

typedef gboolean (*Step)(Machine *machine, SpkState *next, GError **error);

static const Step steps[SPK_N_STATES] = {
	[SPK_STATE_QUEUED] = step_queued,	[SPK_STATE_SCANNED] = step_scanned,
	[SPK_STATE_ROUTED] = step_routed,	[SPK_STATE_RUNNING] = step_running,
	[SPK_STATE_VERIFYING] = step_verifying,
	/* waiting, paused and the terminal states have no step: somebody else acts */
};

/* ---- the loop ---- */

static gboolean move(Machine *machine, SpkState to, GError **error)
{
	/* its last connections are told of while the task is ours */
	if (spk_state_is_terminal(to))
		g_clear_pointer(&machine->way, spk_way_out_free);
	if (!spk_task_move(machine->env->store, machine->task->id,
			   machine->held->lease->token, machine->task->status, to,
			   machine->reason, error))
		return FALSE;
	machine->task->status = to;
	g_clear_pointer(&machine->reason, g_free);
	return TRUE;
}

/* Files the task had touched when it was stopped: `tasks diff` shows them. */
static void note_changes(Machine *machine)
{
	g_autoptr(GPtrArray) changes = NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GError) error = NULL;

	if (!machine->run || !machine->tree)
		return;
	changes = spk_tree_changes(machine->tree, spk_tree_base(machine->tree),
				   spk_run_last_tree(machine->run), &error);
	for (guint i = 0; changes && i < changes->len; i++)
		g_ptr_array_add(paths, ((SpkTreeChange *)changes->pdata[i])->path);
	if (!error && paths->len &&
	    update(machine,
		   json_pack("{s:{s:o,s:o}}", "changes", "files",
			     paths_to_json(paths, FALSE), "risky",
			     paths_to_json(paths, TRUE)),
		   &error))
		return;
	if (error)
		spk_warn("core", "task %s: %s", machine->task->id, error->message);
}

static gboolean record_error(Machine *machine, const GError *failure, GError **error)
{
	const char *hint = spk_error_hint(failure);

	return update(machine,
		      json_pack("{s:{s:s,s:o,s:o},s:o}", "error", "code",
				spk_err_info(spk_error_code(failure))->name, "message",
				spk_json_text(failure->message), "hint",
				spk_json_text(hint), "reason",
				spk_json_text(failure->message)),
		      error);
}

/* What is no fault of the work and may be otherwise tomorrow, a configuration without a key
 * or with another model's name included. */
static gboolean is_passing(SpkErr code)
{
	return spk_err_info(code)->exit_code == 69 || spk_err_info(code)->retryable ||
	       code == SPK_ERR_DISK_FULL || code == SPK_ERR_READ_ONLY ||
	       code == SPK_ERR_CONFIG;
}

/* The work is done and cannot be handed over: a branch called "sparks" is in the way of the
 * result's, or the repository cannot be written to. */
static gboolean is_in_the_way(const Machine *machine, SpkErr code)
{
	return machine->task->status == SPK_STATE_VERIFYING &&
	       (code == SPK_ERR_CONFLICT || code == SPK_ERR_GIT || code == SPK_ERR_IO);
}

/* Where a task goes whose step could not be done. A provider that is away, a full disk or a
 * repository that doesn't take the result is no reason to throw work away: the task pauses
 * and can be resumed. */
static SpkState state_after(const Machine *machine, const GError *failure)
{
	SpkErr code = spk_error_code(failure);

	if (code == SPK_ERR_CANCELLED || held_wants(machine->held) == WANT_CANCEL)
		return SPK_STATE_CANCELLED;
	if (code == SPK_ERR_LIMIT && machine->run && spk_run_at_budget(machine->run))
		return SPK_STATE_PAUSED;
	return code == SPK_ERR_WAITING || is_passing(code) || is_in_the_way(machine, code)
		       ? SPK_STATE_PAUSED
		       : SPK_STATE_FAILED;
}

static gboolean stop(Machine *machine, const GError *failure, GError **error)
{
	SpkState to = state_after(machine, failure);
	gboolean detached = held_wants(machine->held) == WANT_DRAIN &&
			    to == SPK_STATE_PAUSED;

	/* Given back as it is: the next holder goes on from the journal. */
	if (detached || spk_error_is(failure, SPK_ERR_LEASE_LOST))
		return TRUE;
	because(machine, "%s", failure->message);
	if (spk_error_code(failure) != SPK_ERR_WAITING &&
	    !record_error(machine, failure, error))
		return FALSE;
	note_changes(machine);
	return move(machine, to, error);
}

static gboolean find_parts(Machine *machine, GError **error)
{
	const char *name = spk_json_str(machine->task->options, "strategy");

	machine->spark =
		spk_spark_recorded(json_object_get(machine->task->options, "spark"));
	if (!machine->spark)
		machine->spark =
			spk_spark_find(machine->env->conf, machine->task->spark, error);
	if (!machine->spark)
		return FALSE;
	if (!name)
		name = machine->spark->strategy;
	machine->strategy = spk_strategy_find(name);
	if (!machine->strategy)
		spk_error_set(error, SPK_ERR_CONFIG, NULL,
			      "spark %s: unknown strategy \"%s\"", machine->spark->name,
			      name);
	return machine->strategy != NULL;
}

static gboolean record_takeover(Machine *machine, GError **error)
{
	if (machine->task->status == SPK_STATE_QUEUED)
		return TRUE;
	return journal(machine, "resumed",
		       json_pack("{s:s,s:s}", "holder", spk_holder_self(), "status",
				 spk_state_name(machine->task->status)),
		       error);
}

gboolean machine_run(const MachineEnv *env, Held *held, GError **error)
{
	g_auto(Machine) machine = { .env = env, .held = held };
	g_autoptr(GError) failure = NULL;

	machine.task = spk_task_get(env->store, held->lease->task, error);
	if (!machine.task || !held_recall(held, env->store, error) ||
	    !record_takeover(&machine, error))
		return FALSE;
	if (!find_parts(&machine, &failure))
		return stop(&machine, failure, error);
	while (steps[machine.task->status]) {
		SpkState next;

		if (!held_may_go_on(held, &failure) ||
		    !steps[machine.task->status](&machine, &next, &failure))
			return stop(&machine, failure, error);
		if (!move(&machine, next, error))
			return FALSE;
	}
	return TRUE;
}
