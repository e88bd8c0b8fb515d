/* What makes sparks (profile.c), for the list of them (sparks.c). */
#ifndef SPK_AGENT_SPARKS_PRIV_H
#define SPK_AGENT_SPARKS_PRIV_H

#include "agent/agent.h"

SpkSpark *spk_spark_copy(const SpkSpark *from);
/* CONFIG with file, line and key. */
SpkSpark *spk_spark_of_table(const SpkConfTable *table, GError **error);

/* ---- mounts.c: SpkBoxMount ---- */
/* CONFIG as above. */
GPtrArray *spk_mounts_of_table(const SpkConfTable *table, GError **error);
json_t *spk_mounts_record(const GPtrArray *mounts);
GPtrArray *spk_mounts_recorded(const json_t *list);

#endif
