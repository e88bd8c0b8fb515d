#include "llm/llm_all_priv.h"

const SpkProviderImpl *const spk_providers[] = {
	&spk_provider_openai,
	&spk_provider_script,
	NULL,
};
