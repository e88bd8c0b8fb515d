#include "cmd/show/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cmd/show/ask.h"

#define POLL_MS 120
/* Between a worker's death and its successor's claim nobody holds the task: this long is
 * still normal. */
#define STRANDED_MS 3000

extern char **environ;

SpkRunner spk_follow_choose(const SpkSession *session, const json_t *options,
			    gboolean detach)
{
	g_autofree char *daemon = spk_worker_find(session->store, NULL);
	g_autofree char *names =
		daemon ? spk_core_daemon_differs(session->core, daemon, options) : NULL;

	if (!names)
		return daemon ? SPK_RUN_DAEMON : SPK_RUN_HERE;
	fprintf(stderr, "sparks: the task runs %s, not in the daemon, which %s%s\n",
		detach ? "in the background" : "here",
		*names ? "has another value of " : "does not tell its values", names);
	return SPK_RUN_APART;
}

/* ---- a runner in the background ---- */

/* A session of its own and no terminal: closing ours doesn't end it. */
static int spawn_detached(char *const *argv, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int failed;

	posix_spawn_file_actions_init(&actions);
	for (int fd = 0; fd <= 2; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	failed = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, argv,
			     environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static gboolean start_runner(const SpkArgs *args, const char *id, pid_t *ret_pid,
			     GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *config = spk_args_config(args);
	int failed;

	g_ptr_array_add(argv, (gpointer) "sparks");
	if (config) {
		g_ptr_array_add(argv, (gpointer) "--config");
		g_ptr_array_add(argv, (gpointer)config);
	}
	for (const char *const *set = spk_args_set(args); *set; set++) {
		g_ptr_array_add(argv, (gpointer) "--set");
		g_ptr_array_add(argv, (gpointer)*set);
	}
	g_ptr_array_add(argv, (gpointer) "tasks");
	g_ptr_array_add(argv, (gpointer) "resume");
	g_ptr_array_add(argv, (gpointer)id);
	g_ptr_array_add(argv, NULL);
	failed = spawn_detached((char *const *)argv->pdata, ret_pid);
	if (!failed)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, failed,
			    "`sparks up` runs queued tasks too",
			    "cannot start a runner for task %s", id);
	return FALSE;
}

/* ---- watching ---- */

typedef struct {
	SpkStore *store;
	const char *id;
	SpkFollowFn on_entry;
	gpointer user;
	gint64 seen;
	gint64 alone_since_us; /* 0: somebody runs it */
} Watch;

static gboolean take_new(Watch *watch, GError **error)
{
	g_autoptr(GPtrArray) entries =
		spk_journal_read(watch->store, watch->id, watch->seen, 1000, error);

	if (!entries)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];

		watch->seen = entry->seq;
		watch->on_entry(entry, watch->user);
	}
	return TRUE;
}

/* One that waits rests while its question is open: then somebody takes it up. */
static gboolean is_at_rest(const Watch *watch, const SpkTask *task, gboolean *ret,
			   GError **error)
{
	g_autoptr(SpkQuestion) open = NULL;

	*ret = spk_state_is_terminal(task->status) || task->status == SPK_STATE_PAUSED;
	if (task->status != SPK_STATE_WAITING)
		return TRUE;
	if (!spk_approval_open(watch->store, task->id, &open, error))
		return FALSE;
	*ret = open != NULL;
	return TRUE;
}

/* Nobody has run it for longer than a change of hands takes. */
static gboolean is_left_alone(Watch *watch, const SpkTask *task)
{
	g_autofree char *daemon = spk_worker_find(watch->store, NULL);

	if (!spk_task_is_stranded(task, daemon != NULL))
		watch->alone_since_us = 0;
	else if (!watch->alone_since_us)
		watch->alone_since_us = spk_mono_us();
	return watch->alone_since_us &&
	       spk_mono_us() - watch->alone_since_us > STRANDED_MS * 1000;
}

/* TRUE with *ret_over: there is nothing more to wait for. */
static gboolean look(Watch *watch, gboolean *ret_over, GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(watch->store, watch->id, error);

	*ret_over = FALSE;
	/* The task first: what it wrote before it came to rest is then all there. */
	if (!task || !take_new(watch, error) || !is_at_rest(watch, task, ret_over, error))
		return FALSE;
	*ret_over = *ret_over || is_left_alone(watch, task);
	return TRUE;
}

