/* Requests in, tasks held and run. The work itself is in machine.c. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "box/tree.h"
#include "core/core_priv.h"
#include "core/level.h"
#include "store/halt.h"
#include "store/sessions.h"
#include "store/setups.h"

#define GOAL_MAX  (256u << 10)
#define LET_GO_MS 1000

SpkCore *spk_core_open(SpkConf *conf, GError **error)
{
	g_autoptr(SpkCore) core = g_new0(SpkCore, 1);
	const char *path;

	g_mutex_init(&core->box_lock);
	g_mutex_init(&core->conf_lock);
	core->base = spk_conf_ref(conf);
	core->home = spk_fs_home(error);
	if (!core->home)
		return NULL;
	path = spk_conf_store_path(conf);
	core->store =
		spk_store_open(path, spk_conf_str(conf, "db.synchronous"), 0, error);
	if (!core->store)
		return NULL;
	core->conf = knobs_over(conf, core->store, error);
	if (!core->conf)
		return NULL;
	core->supervisor = supervisor_new(core->store, core->home);
	return g_steal_pointer(&core);
}

void spk_core_close(SpkCore *core)
{
	if (!core)
		return;
	supervisor_free(core->supervisor);
	g_clear_pointer(&core->box, spk_box_free);
	g_clear_pointer(&core->store, spk_store_close);
	g_clear_pointer(&core->conf, spk_conf_unref);
	g_clear_pointer(&core->base, spk_conf_unref);
	g_mutex_clear(&core->conf_lock);
	g_mutex_clear(&core->box_lock);
	g_free(core->home);
	g_free(core);
}

static gboolean same_values(const SpkConf *a, const SpkConf *b)
{
	g_autoptr(json_t) one = spk_conf_to_json(a);
	g_autoptr(json_t) other = spk_conf_to_json(b);

	return json_equal(one, other);
}

gboolean core_hear_knobs(SpkCore *core)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) base = core_ref_conf(core, &core->base);
	g_autoptr(SpkConf) before = NULL;
	SpkConf *conf = knobs_over(base, core->store, &error);

	if (!conf) {
		spk_warn("core", "cannot read the knobs: %s", error->message);
		return FALSE;
	}
	before = core_swap_conf(core, &core->conf, conf);
	return before != conf && !same_values(before, conf);
}

void spk_core_on_reload(SpkCore *core, SpkReloadFn fn, gpointer user)
{
	core->reload = fn;
	core->reload_user = user;
}

gboolean core_reload(SpkCore *core)
{
	g_autoptr(SpkConf) base = core_ref_conf(core, &core->base);
	SpkConf *conf = core->reload ? reload_read(core->reload, core->reload_user, base)
				     : NULL;

	if (!conf)
		return FALSE;
	spk_conf_unref(core_swap_conf(core, &core->base, conf));
	return core_hear_knobs(core);
}

gboolean spk_core_ready(SpkCore *core, GError **error)
{
	return core_box(core, error) != NULL;
}

/* ---- requests ---- */

static gboolean check_request(const SpkRequest *request, GError **error)
{
	gsize len = strlen(request->goal);

	if (!request->goal[strspn(request->goal, " \t\r\n")]) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "say in a sentence what should be true afterwards",
			      "the goal is empty");
		return FALSE;
	}
	if (len > GOAL_MAX || !g_utf8_validate(request->goal, -1, NULL)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      len > GOAL_MAX ? "the goal is longer than 256 KiB"
					     : "the goal is not UTF-8");
		return FALSE;
	}
	if (!g_file_test(request->folder, G_FILE_TEST_IS_DIR)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "name a folder with --repo",
			      "%s is not a folder", request->folder);
		return FALSE;
	}
	return TRUE;
}

/* The options of a task, with the spark as it is defined now where that may change, and what it
 * may do. */
static json_t *options_with_spark(SpkCore *core, const char *name,
				  const SpkRequest *request, GError **error)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	g_autoptr(SpkSpark) spark = conf ? spk_spark_find(conf, name, error) : NULL;
	json_t *record = spark ? spk_spark_record(spark) : NULL;
	json_t *all;

	if (!spark)
		return NULL;
	all = request->options ? json_deep_copy(request->options) : json_object();
	if (record)
		spk_json_set(all, "spark", record);
	if (!core_set_level(core->store, conf, spark, request->folder, request->parent,
			    all, error))
		g_clear_pointer(&all, json_decref);
	return all;
}

/* Whether a model is to pick the spark. A replay asks nobody. */
static gboolean has_classifier(SpkCore *core, const SpkRequest *request)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	g_autofree char *model = spk_llm_model_for(
		conf, "classifier", spk_json_str(request->options, "model"));

	return model && !spk_json_bool(request->options, "offline", FALSE);
}

