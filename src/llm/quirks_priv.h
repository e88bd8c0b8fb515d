/* What servers and models don't take in a request, known beforehand or learned. */
#ifndef SPK_LLM_QUIRKS_PRIV_H
#define SPK_LLM_QUIRKS_PRIV_H

#include "llm/fault.h"

/* Servers differ in what they take: bits of what to do differently. */
typedef enum {
	SPK_QUIRK_COMPLETION_TOKENS = 1 << 0, /* max_completion_tokens, not max_tokens */
	SPK_QUIRK_NO_TEMPERATURE = 1 << 1,
	SPK_QUIRK_NO_STREAM_OPTIONS = 1 << 2,
	SPK_QUIRK_NO_STORE = 1 << 3,  /* the Responses API's "store" */
	SPK_QUIRK_NO_LIMIT = 1 << 4,  /* max_output_tokens */
	SPK_QUIRK_NO_EFFORT = 1 << 5, /* how much to think */
	SPK_QUIRK_NO_CACHE = 1 << 6,  /* cache_control */
} SpkQuirk;

/* What is known of a model by its name. */
typedef struct {
	const char *start; /* of the name, after the last "/" */
	guint quirks;
	/* Tokens: what it can look at, and its longest answer. */
	gint64 context_window, max_output;
} SpkKnownModel;

/* A row of zeros for names that nothing is known of. */
const SpkKnownModel *spk_known_model(const char *model);
/* What the refusal of a request teaches; 0: nothing. */
guint spk_quirks_of_fault(const SpkFault *fault);

#endif
