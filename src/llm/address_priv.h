/* Addresses of servers, as people write them and as requests need them. */
#ifndef SPK_LLM_ADDRESS_PRIV_H
#define SPK_LLM_ADDRESS_PRIV_H

#include "llm/wire_priv.h"

/* The base of the requests, without "/" at its end: what users write is completed
 * ("http://localhost:8080" is served below the wire's root) or cut (the path of the requests
 * themselves). CONFIG, naming [section] url, when it isn't one or not built yet. */
char *spk_address_complete(const char *url, const SpkWire *wire, const char *section,
			   GError **error);
/* The same without a name and password in it. */
char *spk_address_shown(const char *base);
/* spk_host_is_local() of a completed address. */
gboolean spk_address_is_local(const char *base);

#endif
