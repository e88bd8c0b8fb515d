/* What `sparks init` proposes: the model that would be taken now. */
#ifndef SPK_CMD_SUGGEST_H
#define SPK_CMD_SUGGEST_H

#include <glib.h>

typedef struct {
	char *provider; /* never NULL; the default one where nothing is here */
	char *model;	/* NULL: of no use, or the provider's default */
	gboolean
		ready; /* it has a key or an address; its model may have yet to be named */
	char *url; /* of a server that was found on this machine; NULL: as configured */
} SpkSuggestion;

/* From keys in the environment, in .env and where secrets are kept, else from the servers of
 * [llm] local_servers, which are asked one after the other, 300 ms each. What stands in
 * ~/.sparks/config.toml counts, whatever else is wrong in it; a file of the current folder
 * does not. */
void spk_suggest(SpkSuggestion *ret_suggestion);
void spk_suggestion_clear(SpkSuggestion *suggestion);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkSuggestion, spk_suggestion_clear)

#endif
