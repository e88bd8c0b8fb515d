/* The body of a chat completions request, and what servers don't take in it. */
#ifndef SPK_LLM_OPENAI_REQUEST_PRIV_H
#define SPK_LLM_OPENAI_REQUEST_PRIV_H

#include "llm/chat_error_priv.h"
#include "llm/llm.h"

/* Servers differ in what they take: bits of what to do differently. */
typedef enum {
	SPK_QUIRK_COMPLETION_TOKENS = 1 << 0, /* max_completion_tokens, not max_tokens */
	SPK_QUIRK_NO_TEMPERATURE = 1 << 1,
	SPK_QUIRK_NO_STREAM_OPTIONS = 1 << 2,
} SpkQuirk;

typedef struct {
	const char *model;
	double temperature;
	gint64 max_tokens; /* 0: the server's own limit */
	guint quirks;
} SpkOpenaiParams;

/* What is known of a model by its name. */
guint spk_openai_model_quirks(const char *model);
/* What the refusal of a request teaches; 0: nothing. */
guint spk_openai_fault_quirks(const SpkChatFault *fault);

/* Model, parameters, tools, then the messages: what is the same in each request of a task
 * stands first, byte for byte, so that servers can reuse what they computed for it. */
char *spk_openai_body(const SpkOpenaiParams *params, const SpkLlmRequest *request);

#endif
