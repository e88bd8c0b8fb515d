/* The providers there are; each is defined in the file of its name. */
#ifndef SPK_LLM_LLM_ALL_PRIV_H
#define SPK_LLM_LLM_ALL_PRIV_H

#include "llm/llm_impl.h"

extern const SpkProviderImpl spk_provider_openai;
extern const SpkProviderImpl spk_provider_script;

#endif
