#include "llm/retry_priv.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#define FIRST_WAIT_S 0.5
#define MAX_WAIT_S   30.0
#define MAX_ASKED_S  300.0

static double wait_before(guint retry, double asked_s)
{
	double wait_s = FIRST_WAIT_S * (1 << MIN(retry, 10));

	if (asked_s >= 0)
		return asked_s + 0.1 * MIN(asked_s, 1) * spk_random_unit();
	return MIN(wait_s, MAX_WAIT_S) * (0.5 + 0.5 * spk_random_unit());
}

/* Adds to the error why it stays with it, and says FALSE. */
static gboolean give_up(GError **error, GError *take_why, guint attempts,
			const char *because)
{
	if (attempts > 1)
		g_prefix_error(&take_why, "after %u attempts: ", attempts);
	if (because) {
		char *longer = g_strconcat(take_why->message, "; ", because, NULL);

		g_free(take_why->message);
		take_why->message = longer;
	}
	g_propagate_error(error, take_why);
	return FALSE;
}

/* FALSE: no further attempt, *error is set. Takes `take_why`. */
static gboolean wait_for_next(const SpkRetry *retry, guint attempt, double asked_s,
			      const SpkLlmSink *sink, SpkCancel *cancel, GError *take_why,
			      GError **error)
{
	g_autoptr(GError) why = take_why;
	g_autofree char *told = NULL;
	double wait_s = wait_before(attempt, asked_s);
	gint64 left_ms = spk_cancel_left_ms(cancel, -1);

	if (!spk_err_info(spk_error_code(why))->retryable || asked_s == SPK_RETRY_NEVER ||
	    attempt >= retry->max_retries || !spk_cancel_check(cancel, NULL))
		return give_up(error, g_steal_pointer(&why), attempt + 1, NULL);
	told = g_strdup_printf("the server asks to wait %.0f s", asked_s);
	if (asked_s > MAX_ASKED_S)
		return give_up(error, g_steal_pointer(&why), attempt + 1, told);
	if (left_ms >= 0 && wait_s * 1000 >= left_ms)
		return give_up(error, g_steal_pointer(&why), attempt + 1,
			       "there is no time left to try again");
	g_free(told);
	told = g_strdup_printf("%s; trying again in %.1f s (%u of %u)", why->message,
			       wait_s, attempt + 1, retry->max_retries);
	if (sink && sink->on_restart)
		sink->on_restart(told, sink->user);
	spk_info("llm", "%s", told);
	spk_sleep_ms((gint64)(wait_s * 1000), cancel);
	return spk_cancel_check(cancel, error);
}

gboolean spk_retry_complete(const SpkRetry *retry, const SpkLlmRequest *request,
			    const SpkLlmSink *sink, SpkCancel *cancel,
			    SpkLlmReply *ret_reply, GError **error)
{
	SpkLlmRequest again = *request;
	gint64 start_us = spk_mono_us();
	guint attempt = 0;

	for (;; attempt++, again.attempt++) {
		double asked_s = SPK_RETRY_DEFAULT;
		GError *why = NULL;

		if (!spk_cancel_check(cancel, error))
			return FALSE;
		if (retry->impl->complete(retry->self, &again, sink, cancel, ret_reply,
					  &asked_s, &why))
			break;
		if (!wait_for_next(retry, attempt, asked_s, sink, cancel, why, error))
			return FALSE;
	}
	ret_reply->attempts = again.attempt + 1;
	ret_reply->seconds = (spk_mono_us() - start_us) / 1e6;
	return TRUE;
}