/* What the task begins with: what it was given, else what is remembered of its repository. */
static gboolean add_setup(SpkCore *core, const char *folder, json_t *options,
			  GError **error)
{
	json_t *given = json_object_get(options, "setup");
	g_autofree char *below = NULL;
	g_autofree char *top = spk_tree_top(folder, &below);
	g_autoptr(SpkSetup) setup = NULL;

	if (given) {
		spk_json_set(given, "folder", spk_json_text(below));
		return TRUE;
	}
	if (spk_json_bool(options, "no_setup", FALSE))
		return TRUE;
	if (!spk_setup_find(core->store, top, &setup, error))
		return FALSE;
	if (setup)
		spk_json_set(options, "setup",
			     json_pack("{s:o,s:O,s:o,s:b}", "command",
				       spk_json_text(setup->command), "allow",
				       setup->allow, "folder",
				       spk_json_text(setup->folder), "remember", FALSE));
	return TRUE;
}

char *core_accept(SpkCore *core, const SpkRequest *request, const char *session,
		  GError **error)
{
	g_autofree char *id = spk_id_new();
	g_autoptr(json_t) options = NULL;
	/* of a chat the session's spark is meant */
	gboolean route = !request->spark && !session && has_classifier(core, request);
	SpkTask task = {
		.id = id,
		.goal = (char *)request->goal,
		.spark = (char *)(request->spark ? request->spark : "coder"),
		.status = SPK_STATE_QUEUED,
		.repo = (char *)request->folder,
		.label = (char *)request->label,
		.apart = request->apart,
		.cost_usd = -1,
		.created_us = spk_now_us(),
		.updated_us = spk_now_us(),
	};

	if (!check_request(request, error) || !spk_halt_check(core->store, error))
		return NULL;
	options = options_with_spark(core, task.spark, request, error);
	task.options = options;
	/* an agent program does it, whoever would fit best */
	if (options && route && g_strcmp0(spk_json_str(options, "strategy"), "delegate"))
		spk_json_set(options, "route", json_true());
	if (!options || !add_setup(core, request->folder, options, error) ||
	    !(session ? spk_session_add_turn(core->store, session, &task, error)
		      : spk_task_insert(core->store, &task, error)))
		return NULL;
	wake_others(core->home);
	return g_steal_pointer(&id);
}

char *spk_core_accept(SpkCore *core, const SpkRequest *request, GError **error)
{
	return core_accept(core, request, NULL, error);
}

/* ---- running ---- */

gboolean core_run_held(SpkCore *core, Held *held, const SpkLlmSink *sink, GError **error)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core); /* the task's, to its end */
	MachineEnv env = { core, core->store, conf, core->home, sink };
	gboolean ok;

	supervisor_add(core->supervisor, held);
	ok = machine_run(&env, held, error);
	supervisor_remove(core->supervisor, held);
	/* A task that could not even be moved on is left to its lease's end, so that nobody
	 * takes it up again and again; its state is on record. */
	if (!ok || !spk_lease_release(core->store, held->lease, NULL))
		spk_info("core", "the lease of %s was not released", held->lease->task);
	wake_others(core->home);
	return ok;
}

/* Whoever met the question may be just about to let go. */
static SpkLease *claim_soon(SpkCore *core, const char *id, GError **error)
{
	gint64 start = spk_mono_us();

	for (;;) {
		g_autoptr(SpkTask) task = spk_task_get(core->store, id, NULL);
		g_autoptr(GError) why = NULL;
		SpkLease *lease =
			spk_lease_claim(core->store, id, spk_holder_self(), &why);

		if (lease)
			return lease;
		if (!spk_error_is(why, SPK_ERR_BUSY) || !task ||
		    task->status != SPK_STATE_WAITING ||
		    spk_mono_us() - start > LET_GO_MS * 1000) {
			g_propagate_error(error, g_steal_pointer(&why));
			return NULL;
		}
		spk_clock_sleep_us(20000, -1);
	}
}

static gboolean run_once(SpkCore *core, const char *id, const SpkLlmSink *sink,
			 SpkCancel *cancel, GError **error)
{
	g_autoptr(Held) held = NULL;
	SpkLease *lease;

	if (!spk_halt_check(core->store, error))
		return FALSE;
	lease = claim_soon(core, id, error);
	/* a program that lives on (a chat) may have been told since it began */
	(void)core_hear_knobs(core);
	if (!lease)
		return FALSE;
	held = held_new(lease, cancel);
	return core_run_held(core, held, sink, error);
}

gboolean core_run(SpkCore *core, const char *id, const SpkLlmSink *sink,
		  SpkCancel *cancel, GError **error)
{
	gboolean goes_on = TRUE;

	while (goes_on)
		if (!run_once(core, id, sink, cancel, error) ||
		    !core_ask(core, id, &goes_on, error))
			return FALSE;
	return TRUE;
}

gboolean spk_core_run(SpkCore *core, const char *id, SpkCancel *cancel, GError **error)
{
	return core_run(core, id, NULL, cancel, error);
}

/* ---- what others ask ---- */

