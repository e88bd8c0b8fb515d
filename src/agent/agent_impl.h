/* For those who add a strategy: its struct here, its line in agent_all.c. */
#ifndef SPK_AGENT_AGENT_IMPL_H
#define SPK_AGENT_AGENT_IMPL_H

#include "agent/agent.h"

extern const SpkStrategy spk_strategy_react, spk_strategy_chat, spk_strategy_delegate;

#endif
