/* For those who implement a provider. */
#ifndef SPK_LLM_LLM_IMPL_H
#define SPK_LLM_LLM_IMPL_H

#include "llm/llm.h"

/* What an attempt says of trying again, beside the seconds a server asks for. */
#define SPK_RETRY_DEFAULT (-1.0) /* as the table of base/error.h has it for the code */
#define SPK_RETRY_NEVER	  (-2.0) /* the same request would fail the same way */

/* What a model behind a provider may be asked for; a provider whose wire has it says so, and
 * whether the model at hand really can is found out above it. */
typedef enum {
	SPK_CAN_TOOLS = 1 << 0,	 /* tool calls of the wire's own */
	SPK_CAN_SCHEMA = 1 << 1, /* SpkLlmRequest.schema is held by the server */
} SpkCan;

typedef struct {
	const char *name; /* mandatory */
	/* mandatory; `model` is what follows the provider in --model, or NULL */
	gpointer (*open)(SpkConf *conf, const char *model, GError **error);
	/* mandatory; one attempt, no retry. *ret_retry_after_s (also set on failure): one of
	 * the above or what the server asks for. `attempts` and `seconds` are not its to fill. */
	gboolean (*complete)(gpointer self, const SpkLlmRequest *request,
			     const SpkLlmSink *sink, SpkCancel *cancel,
			     SpkLlmReply *ret_reply, double *ret_retry_after_s,
			     GError **error);
	gboolean (*ping)(gpointer self, SpkCancel *cancel, GError **error); /* optional */
	const char *(*model)(gpointer self); /* mandatory */
	void (*close)(gpointer self);	     /* mandatory */
} SpkProviderImpl;

/* llm_all.c: ends with NULL. */
extern const SpkProviderImpl *const spk_providers[];

#endif
