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
#include "core/level.h"
#include "core/machine_priv.h"

static void machine_clear(Machine *machine)
{
	g_clear_pointer(&machine->way, spk_way_out_free);
	g_clear_pointer(&machine->run, spk_run_free);
	g_clear_pointer(&machine->memory, spk_memory_close);
	if (machine->box)
		spk_box_leave(machine->box, spk_tree_work(machine->tree));
	g_clear_pointer(&machine->llm, spk_llm_free);
	g_clear_pointer(&machine->tree, spk_tree_free);
	g_clear_pointer(&machine->task, spk_task_free);
	g_clear_pointer(&machine->spark, spk_spark_free);
	g_free(machine->reason);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Machine, machine_clear)

/* ---- steps ---- */

static gboolean step_queued(Machine *machine, SpkState *next, GError **error)
{
	*next = SPK_STATE_SCANNED;
	return intake_scan(machine, error);
}

static gboolean set_spark(Machine *machine, SpkSpark *take_spark, GError **error)
{
	SpkTask *task = machine->task;
	json_t *record = spk_spark_record(take_spark);

	spk_spark_free(machine->spark);
	machine->spark = take_spark;
	g_free(task->spark);
	task->spark = g_strdup(take_spark->name);
	json_object_del(task->options, "spark");
	if (record)
		spk_json_set(task->options, "spark", record);
	return machine_find_strategy(machine, error) &&
	       core_cap_level(machine->env->store, machine->env->conf, machine->spark,
			      task->repo, task->options, error) &&
	       machine_update(machine,
			      json_pack("{s:s,s:O}", "spark", task->spark, "options",
					task->options),
			      error);
}

/* Nobody was named: a model may pick, before anything is opened for the one that is picked. */
static gboolean route(Machine *machine, GError **error)
{
	SpkRunEnv env = machine_run_env(machine);
	g_autoptr(SpkRun) run = NULL;
	g_autofree char *why = NULL;
	SpkSpark *spark;

	env.lazy = TRUE;
	run = spk_run_new(&env, error);
	spark = run ? spk_route(run, &why, error) : NULL;
	if (!spark || !set_spark(machine, spark, error))
		return FALSE;
	machine_because(machine, "spark %s, by %s", spark->name, why);
	return TRUE;
}

static gboolean step_scanned(Machine *machine, SpkState *next, GError **error)
{
	*next = SPK_STATE_ROUTED;
	if (spk_json_bool(machine->task->options, "route", FALSE))
		return route(machine, error);
	machine_because(machine, "spark %s", machine->spark->name);
	return TRUE;
}

static gboolean step_routed(Machine *machine, SpkState *next, GError **error)
{
	if (!machine_open_run(machine, error) ||
	    (!machine->strategy->lazy && (!spk_setup_run(machine->run, error) ||
					  !spk_verify_before(machine->run, error))))
		return FALSE;
	*next = SPK_STATE_RUNNING;
	return TRUE;
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

	if (held_wants(machine->held) == WANT_STOP)
		return SPK_STATE_PAUSED;
	if (code == SPK_ERR_CANCELLED || held_wants(machine->held) == WANT_CANCEL)
		return SPK_STATE_CANCELLED;
	if (code == SPK_ERR_APPROVAL && machine->task->status == SPK_STATE_RUNNING)
		return SPK_STATE_WAITING;
	if (code == SPK_ERR_LIMIT && machine->run && spk_run_at_budget(machine->run))
		return SPK_STATE_PAUSED;
	return code == SPK_ERR_WAITING || code == SPK_ERR_APPROVAL || is_passing(code) ||
			       is_in_the_way(machine, code)
		       ? SPK_STATE_PAUSED
		       : SPK_STATE_FAILED;
}

static const char *const end_names[] = { "finished", "steps", "tokens", "time", "loop" };

static void say_why_it_ended(Machine *machine, const SpkOutcome *outcome, GError **error)
{
	spk_error_set(
		error, outcome->end == SPK_END_LOOP ? SPK_ERR_LOOP : SPK_ERR_LIMIT,
		outcome->end == SPK_END_LOOP
			? "the model went in circles: another one or a clearer goal may help"
		: spk_run_at_budget(machine->run)
			? "go on with more: sparks tasks resume ID --max-tokens N"
			: "raise the limit and give the task again; what it did so far: "
			  "`sparks tasks diff`",
		"%s", outcome->reason);
}

/* One round of the strategy, to its end on record. */
static gboolean run_round(Machine *machine, SpkOutcome *outcome, GError **error)
{
	if (!machine->strategy->run(machine->run, outcome, error))
		return FALSE;
	if (!spk_run_at_budget(machine->run) &&
	    !spk_run_recorded(machine->run, "ended", machine->round) &&
	    !spk_run_record(machine->run, "ended", machine->round, SPK_EFFECT_PURE,
			    json_pack("{s:s,s:o,s:o}", "end", end_names[outcome->end],
				      "summary", spk_json_text(outcome->summary),
				      "reason", spk_json_text(outcome->reason)),
			    error))
		return FALSE;
	if (outcome->end == SPK_END_FINISHED)
		return TRUE;
	say_why_it_ended(machine, outcome, error);
	return FALSE;
}

/* No more work will come of the model, for whatever reason; and not because anybody wants that. */
static gboolean is_over(const Machine *machine, const GError *failure)
{
	SpkErr code = spk_error_code(failure);
	const SpkErrInfo *info = spk_err_info(code);

	if (held_wants(machine->held) != WANT_NOTHING || code == SPK_ERR_LEASE_LOST)
		return FALSE;
	return state_after(machine, failure) == SPK_STATE_FAILED ||
	       info->exit_code == 69 || code == SPK_ERR_LIMIT ||
	       code == SPK_ERR_RATE_LIMITED || code == SPK_ERR_TIMEOUT;
}

