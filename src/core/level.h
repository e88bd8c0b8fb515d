/* What a task may do, decided when it is accepted and kept with it. */
#ifndef SPK_CORE_LEVEL_H
#define SPK_CORE_LEVEL_H

#include "agent/agent.h"
#include "core/core.h"

/* Sets options "autonomy" {"level","from"}, and "untrusted" (why) where the repository is declared
 * so. Reads "level" (what --level said) and takes it out. `parent`: id of the task that it is a
 * part of, or NULL. USAGE, POLICY: see guard/autonomy.h. */
gboolean core_set_level(SpkStore *store, const SpkConf *conf, const SpkSpark *spark,
			const char *folder, const char *parent, json_t *options,
			GError **error);
/* The spark was chosen later: the task has the least of both. */
gboolean core_cap_level(SpkStore *store, const SpkConf *conf, const SpkSpark *spark,
			const char *folder, json_t *options, GError **error);

#endif
