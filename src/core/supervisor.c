/*
 * The supervisor thread: renews the leases of the tasks this process holds and reads their
 * mail. It sleeps without a timer while nothing is held.
 */
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
#include "core/core_priv.h"
#include "store/halt.h"

#define RENEW_MS (SPK_LEASE_MS / 3)
/* Where inotify is not to be had, the mailbox is looked at this often. */
#define POLL_MS 250

struct Supervisor {
	SpkStore *store;
	char *home;
	GThread *thread;
	GMutex lock;
	GPtrArray *held; /* Held, a reference each; guarded by lock */
	gboolean stop;	 /* guarded by lock */
	int bell;	 /* eventfd: something above changed */
	int watch;	 /* inotify */
};

static void ring(Supervisor *supervisor)
{
	guint64 one = 1;
	ssize_t n = write(supervisor->bell, &one, sizeof(one));

	g_assert(n == sizeof(one) || errno == EAGAIN);
}

static void lose(Held *held, const GError *why)
{
	spk_log(SPK_LOG_ERROR, "core", "task %s: %s", held->lease->task, why->message);
	spk_cancel_fire(held->cancel, "the lease on this task is lost");
}

static void renew(Supervisor *supervisor, Held *held)
{
	g_autoptr(GError) error = NULL;

	if (spk_lease_renew(supervisor->store, held->lease, &error) ||
	    g_atomic_int_get(&held->gone))
		return;
	/* A busy store is tried again next time; three times fit into one lease. */
	if (spk_error_is(error, SPK_ERR_LEASE_LOST))
		lose(held, error);
	else
		spk_warn("core", "cannot renew the lease of %s: %s", held->lease->task,
			 error->message);
}

/* What was heard is on record before it leaves the mailbox: it is obeyed also when this
 * process dies in between. */
static gboolean hear(Supervisor *supervisor, Held *held, const char *kind, GError **error)
{
	g_autoptr(json_t) heard = json_pack("{s:s}", "kind", kind);
	g_autoptr(json_t) payload = NULL;
	g_autofree char *taken = NULL;

	if (!spk_journal_append(supervisor->store, held->lease->task, held->lease->token,
				"mail", SPK_EFFECT_PURE, heard, NULL, error))
		return FALSE;
	held_obey(held, kind);
	payload = spk_mail_take(supervisor->store, held->lease->task, held->lease->token,
				&taken, error);
	return payload != NULL;
}

static void read_mail(Supervisor *supervisor, Held *held)
{
	g_autoptr(GError) error = NULL;
	gboolean more = TRUE;

	while (more) {
		g_autofree char *kind = NULL;

		more = spk_mail_peek(supervisor->store, held->lease->task, &kind,
				     &error) &&
		       kind && hear(supervisor, held, kind, &error);
	}
	if (error && !g_atomic_int_get(&held->gone))
		spk_warn("core", "cannot read the mail of %s: %s", held->lease->task,
			 error->message);
}

static gpointer copy_held(gconstpointer held, gpointer user)
{
	return held_ref((Held *)held);
}

/* What is held now, a reference each: the store is asked without the lock. */
static GPtrArray *list_held(Supervisor *supervisor, gboolean *ret_stop)
{
	GPtrArray *list;

	g_mutex_lock(&supervisor->lock);
	list = g_ptr_array_copy(supervisor->held, copy_held, NULL);
	*ret_stop = supervisor->stop;
	g_mutex_unlock(&supervisor->lock);
	g_ptr_array_set_free_func(list, (GDestroyNotify)held_unref);
	return list;
}

/* The emergency stop. A store that cannot be asked stops nothing: who set it looks after us. */
static void obey_halt(Supervisor *supervisor, GPtrArray *list)
{
	g_autoptr(SpkHalt) halt = NULL;
	g_autoptr(GError) error = NULL;

	if (!spk_halt_find(supervisor->store, &halt, &error))
		spk_warn("core", "cannot see whether all is stopped: %s", error->message);
	for (guint i = 0; halt && i < list->len; i++)
		held_want(list->pdata[i], WANT_STOP);
}

/* Milliseconds to sleep; -1: until the bell or the watch. */
static int look_after(Supervisor *supervisor, gint64 *next_renew, gboolean *ret_stop)
{
	g_autoptr(GPtrArray) list = list_held(supervisor, ret_stop);
	gint64 now = spk_mono_us();
	gboolean due = now >= *next_renew;

	if (!list->len)
		return -1;
	obey_halt(supervisor, list);
	for (guint i = 0; i < list->len; i++) {
		if (due)
			renew(supervisor, list->pdata[i]);
		read_mail(supervisor, list->pdata[i]);
	}
	if (due)
		*next_renew = now + RENEW_MS * 1000;
	return supervisor->watch < 0 ? POLL_MS : (int)((*next_renew - now) / 1000) + 1;
}

static gpointer watch_over(gpointer user)
{
	Supervisor *supervisor = user;
	gint64 next_renew = 0;
	gboolean stop = FALSE;

	while (!stop) {
		struct pollfd fds[] = {
			{ .fd = supervisor->bell, .events = POLLIN },
			{ .fd = supervisor->watch, .events = POLLIN },
		};
		guint64 count;
		int wait;

		wait = look_after(supervisor, &next_renew, &stop);
		if (stop)
			break;
		(void)poll(fds, G_N_ELEMENTS(fds), wait); /* every wake looks at all */
		if (fds[0].revents && read(supervisor->bell, &count, sizeof(count)) < 0)
			g_assert(errno == EAGAIN);
		if (fds[1].revents)
			wake_drain(supervisor->watch);
	}
	return NULL;
}

Supervisor *supervisor_new(SpkStore *store, const char *home)
{
	Supervisor *supervisor = g_new0(Supervisor, 1);

	supervisor->store = store;
	supervisor->home = g_strdup(home);
	supervisor->held = g_ptr_array_new_with_free_func((GDestroyNotify)held_unref);
	supervisor->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_assert(supervisor->bell >= 0);
	supervisor->watch = -1;
	g_mutex_init(&supervisor->lock);
	return supervisor;
}

void supervisor_free(Supervisor *supervisor)
{
	if (!supervisor)
		return;
	if (supervisor->thread) {
		g_mutex_lock(&supervisor->lock);
		supervisor->stop = TRUE;
		g_mutex_unlock(&supervisor->lock);
		ring(supervisor);
		g_thread_join(supervisor->thread);
	}
	g_assert(!supervisor->held->len);
	spk_fd_close(&supervisor->bell);
	spk_fd_close(&supervisor->watch);
	g_ptr_array_unref(supervisor->held);
	g_mutex_clear(&supervisor->lock);
	g_free(supervisor->home);
	g_free(supervisor);
}

void supervisor_add(Supervisor *supervisor, Held *held)
{
	g_mutex_lock(&supervisor->lock);
	g_ptr_array_add(supervisor->held, held_ref(held));
	if (!supervisor->thread) {
		supervisor->watch = wake_watch(supervisor->home);
		supervisor->thread = g_thread_new("supervisor", watch_over, supervisor);
	}
	g_mutex_unlock(&supervisor->lock);
	ring(supervisor);
}

void supervisor_remove(Supervisor *supervisor, Held *held)
{
	g_atomic_int_set(&held->gone, TRUE);
	g_mutex_lock(&supervisor->lock);
	g_ptr_array_remove_fast(supervisor->held, held);
	g_mutex_unlock(&supervisor->lock);
}
