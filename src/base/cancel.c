#include "base/cancel.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

#define NO_DEADLINE G_MAXINT64

struct SpkCancel {
	gint refs;
	gint fired;
	int fd;
	gint64 deadline_us; /* monotonic, or NO_DEADLINE; guarded by lock */
	char *why;	    /* guarded by lock */
	SpkCancel *parent;
	GPtrArray *children; /* borrowed; guarded by lock */
	GMutex lock;
};

/* Lock order: parent before child. */
SpkCancel *spk_cancel_new(SpkCancel *parent)
{
	SpkCancel *cancel = g_new0(SpkCancel, 1);

	cancel->refs = 1;
	cancel->deadline_us = NO_DEADLINE;
	cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_assert(cancel->fd >= 0);
	g_mutex_init(&cancel->lock);
	if (!parent)
		return cancel;
	cancel->parent = spk_cancel_ref(parent);
	g_mutex_lock(&parent->lock);
	if (!parent->children)
		parent->children = g_ptr_array_new();
	g_ptr_array_add(parent->children, cancel);
	if (parent->fired)
		spk_cancel_fire(cancel, parent->why);
	g_mutex_unlock(&parent->lock);
	return cancel;
}

SpkCancel *spk_cancel_ref(SpkCancel *cancel)
{
	if (cancel)
		g_atomic_int_inc(&cancel->refs);
	return cancel;
}

void spk_cancel_unref(SpkCancel *cancel)
{
	if (!cancel || !g_atomic_int_dec_and_test(&cancel->refs))
		return;
	if (cancel->parent) {
		g_mutex_lock(&cancel->parent->lock);
		g_ptr_array_remove_fast(cancel->parent->children, cancel);
		g_mutex_unlock(&cancel->parent->lock);
		spk_cancel_unref(cancel->parent);
	}
	close(cancel->fd);
	g_free(cancel->why);
	if (cancel->children)
		g_ptr_array_unref(cancel->children);
	g_mutex_clear(&cancel->lock);
	g_free(cancel);
}

void spk_cancel_fire(SpkCancel *cancel, const char *why)
{
	uint64_t one = 1;

	if (!cancel)
		return;
	g_mutex_lock(&cancel->lock);
	if (!cancel->fired) {
		ssize_t n;

		cancel->why = g_strdup(why ? why : "cancelled");
		g_atomic_int_set(&cancel->fired, 1);
		n = write(cancel->fd, &one, sizeof(one));
		g_assert(n == sizeof(one));
		for (guint i = 0; cancel->children && i < cancel->children->len; i++)
			spk_cancel_fire(cancel->children->pdata[i], why);
	}
	g_mutex_unlock(&cancel->lock);
}

void spk_cancel_set_deadline(SpkCancel *cancel, gint64 ms)
{
	gint64 deadline = spk_mono_us() + CLAMP(ms, 0, G_MAXINT64 / 2000) * 1000;

	g_mutex_lock(&cancel->lock);
	cancel->deadline_us = MIN(cancel->deadline_us, deadline);
	g_mutex_unlock(&cancel->lock);
}

/* The nearest deadline of the token and those above it. */
static gint64 nearest_deadline(SpkCancel *cancel)
{
	gint64 nearest = NO_DEADLINE;

	for (; cancel; cancel = cancel->parent) {
		g_mutex_lock(&cancel->lock);
		nearest = MIN(nearest, cancel->deadline_us);
		g_mutex_unlock(&cancel->lock);
	}
	return nearest;
}

gboolean spk_cancel_is_fired(SpkCancel *cancel)
{
	return cancel && g_atomic_int_get(&cancel->fired);
}

gboolean spk_cancel_check(SpkCancel *cancel, GError **error)
{
	gint64 deadline;

	if (!cancel)
		return TRUE;
	if (spk_cancel_is_fired(cancel)) {
		g_mutex_lock(&cancel->lock);
		spk_error_set(error, SPK_ERR_CANCELLED, NULL, "%s", cancel->why);
		g_mutex_unlock(&cancel->lock);
		return FALSE;
	}
	deadline = nearest_deadline(cancel);
	if (deadline != NO_DEADLINE && spk_mono_us() >= deadline) {
		spk_error_set(error, SPK_ERR_TIMEOUT, NULL, "the time for this is over");
		return FALSE;
	}
	return TRUE;
}

gint64 spk_cancel_left_ms(SpkCancel *cancel, gint64 cap_ms)
{
	gint64 deadline = nearest_deadline(cancel);
	gint64 left;

	if (deadline == NO_DEADLINE)
		return cap_ms < 0 ? -1 : cap_ms;
	left = MAX(0, (deadline - spk_mono_us() + 999) / 1000);
	return cap_ms < 0 ? left : MIN(left, cap_ms);
}

int spk_cancel_fd(SpkCancel *cancel)
{
	return cancel ? cancel->fd : -1;
}

void spk_sleep_ms(gint64 ms, SpkCancel *cancel)
{
	ms = CLAMP(ms, 0, G_MAXINT64 / 2000);
	if (!spk_cancel_is_fired(cancel))
		spk_clock_sleep_us(spk_cancel_left_ms(cancel, ms) * 1000,
				   spk_cancel_fd(cancel));
}