/* A round that only a critic's objections have asked for, and that would take the task with it:
 * what passed before it is kept. */
static gboolean fall_back(Machine *machine, const GError *failure, GError **error)
{
	guint round;

	if (is_over(machine, failure) && machine_passed(machine, &round))
		return machine_keep(machine, round, failure->message, error);
	g_propagate_error(error, g_error_copy(failure));
	return FALSE;
}

static gboolean step_running(Machine *machine, SpkState *next, GError **error)
{
	g_auto(SpkOutcome) outcome = { 0 };
	g_autoptr(GError) failure = NULL;

	if (!machine_catch_up(machine, error))
		return FALSE;
	*next = SPK_STATE_VERIFYING;
	if (machine_is_kept(machine))
		return TRUE;
	if (!run_round(machine, &outcome, &failure))
		return fall_back(machine, failure, error);
	return machine_update(
		machine, json_pack("{s:o}", "summary", spk_json_text(outcome.summary)),
		error);
}

/* Nobody holds one whose question is open: it is answered, or time ran out. */
static gboolean step_waiting(Machine *machine, SpkState *next, GError **error)
{
	*next = SPK_STATE_RUNNING;
	return TRUE;
}

typedef gboolean (*Step)(Machine *machine, SpkState *next, GError **error);

static const Step steps[SPK_N_STATES] = {
	[SPK_STATE_QUEUED] = step_queued,	[SPK_STATE_SCANNED] = step_scanned,
	[SPK_STATE_ROUTED] = step_routed,	[SPK_STATE_RUNNING] = step_running,
	[SPK_STATE_VERIFYING] = machine_verify, [SPK_STATE_WAITING] = step_waiting,
	/* paused and the terminal states have no step: somebody else acts */
};

/* ---- the loop ---- */

static gboolean move(Machine *machine, SpkState to, GError **error)
{
	/* its last connections are told of while the task is ours */
	if (spk_state_is_terminal(to))
		g_clear_pointer(&machine->way, spk_way_out_free);
	if (!machine_learn(machine, to, error) ||
	    !spk_task_move(machine->env->store, machine->task->id,
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
	    machine_update(machine,
			   json_pack("{s:{s:o,s:o}}", "changes", "files",
				     machine_paths(paths, FALSE), "risky",
				     machine_paths(paths, TRUE)),
			   &error))
		return;
	if (error)
		spk_warn("core", "task %s: %s", machine->task->id, error->message);
}

static gboolean record_error(Machine *machine, const GError *failure, GError **error)
{
	const char *hint = spk_error_hint(failure);

	return machine_update(machine,
			      json_pack("{s:{s:s,s:o,s:o},s:o}", "error", "code",
					spk_err_info(spk_error_code(failure))->name,
					"message", spk_json_text(failure->message),
					"hint", spk_json_text(hint), "reason",
					spk_json_text(failure->message)),
			      error);
}

/* Whatever broke off when everything was stopped. */
static GError *say_halted(const Machine *machine)
{
	g_autofree char *hint = g_strdup_printf(
		"`sparks stop --lift`, then `sparks tasks resume %s`", machine->task->id);
	GError *error = NULL;

	spk_error_set(&error, SPK_ERR_POLICY, hint, "stopped by `sparks stop --all`");
	return error;
}

static gboolean stop(Machine *machine, const GError *failure, GError **error)
{
	SpkState to = state_after(machine, failure);
	gboolean halted = held_wants(machine->held) == WANT_STOP;
	g_autoptr(GError) said = halted ? say_halted(machine) : g_error_copy(failure);
	gboolean detached = held_wants(machine->held) == WANT_DRAIN &&
			    to == SPK_STATE_PAUSED;

	/* Given back as it is: the next holder goes on from the journal. */
	if (detached || spk_error_is(failure, SPK_ERR_LEASE_LOST))
		return TRUE;
	machine_because(machine, "%s", said->message);
	if (spk_error_code(said) != SPK_ERR_WAITING &&
	    !record_error(machine, said, error))
		return FALSE;
	note_changes(machine);
	return move(machine, to, error);
}

static gboolean find_parts(Machine *machine, GError **error)
{
	machine->spark =
		spk_spark_recorded(json_object_get(machine->task->options, "spark"));
	if (!machine->spark)
		machine->spark =
			spk_spark_find(machine->env->conf, machine->task->spark, error);
	return machine->spark && machine_find_strategy(machine, error);
}

static gboolean record_takeover(Machine *machine, GError **error)
{
	if (machine->task->status == SPK_STATE_QUEUED)
		return TRUE;
	return machine_journal(machine, "resumed",
			       json_pack("{s:s,s:s}", "holder", spk_holder_self(),
					 "status", spk_state_name(machine->task->status)),
			       error);
}

gboolean machine_run(const MachineEnv *env, Held *held, GError **error)
{
	g_auto(Machine) machine = { .env = env, .held = held };
	g_autoptr(GError) failure = NULL;
	gboolean waits;

	machine.task = spk_task_get(env->store, held->lease->task, error);
	if (!machine.task || !held_recall(held, env->store, error) ||
	    !core_still_waits(env->store, machine.task, &waits, error))
		return FALSE;
	if (waits && held_wants(held) == WANT_NOTHING)
		return TRUE;
	if (!record_takeover(&machine, error))
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
