/*
 * What requests to a configured provider need, for programs in the box that ask its server
 * themselves: they are given a way there (net/route.h), and never the key.
 */
#ifndef SPK_LLM_ROUTE_H
#define SPK_LLM_ROUTE_H

#include "conf/conf.h"

typedef struct {
	char *origin; /* base URL with its path: "https://api.anthropic.com/v1" */
	char *header; /* "Authorization" */
	char *prefix; /* before the key: "Bearer "; "" */
	char *key;    /* NULL: none is configured, as for a server of one's own */
	const char *credential; /* "anthropic.api_key"; NULL: the provider has no key */
} SpkLlmRoute;

/* `provider`: "openai", "anthropic", "ollama", "openrouter" or "zen". CONFIG: there is no such
 * provider, or neither a key nor an address for it. */
gboolean spk_llm_route(SpkConf *conf, const char *provider, SpkLlmRoute *ret_route,
		       GError **error);
void spk_llm_route_clear(SpkLlmRoute *route); /* wipes the key */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLlmRoute, spk_llm_route_clear)

#endif
