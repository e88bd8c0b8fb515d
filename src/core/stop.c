/*
 * The emergency stop. The row in the store is what counts: nobody takes a task up while it is
 * there. Who holds one hears of it by the wake file and lets go; who doesn't is killed, for what
 * a task does ends with its holder.
 */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "box/tree.h"
#include "core/core_priv.h"
#include "store/halt.h"

/* Holders are asked, then killed: the two together stay below a second. */
#define ASKED_MS  700
#define KILLED_MS 200
#define LOOK_MS	  20

void spk_stopped_clear(SpkStopped *stopped)
{
	g_clear_pointer(&stopped->tasks, g_ptr_array_unref);
	g_clear_pointer(&stopped->killed, g_ptr_array_unref);
	g_clear_pointer(&stopped->left, g_ptr_array_unref);
}

/* Waits until no living process holds a task; NULL: it cannot be seen. */
static GPtrArray *await_quiet(SpkCore *core, gint64 ms, GError **error)
{
	gint64 start = spk_mono_us();
	g_autoptr(GPtrArray) held = spk_lease_list_living(core->store, error);

	while (held && held->len && spk_mono_us() - start < ms * 1000) {
		spk_clock_sleep_us(LOOK_MS * 1000, -1);
		g_ptr_array_unref(held);
		held = spk_lease_list_living(core->store, error);
	}
	return g_steal_pointer(&held);
}

static void kill_holder(const char *holder, SpkStopped *ret)
{
	gint64 pid = spk_holder_here(holder);
	char *words;

	if (!pid || kill((pid_t)pid, SIGKILL) < 0)
		return;
	words = g_strdup_printf("process %" G_GINT64_FORMAT, pid);
	if (g_ptr_array_find_with_equal_func(ret->killed, words, g_str_equal, NULL))
		g_free(words);
	else
		g_ptr_array_add(ret->killed, words);
}

/* What a holder that was killed has left: its commands, and a task that says it runs. */
static gboolean clean_up(SpkCore *core, const char *id, GError **error)
{
	g_autoptr(SpkTree) tree = spk_tree_open(core->home, id, NULL);
	SpkBox *box = tree ? core_box(core, NULL) : NULL;
	g_autoptr(SpkLease)
		lease = spk_lease_claim(core->store, id, spk_holder_self(), error);
	g_autoptr(SpkTask) task = lease ? spk_task_get(core->store, id, error) : NULL;
	gboolean ok;

	if (box)
		(void)spk_box_end_stale(box, spk_tree_work(tree));
	ok = task &&
	     spk_task_move(core->store, id, lease->token, task->status, SPK_STATE_PAUSED,
			   "stopped by `sparks stop --all`", error);
	if (lease)
		(void)spk_lease_release(core->store, lease, NULL); /* else it expires */
	return ok;
}

/* Kills who still holds a task. */
static gboolean end_stubborn(SpkCore *core, const GPtrArray *held, SpkStopped *ret,
			     GError **error)
{
	g_autoptr(GPtrArray) still = NULL;

	for (guint i = 0; i < held->len; i++)
		kill_holder(((const SpkLeaseHeld *)held->pdata[i])->holder, ret);
	still = await_quiet(core, KILLED_MS, error);
	for (guint i = 0; still && i < still->len; i++)
		g_ptr_array_add(ret->left,
				g_strdup(((SpkLeaseHeld *)still->pdata[i])->task));
	return still != NULL;
}

/* What became of a task that was held when all was stopped. */
static void settle(SpkCore *core, const char *id, SpkStopped *ret)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, id, NULL);
	g_autoptr(GError) why = NULL;
	gboolean orphan = task && task->holder && *task->holder &&
			  !spk_holder_alive(task->holder);

	if (g_ptr_array_find_with_equal_func(ret->left, id, g_str_equal, NULL))
		return;
	if (orphan && !clean_up(core, id, &why))
		spk_warn("core", "task %s: %s", id, why->message);
	g_ptr_array_add(ret->tasks, g_strdup(id));
}

/* A process that hangs in the middle of a write keeps all others from writing: it goes first. */
static gboolean set_halt(SpkCore *core, const GPtrArray *held, const char *note,
			 SpkStopped *ret, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *daemon = NULL;

	if (spk_halt_set(core->store, g_get_user_name(), note, &ret->was, &why))
		return TRUE;
	daemon = spk_worker_find(core->store, NULL);
	if (!spk_error_is(why, SPK_ERR_BUSY) || (!held->len && !daemon)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	for (guint i = 0; i < held->len; i++)
		kill_holder(((const SpkLeaseHeld *)held->pdata[i])->holder, ret);
	if (daemon)
		kill_holder(daemon, ret);
	return spk_halt_set(core->store, g_get_user_name(), note, &ret->was, error);
}

gboolean spk_core_stop_all(SpkCore *core, const char *note, SpkStopped *ret,
			   GError **error)
{
	g_autoptr(GPtrArray) held = spk_lease_list_living(core->store, error);
	g_autoptr(GPtrArray) still = NULL;

	ret->tasks = g_ptr_array_new_with_free_func(g_free);
	ret->killed = g_ptr_array_new_with_free_func(g_free);
	ret->left = g_ptr_array_new_with_free_func(g_free);
	if (!held || !set_halt(core, held, note, ret, error))
		return FALSE;
	wake_others(core->home);
	still = await_quiet(core, ASKED_MS, error);
	if (!still || (still->len && !end_stubborn(core, still, ret, error)))
		return FALSE;
	for (guint i = 0; i < held->len; i++)
		settle(core, ((const SpkLeaseHeld *)held->pdata[i])->task, ret);
	/* taken in between, before the row was there */
	for (guint i = 0; i < still->len; i++) {
		const char *task = ((const SpkLeaseHeld *)still->pdata[i])->task;

		if (!g_ptr_array_find_with_equal_func(ret->tasks, task, g_str_equal,
						      NULL))
			settle(core, task, ret);
	}
	return TRUE;
}

gboolean spk_core_stop_lift(SpkCore *core, gboolean *ret_was, GError **error)
{
	if (!spk_halt_lift(core->store, ret_was, error))
		return FALSE;
	wake_others(core->home);
	return TRUE;
}
