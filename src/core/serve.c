/* The daemon: a bounded pool of task threads, fed by the store, woken by inotify. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/core_priv.h"
#include "core/prune.h"
#include "store/halt.h"

/* Where inotify is not to be had, the queue is looked at this often; and so is a store that
 * cannot be asked now. */
#define POLL_MS	 1000
#define RETRY_MS 5000
#define TIDY_MS	 60000

typedef struct {
	SpkCore *core;
	GThreadPool *pool;
	GMutex lock;
	GPtrArray *held; /* Held of running tasks; guarded by lock */
	Filler *filler;
	guint workers; /* of the thread that serves */
	int done;      /* eventfd: a worker became free */
	SpkCancel *cancel;
} Server;

/* Does the day's housekeeping when it is due, where nobody waits for it. */
static void tidy(Server *server)
{
	g_autofree char *said = spk_core_tidy(server->core, TIDY_MS, server->cancel);

	if (said)
		spk_warn("core", "%s", said);
}

static void work(gpointer data, gpointer user)
{
	Server *server = user;
	g_autoptr(Held) held = data;
	g_autoptr(GError) error = NULL;
	guint64 one = 1;
	ssize_t n;

	if (!core_run_held(server->core, held, NULL, &error))
		spk_log(SPK_LOG_ERROR, "core", "task %s: %s", held->lease->task,
			error->message);
	g_mutex_lock(&server->lock);
	g_ptr_array_remove_fast(server->held, held);
	g_mutex_unlock(&server->lock);
	tidy(server);
	/* a task's conversation is many small blocks: give their pages back while it is quiet */
	malloc_trim(0);
	n = write(server->done, &one, sizeof(one));
	g_assert(n == sizeof(one) || errno == EAGAIN);
}

static guint count_held(Server *server)
{
	guint n;

	g_mutex_lock(&server->lock);
	n = server->held->len;
	g_mutex_unlock(&server->lock);
	return n;
}

/* Takes tasks while a worker is free. FALSE: the store cannot be asked. */
static gboolean take(Server *server)
{
	while (count_held(server) < server->workers) {
		g_autoptr(GError) error = NULL;
		SpkLease *lease = spk_lease_claim_next(spk_core_store(server->core),
						       spk_holder_self(), &error);
		Held *held;

		if (error)
			spk_warn("core", "cannot take a task: %s", error->message);
		if (!lease)
			return !error;
		filler_stop(server->filler);
		held = held_new(lease, NULL);
		g_mutex_lock(&server->lock);
		g_ptr_array_add(server->held, held);
		g_mutex_unlock(&server->lock);
		g_thread_pool_push(server->pool, held, NULL);
	}
	return TRUE;
}

/* The sooner of two waits; -1: for ever. */
static int sooner(int a, int b)
{
	if (a < 0 || b < 0)
		return MAX(a, b);
	return MIN(a, b);
}

/* Refuses what nobody answered in time. Milliseconds until that is due again; -1: no open
 * question has an end. */
static int expire(Server *server)
{
	SpkStore *store = spk_core_store(server->core);
	g_autoptr(GError) error = NULL;
	gint64 next = 0;

	if (!spk_approvals_expire(store, &error) ||
	    !spk_approvals_next_expiry(store, &next, &error)) {
		spk_warn("core", "cannot look after open questions: %s", error->message);
		return RETRY_MS;
	}
	if (!next)
		return -1;
	/* the wall clock may be set meanwhile: an hour later it is asked again */
	return (int)CLAMP((next - spk_now_us()) / 1000 + 10, 10, 3600 * 1000);
}

/* Milliseconds until the lease of an unfinished task may run out; -1: there is none. */
static int next_expiry(Server *server)
{
	gint64 until = 0;

	if (count_held(server) >= server->workers)
		return -1;
	if (!spk_lease_next_expiry(spk_core_store(server->core), &until, NULL))
		return POLL_MS;
	if (!until)
		return -1;
	return (int)CLAMP((until - spk_now_us()) / 1000 + 10, 10, SPK_LEASE_MS);
}

