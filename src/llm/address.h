/*
 * Addresses of servers, as people write them and as requests need them.
 */
#ifndef SPK_LLM_ADDRESS_H
#define SPK_LLM_ADDRESS_H

#include <glib.h>

/* What the requests of a protocol have behind the host. */
typedef struct {
	const char *root;    /* what an address without a path is completed with: "/v1" */
	const char *instead; /* a path that people write in its place, or NULL */
	const char *path;    /* of the requests, below that: "/chat/completions" */
} SpkAddressForm;

/* The base of the requests, without "/" at its end: what users write is completed
 * ("http://localhost:8080" is served below the root) or cut (the path of the requests
 * themselves). CONFIG, naming [section] url, when it isn't one or not built yet. */
char *spk_address_form(const char *url, const SpkAddressForm *form, const char *section,
		       GError **error);
/* The same without a name and password in it. */
char *spk_address_shown(const char *base);
/* spk_host_is_local() of a completed address. */
gboolean spk_address_is_local(const char *base);

#endif
