/* Which provider and which model: what is named, else configured, else what there is. */
#ifndef SPK_LLM_CHOOSE_PRIV_H
#define SPK_LLM_CHOOSE_PRIV_H

#include "llm/llm_impl.h"

/*
 * `given` is --model's, or NULL. *ret_model (allocated) is what open() takes, NULL: as
 * configured. "PROVIDER:NAME" wins, then [llm] provider where it is set, then the first
 * provider that has a key or an address of its own. Where nothing at all is configured, the
 * servers on this machine are looked for (around_priv.h). CONFIG with the ways to go on.
 */
const SpkProvider *spk_choose(SpkConf *conf, const char *given, char **ret_model,
			      GError **error);

/* The first provider of the table, but for those in `tried` (names, NULL-terminated), that may
 * take over: configured, opens, and unless [llm] fallback_to_cloud says so, no step from this
 * machine to the cloud, nor from what costs nothing or has no price to what costs more. NULL:
 * none; *ret_refused (allocated) names one that would have, but for that, and why. */
const SpkProvider *spk_choose_next(SpkConf *conf, const char *const *tried,
				   const SpkLlmWho *from, gpointer *ret_self,
				   char **ret_refused);

#endif