/* Empties the eventfd. */
static void hush(Server *server)
{
	guint64 count;

	if (read(server->done, &count, sizeof(count)) < 0)
		g_assert(errno == EAGAIN || errno == EINTR);
}

static void drain(Server *server)
{
	g_mutex_lock(&server->lock);
	for (guint i = 0; i < server->held->len; i++)
		held_want(server->held->pdata[i], WANT_DRAIN);
	g_mutex_unlock(&server->lock);
	while (count_held(server)) {
		struct pollfd done = { .fd = server->done, .events = POLLIN };

		(void)poll(&done, 1, -1); /* every wake counts again */
		hush(server);
	}
	g_thread_pool_free(server->pool, FALSE, TRUE);
}

static gint64 workers_now(Server *server)
{
	g_autoptr(SpkConf) conf = spk_core_conf(server->core);

	return spk_conf_int(conf, "up.workers");
}

/* A knob was set, or a file has changed: tasks to come begin with it, and others are told. */
static void hear(Server *server, gboolean (*change)(SpkCore *core))
{
	gint64 before = workers_now(server);
	g_autoptr(GError) error = NULL;
	gint64 now;

	if (!change(server->core))
		return;
	now = workers_now(server);
	if (now != before) {
		server->workers = (guint)now;
		g_thread_pool_set_max_threads(server->pool, (int)now, NULL);
	}
	/* who has just saved the file wants to see it; the daemon says nothing else of its own */
	spk_warn("core",
		 "changed options are in force: tasks that begin from now on have them");
	if (!spk_core_announce(server->core, &error))
		spk_warn("core", "cannot tell what has changed: %s", error->message);
}

static void serve(Server *server, SpkCancel *cancel)
{
	spk_autofd int watch = wake_watch(spk_core_home(server->core));
	spk_autofd int files = reload_watch(server->core);

	/* what changed between the reading and the watch */
	hear(server, core_reload);
	while (!spk_cancel_is_fired(cancel)) {
		struct pollfd fds[] = {
			{ .fd = watch, .events = POLLIN },
			{ .fd = server->done, .events = POLLIN },
			{ .fd = spk_cancel_fd(cancel), .events = POLLIN },
			{ .fd = files, .events = POLLIN },
		};
		int due = expire(server);
		int wait = take(server) ? next_expiry(server) : RETRY_MS;

		wait = sooner(wait, due);
		if (!count_held(server)) {
			filler_start(server->filler);
			wait = sooner(wait, filler_due(server->filler));
		}
		if (watch < 0)
			wait = wait < 0 ? POLL_MS : MIN(wait, POLL_MS);
		(void)poll(fds, G_N_ELEMENTS(fds), wait); /* every wake looks again */
		if (fds[0].revents)
			wake_drain(watch);
		if (fds[0].revents || watch < 0)
			hear(server, core_hear_knobs);
		if (fds[3].revents && reload_is_due(server->core, files))
			hear(server, core_reload);
		if (fds[1].revents)
			hush(server);
	}
}

gboolean spk_core_serve(SpkCore *core, guint workers, SpkCancel *cancel, GError **error)
{
	Server server = { .core = core, .workers = workers, .cancel = cancel };

	if (!spk_halt_check(spk_core_store(core), error) ||
	    !spk_worker_register(spk_core_store(core), spk_holder_self(), error))
		return FALSE;
	g_mutex_init(&server.lock);
	server.held = g_ptr_array_new();
	server.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_assert(server.done >= 0);
	/* glibc would give every thread a heap of its own and keep each at its peak */
	mallopt(M_ARENA_MAX, 2);
	server.pool = g_thread_pool_new(work, &server, workers, FALSE, NULL);
	server.filler = filler_new(core);
	serve(&server, cancel);
	drain(&server);
	filler_free(server.filler);
	spk_fd_close(&server.done);
	g_ptr_array_unref(server.held);
	g_mutex_clear(&server.lock);
	return spk_worker_unregister(spk_core_store(core), spk_holder_self(), error);
}
