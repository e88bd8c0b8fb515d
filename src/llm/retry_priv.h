/* Tries again where that may help, whatever the provider. */
#ifndef SPK_LLM_RETRY_PRIV_H
#define SPK_LLM_RETRY_PRIV_H

#include "llm/llm_impl.h"

typedef struct {
	const SpkProviderImpl *impl;
	gpointer self;
	guint max_retries;
} SpkRetry;

/*
 * Waits as long as the server asks (up to 5 minutes, and a little more so that not all
 * clients come back at once), else 0.5, 1, 2 ... 30 s times a random factor between 0.5
 * and 1. Gives up at once when the wait is longer than that or than the caller's time.
 */
gboolean spk_retry_complete(const SpkRetry *retry, const SpkLlmRequest *request,
			    const SpkLlmSink *sink, SpkCancel *cancel,
			    SpkLlmReply *ret_reply, GError **error);

#endif