/* With the lease in hand: what the task is now, not what it was when we looked. */
static gboolean move_here(SpkCore *core, const SpkLease *lease, SpkState to,
			  GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, lease->task, error);

	return task && spk_task_move(core->store, task->id, lease->token, task->status,
				     to, "asked by the user", error);
}

/* A task nobody runs is moved right here; *ret_busy: somebody runs it. */
static gboolean move_if_free(SpkCore *core, const char *id, SpkState to,
			     gboolean *ret_busy, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkLease)
		lease = spk_lease_claim(core->store, id, spk_holder_self(), &why);
	gboolean ok;

	*ret_busy = spk_error_is(why, SPK_ERR_BUSY);
	if (!lease) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	ok = move_here(core, lease, to, error);
	(void)spk_lease_release(core->store, lease, NULL); /* else it expires */
	return ok;
}

/* A running task gets mail; its holder may let go of it just before. */
static gboolean ask_holder(SpkCore *core, const char *id, const char *kind, SpkState to,
			   GError **error)
{
	gboolean busy;

	if (!spk_mail_post(core->store, id, kind, NULL, error))
		return FALSE;
	(void)move_if_free(core, id, to, &busy,
			   NULL); /* the mail is there all the same */
	return TRUE;
}

static gboolean ask(SpkCore *core, const char *id, const char *kind, SpkState to,
		    GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, id, error);
	g_autoptr(GError) why = NULL;
	gboolean ok, busy;

	if (!task)
		return FALSE;
	if (spk_state_is_terminal(task->status) || task->status == to) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL, "task %s is %s already",
			      task->id, spk_state_name(task->status));
		return FALSE;
	}
	ok = move_if_free(core, task->id, to, &busy, &why) ||
	     (busy && ask_holder(core, task->id, kind, to, error));
	if (!ok && !busy)
		g_propagate_error(error, g_steal_pointer(&why));
	wake_others(core->home);
	return ok;
}

gboolean spk_core_cancel(SpkCore *core, const char *id, GError **error)
{
	return ask(core, id, "cancel", SPK_STATE_CANCELLED, error);
}

gboolean spk_core_pause(SpkCore *core, const char *id, GError **error)
{
	return ask(core, id, "pause", SPK_STATE_PAUSED, error);
}

/* The state a paused or cancelled task was in. */
static gboolean state_before(SpkCore *core, const SpkTask *task, SpkState *ret_state,
			     GError **error)
{
	g_autoptr(GPtrArray)
		entries = spk_journal_read(core->store, task->id, 0, 0, error);

	if (!entries)
		return FALSE;
	*ret_state = SPK_STATE_QUEUED;
	for (guint i = 0; i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];
		SpkState from;

		if (!strcmp(entry->kind, "state") &&
		    spk_state_parse(spk_json_str(entry->payload, "from"), &from) &&
		    from != SPK_STATE_PAUSED && from != SPK_STATE_CANCELLED)
			*ret_state = from;
	}
	return TRUE;
}

/* One whose files or steps were dropped has nothing to go on from. */
static gboolean can_go_on(SpkCore *core, const SpkTask *task, GError **error)
{
	g_autoptr(GPtrArray)
		entries = spk_journal_read(core->store, task->id, 0, 0, error);

	for (guint i = 0; entries && i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];
		const char *what = spk_json_str(entry->payload, "what");

		if (strcmp(entry->kind, "pruned") != 0 ||
		    (g_strcmp0(what, "copies") != 0 && g_strcmp0(what, "steps") != 0))
			continue;
		spk_error_set(error, SPK_ERR_CONFLICT,
			      "give the goal again with `sparks do`",
			      "task %s cannot go on: its %s were dropped by housekeeping",
			      task->id, what);
		return FALSE;
	}
	return entries != NULL;
}

gboolean spk_core_resume(SpkCore *core, const char *id, gboolean apart, GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, id, error);
	gboolean rests;
	SpkState to;

	if (!task)
		return FALSE;
	rests = task->status == SPK_STATE_PAUSED || task->status == SPK_STATE_CANCELLED;
	if (!spk_halt_check(core->store, error))
		return FALSE;
	if (!rests && spk_state_is_terminal(task->status)) {
		spk_error_set(error, SPK_ERR_CONFLICT,
			      "give the goal again with `sparks do`",
			      "task %s is %s and cannot go on", task->id,
			      spk_state_name(task->status));
		return FALSE;
	}
	if (rests && !can_go_on(core, task, error))
		return FALSE;
	/* first, or a daemon might take it as soon as it is open again */
	if (apart != (task->apart != 0) &&
	    !spk_task_set_apart(core->store, task->id, apart, error))
		return FALSE;
	/* one that was only interrupted goes on with whoever claims it */
	if (rests && (!state_before(core, task, &to, error) ||
		      !spk_task_reopen(core->store, task->id, task->status, to,
				       "resumed by the user", error)))
		return FALSE;
	wake_others(core->home);
	return TRUE;
}
