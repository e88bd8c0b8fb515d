/* What servers and models don't take in a request, known beforehand or learned. */
#ifndef SPK_LLM_QUIRKS_PRIV_H
#define SPK_LLM_QUIRKS_PRIV_H

#include "llm/fault_priv.h"

/* Servers differ in what they take: bits of what to do differently. */
typedef enum {
	SPK_QUIRK_COMPLETION_TOKENS = 1 << 0, /* max_completion_tokens, not max_tokens */
	SPK_QUIRK_NO_TEMPERATURE = 1 << 1,
	SPK_QUIRK_NO_STREAM_OPTIONS = 1 << 2,
} SpkQuirk;

/* What is known of a model by its name. */
guint spk_quirks_of_model(const char *model);
/* What the refusal of a request teaches; 0: nothing. */
guint spk_quirks_of_fault(const SpkFault *fault);

#endif
