/* What the rows of the provider table are made of; each is defined in the file of its name. */
#ifndef SPK_LLM_LLM_ALL_PRIV_H
#define SPK_LLM_LLM_ALL_PRIV_H

#include "llm/llm_impl.h"

extern const SpkProviderImpl spk_server_impl;
extern const SpkProviderImpl spk_script_impl;

#endif
