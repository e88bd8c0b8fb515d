/* Which server of a model is here, where nothing is configured. */
#ifndef SPK_LLM_AROUND_PRIV_H
#define SPK_LLM_AROUND_PRIV_H

#include "llm/llm_impl.h"

/*
 * The servers of [llm] local_servers (at most 8) are asked for their models, all at once for
 * 300 ms; the first of the list that has one is taken, and that is said once in a process.
 * What was found holds for a minute, that nothing was for 5 s. *ret_row NULL: nobody has a
 * model; *ret_empty: but somebody answers. FALSE: CONFIG, the option is no such list.
 */
gboolean spk_look_around(SpkConf *conf, const SpkProvider **ret_row, char **ret_model,
			 gboolean *ret_empty, GError **error);

#endif