gboolean spk_follow_watch(SpkStore *store, const char *id, gint64 *seen,
			  SpkCancel *cancel, SpkFollowFn on_entry, gpointer user,
			  GError **error)
{
	Watch watch = { store, id, on_entry, user, *seen, 0 };
	gboolean over;

	while (look(&watch, &over, error)) {
		*seen = watch.seen;
		if (over)
			return TRUE;
		if (!spk_cancel_check(cancel, error))
			return FALSE;
		spk_sleep_ms(POLL_MS, cancel);
	}
	return FALSE;
}

static void show(const SpkJournalEntry *entry, gpointer user)
{
	spk_progress_entry(user, entry);
}

static gboolean wait_over(const char *id, gint64 secs, GError **error)
{
	g_autofree char *hint =
		g_strdup_printf("it goes on; `sparks tasks log %s --follow` shows "
				"how, `sparks tasks show %s` the result",
				id, id);

	spk_error_set(error, SPK_ERR_WAITING, hint,
		      "task %s is not finished after %" G_GINT64_FORMAT " s", id, secs);
	return FALSE;
}

/* The first Ctrl-C is passed on to whoever runs the task; then its end is awaited. */
static gboolean watch_others(SpkSession *session, const char *id, SpkFollow *how,
			     SpkProgress *progress, GError **error)
{
	g_autoptr(SpkCancel) interrupt = spk_cmd_interrupt();
	g_autoptr(SpkCancel) patience = spk_cancel_new(interrupt);
	g_autoptr(GError) stop = NULL;

	if (how->wait_secs)
		spk_cancel_set_deadline(patience, how->wait_secs * 1000);
	if (spk_follow_watch(session->store, id, &how->seen, patience, show, progress,
			     &stop))
		return TRUE;
	if (spk_error_is(stop, SPK_ERR_TIMEOUT))
		return wait_over(id, how->wait_secs, error);
	if (!spk_cancel_is_fired(interrupt)) {
		g_propagate_error(error, g_steal_pointer(&stop));
		return FALSE;
	}
	spk_progress_say(progress, "warn", "cancel",
			 "asked the worker to stop; Ctrl-C leaves at once");
	return spk_core_cancel(session->core, id, error) &&
	       spk_follow_watch(session->store, id, &how->seen, NULL, show, progress,
				error);
}

static gboolean run_here(SpkSession *session, const char *id, SpkProgress *progress,
			 GError **error)
{
	g_autoptr(SpkCancel) interrupt = spk_cmd_interrupt();
	gboolean ok;

	spk_store_on_journal(session->store, spk_progress_on_journal, progress);
	ok = spk_core_run(session->core, id, interrupt, error);
	spk_store_on_journal(session->store, NULL, NULL);
	return ok;
}

/* In the daemon or in a runner; the questions of the task are asked here. */
static gboolean run_elsewhere(SpkSession *session, const SpkArgs *args, const char *id,
			      SpkFollow *how, SpkProgress *progress, GError **error)
{
	gboolean daemon = how->runner == SPK_RUN_DAEMON;
	gboolean goes_on = TRUE;

	while (goes_on) {
		pid_t runner = 0;
		gboolean ok;

		if (!daemon && !start_runner(args, id, &runner, error))
			return FALSE;
		if (how->detach)
			return TRUE;
		ok = watch_others(session, id, how, progress, error);
		if (runner)
			(void)waitpid(runner, NULL, WNOHANG); /* else init reaps it */
		if (!ok || !spk_core_ask(session->core, id, &goes_on, error))
			return FALSE;
	}
	return TRUE;
}

static void quiet(gboolean is_quiet, gpointer user)
{
	spk_progress_rest(user, is_quiet);
}

gboolean spk_follow_run(SpkSession *session, const SpkArgs *args, const char *id,
			const SpkFollow *how, SpkProgress *progress, GError **error)
{
	g_autoptr(SpkCancel) interrupt = spk_cmd_interrupt();
	SpkAskUser user = { session->store, interrupt, spk_args_yes(args),
			    session->json,  quiet,     progress };
	const SpkAsker asker = spk_ask_user(&user);
	SpkFollow follow = *how;
	gboolean here = how->runner != SPK_RUN_DAEMON && !how->detach && !how->wait_secs;
	gboolean ok;

	spk_core_on_question(session->core, &asker);
	ok = here ? run_here(session, id, progress, error)
		  : run_elsewhere(session, args, id, &follow, progress, error);
	spk_core_on_question(session->core, NULL);
	return ok;
}
