/* The strategies there are. */
#include <string.h>

#include "agent/agent_impl.h"

const SpkStrategy *const spk_strategies[] = {
	&spk_strategy_react,
	&spk_strategy_chat,
	&spk_strategy_delegate,
	NULL,
};

const SpkStrategy *spk_strategy_find(const char *name)
{
	for (gsize i = 0; spk_strategies[i]; i++)
		if (!strcmp(spk_strategies[i]->name, name))
			return spk_strategies[i];
	return NULL;
}
