/*
 * Cancel token with deadline. Every blocking call takes one (NULL: never cancelled).
 * Refcounted, usable from any thread; a child fires when its parent does. Firing makes
 * the descriptor of spk_cancel_fd() readable for good, so that poll() wakes at once.
 */
#ifndef SPK_BASE_CANCEL_H
#define SPK_BASE_CANCEL_H

#include <glib.h>

#include "base/clock.h"

typedef struct SpkCancel SpkCancel;

SpkCancel *spk_cancel_new(SpkCancel *parent);
SpkCancel *spk_cancel_ref(SpkCancel *cancel);
void spk_cancel_unref(SpkCancel *cancel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkCancel, spk_cancel_unref)

/* The first call decides; `why` is copied and becomes part of the error text. Safe in
 * threads, not in signal handlers (there: write to a self-pipe the loop reads). */
void spk_cancel_fire(SpkCancel *cancel, const char *why);
/* Milliseconds from now; a deadline only ever gets nearer. */
void spk_cancel_set_deadline(SpkCancel *cancel, gint64 ms);

gboolean spk_cancel_is_fired(SpkCancel *cancel);
/* FALSE and CANCELLED (fired) or TIMEOUT (deadline passed). */
gboolean spk_cancel_check(SpkCancel *cancel, GError **error);
/* Milliseconds until the deadline, at most `cap_ms` (cap_ms < 0: no cap; -1 returned when
 * there is neither). Never below 0 otherwise. */
gint64 spk_cancel_left_ms(SpkCancel *cancel, gint64 cap_ms);
/* Sleeps, at most until the deadline; returns early when the token fires. */
void spk_sleep_ms(gint64 ms, SpkCancel *cancel);
/* Readable once fired (a deadline does not make it readable). -1 for NULL. */
int spk_cancel_fd(SpkCancel *cancel);

#endif
