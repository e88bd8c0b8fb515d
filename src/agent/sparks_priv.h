/* What makes sparks (profile.c), for the list of them (sparks.c). */
#ifndef SPK_AGENT_SPARKS_PRIV_H
#define SPK_AGENT_SPARKS_PRIV_H

#include "agent/agent.h"

/* CONFIG with file, line and key. */
SpkSpark *spk_spark_of_table(const SpkConfTable *table, GError **error);

#endif
