/* One answer of a provider, over the text protocol where the model needs it; retries included. */
#ifndef SPK_LLM_TOOLUSE_PRIV_H
#define SPK_LLM_TOOLUSE_PRIV_H

#include "llm/llm_impl.h"
#include "llm/retry_priv.h"

typedef struct {
	SpkRetry retry;
	const SpkModelInfo *info;
	SpkLlmWho who;
	const char *how;  /* [llm] tools */
	SpkUsage spent;	  /* by answers that were not of use; 0 at first */
	gboolean asked;	  /* the gate has admitted a request */
	gboolean refused; /* and then, or at once, none */
} SpkToolUse;

/*
 * "native" and "text" are done as they say. "auto": natively, unless it is remembered that the
 * model doesn't call tools; a server that refuses tools, and a local model that answers without
 * a call and fails the question of able_priv.h, is asked again in text, and that is remembered.
 * Models in the cloud and plays are never asked.
 * A malformed answer in text is explained back to the model twice; a third one counts as words.
 * The gate admits each request but the small question. usage sums all
 * that was asked for, without that question where the gate takes it (probed).
 */
gboolean spk_tooluse_complete(SpkToolUse *use, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkCancel *cancel,
			      SpkLlmReply *ret_reply, GError **error);

/* What spk_llm_tools() says. */
const char *spk_tooluse_told(const SpkModelInfo *info, const char *how);

#endif
