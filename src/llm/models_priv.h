/* The models that a server lists, in the forms there are. */
#ifndef SPK_LLM_MODELS_PRIV_H
#define SPK_LLM_MODELS_PRIV_H

#include "llm/llm_impl.h"

/* SpkModelEntry of what "data" (OpenAI, Anthropic) or "models" (Ollama) hold, at most `max`. */
GPtrArray *spk_models_from_list(const json_t *list, guint max);

#endif
