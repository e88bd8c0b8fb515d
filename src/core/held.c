/*
 * A task this process holds, and what is asked of it: cancel beats everything, the
 * emergency stop beats pause, pause beats drain. What was heard stands in the journal, so that a holder that dies before it has
 * obeyed leaves it to the next one.
 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/core_priv.h"

Held *held_new(SpkLease *take_lease, SpkCancel *parent)
{
	Held *held = g_new0(Held, 1);

	g_atomic_ref_count_init(&held->refs);
	held->lease = take_lease;
	held->cancel = spk_cancel_new(parent);
	return held;
}

Held *held_ref(Held *held)
{
	g_atomic_ref_count_inc(&held->refs);
	return held;
}

void held_unref(Held *held)
{
	if (!g_atomic_ref_count_dec(&held->refs))
		return;
	spk_lease_free(held->lease);
	spk_cancel_unref(held->cancel);
	g_free(held);
}

void held_want(Held *held, Want want)
{
	Want now;

	do {
		now = g_atomic_int_get(&held->want);
		if (now >= want)
			return;
	} while (!g_atomic_int_compare_and_exchange(&held->want, (int)now, (int)want));
	if (want == WANT_CANCEL)
		spk_cancel_fire(held->cancel, "cancelled by the user");
	if (want == WANT_STOP)
		spk_cancel_fire(held->cancel, "stopped by `sparks stop --all`");
}

Want held_wants(Held *held)
{
	return g_atomic_int_get(&held->want);
}

static Want want_of(const char *kind)
{
	if (!g_strcmp0(kind, "cancel"))
		return WANT_CANCEL;
	return !g_strcmp0(kind, "pause") ? WANT_PAUSE : WANT_NOTHING;
}

void held_obey(Held *held, const char *kind)
{
	held_want(held, want_of(kind));
}

gboolean held_may_go_on(Held *held, GError **error)
{
	switch (held_wants(held)) {
	case WANT_PAUSE:
		spk_error_set(error, SPK_ERR_WAITING, NULL, "paused by the user");
		return FALSE;
	case WANT_DRAIN:
		spk_error_set(error, SPK_ERR_WAITING, NULL, "the daemon is stopping");
		return FALSE;
	default:
		return spk_cancel_check(held->cancel, error);
	}
}

/* A task leaves `paused` and `cancelled` only by its user's wish, which beats older ones. */
static gboolean is_answer(const json_t *move)
{
	const char *from = spk_json_str(move, "from"), *to = spk_json_str(move, "to");

	return !g_strcmp0(from, "paused") || !g_strcmp0(from, "cancelled") ||
	       !g_strcmp0(to, "paused");
}

gboolean held_recall(Held *held, SpkStore *store, GError **error)
{
	g_autoptr(GPtrArray)
		entries = spk_journal_read(store, held->lease->task, 0, 0, error);
	Want want = WANT_NOTHING;

	if (!entries)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const SpkJournalEntry *entry = entries->pdata[i];

		if (!strcmp(entry->kind, "mail"))
			want = MAX(want, want_of(spk_json_str(entry->payload, "kind")));
		else if (!strcmp(entry->kind, "state") && is_answer(entry->payload))
			want = WANT_NOTHING;
	}
	held_want(held, want);
	return TRUE;
}
