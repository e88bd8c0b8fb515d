/*
 * A route: a way through the proxy to one server, with a key that only the parent has. A program
 * in the box takes it by a path that nobody can guess, or, of a host that the configuration
 * names, by just asking for that host. A route is immutable but for its end; any thread.
 */
#ifndef SPK_NET_ROUTE_H
#define SPK_NET_ROUTE_H

#include "net/address.h"

#define SPK_ROUTE_KEY_MIN 8 /* a shorter one could not be told from other text */
#define SPK_ROUTE_KEY_MAX 4096

/* All strings are copied; the key is wiped with the last reference. */
typedef struct {
	const char *credential; /* the key's name, for the journal: "openai.api_key" */
	const char *origin;	/* "https://HOST[:PORT][/PATH]", or http:// */
	const char *header;	/* "Authorization" */
	const char *prefix; /* before the key: "Bearer "; after "Basic " comes user:key in
			     * base64; NULL: "" */
	const char *user;   /* with "Basic "; NULL: "x-access-token" */
	const char *key;    /* visible ASCII; NULL or "": none is added */
} SpkRouteSpec;

typedef struct {
	gint refs, closed;
	char *token; /* "sparks-" and 32 hexadecimal digits */
	char *credential;
	SpkEndpoint origin; /* its port is set */
	gboolean is_tls;
	char *path;	      /* of the origin: "" or "/v1" */
	char *header, *value; /* both NULL: nothing is added */
	GPtrArray *secrets;   /* forms of the key that no answer may hold; char* */
} SpkRoute;

/* BAD_INPUT. */
SpkRoute *spk_route_new(const SpkRouteSpec *spec, GError **error);
SpkRoute *spk_route_ref(SpkRoute *route);
void spk_route_unref(SpkRoute *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkRoute, spk_route_unref)
/* From here on no request is let through by it. */
void spk_route_close(SpkRoute *route);
gboolean spk_route_is_closed(const SpkRoute *route);

#endif
