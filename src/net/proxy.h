/*
 * The only way out of a sandbox: an HTTP proxy (absolute requests and CONNECT) on a unix socket,
 * in a thread of its own. Nothing passes but to hosts that are allowed; a name is resolved once,
 * here, and what is connected to is the address that was judged, so no later answer of a name
 * server counts. A client sees each redirect and asks for it anew, so that is judged too. One
 * request a connection; TLS is not looked into, but for hosts that a key is added to (route.h).
 */
#ifndef SPK_NET_PROXY_H
#define SPK_NET_PROXY_H

#include "net/route.h"

/* What became of a request. Told when it is let through, before anything leaves (`ended` is
 * FALSE), and when it is over. One that is refused is told once, as ended. */
typedef struct {
	guint64 number; /* of the request: 1, 2, ... */
	gboolean ended;
	const char *method, *host; /* "": it was not understood */
	guint16 port;
	const char *path;	/* without the query; NULL of CONNECT */
	const char *address;	/* "192.0.2.1:443" that is connected to; NULL: none */
	const char *credential; /* name of the key that was added; NULL: none */
	const char *refused;	/* why we did not do it; NULL: we did */
	guint64 sent, received; /* bytes to and from the server */
	double seconds;
} SpkProxyRecord;

#define SPK_PROXY_ADDRESSES_MAX 8

/* Asks for the addresses of a name; returns how many there are, at most SPK_PROXY_ADDRESSES_MAX,
 * or none and why. Called by threads of their own. */
typedef guint (*SpkResolveFn)(const char *name, SpkAddress *ret_addresses,
			      char **ret_fault);

typedef struct {
	const char *socket; /* path to listen at; what is there is replaced */
	const char *const *allow, *const *allow_private; /* as of spk_allow_new() */
	/* Keys for hosts that are allowed, by https only: a client's TLS then ends here, and it
	 * must trust spk_proxy_authority(). Ends with NULL; NULL: none. */
	SpkRoute *const *credentials;
	/* Routes that there are from the start (spk_proxy_add_route()). What leads to the server of
	 * one otherwise is refused, whatever is allowed. Ends with NULL; NULL: none. */
	SpkRoute *const *bases;
	guint64 max_bytes;    /* of all requests, both ways; 0: no limit */
	guint max_requests;   /* 0: 10,000 */
	SpkResolveFn resolve; /* NULL: as the system does */
	/* Called by the proxy's thread. FALSE: it could not be put on record, and a request is
	 * then not let through. NULL: nobody wants to know. */
	gboolean (*record)(const SpkProxyRecord *record, gpointer user);
	gpointer user;
} SpkProxySpec;

typedef struct SpkProxy SpkProxy;

/* BAD_INPUT, LIMIT: rules that are none; IO; PROVIDER: no TLS, and keys for hosts. */
SpkProxy *spk_proxy_start(const SpkProxySpec *spec, GError **error);
/* Ends all connections (they are told as ended), joins the thread, removes the socket. */
void spk_proxy_stop(SpkProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkProxy, spk_proxy_stop)
/* Certificate of the authority that answers for hosts with a key, as PEM; NULL: there is none. */
const char *spk_proxy_authority(const SpkProxy *proxy);

/* From here on `http://<the proxy>/<route->token>/...` leads to the route's server, whatever is
 * allowed. Any thread. PROVIDER: it needs TLS, and there is none; LIMIT. */
gboolean spk_proxy_add_route(SpkProxy *proxy, SpkRoute *route, GError **error);
/* Closes the route, and ends its connections. Any thread. */
void spk_proxy_drop_route(SpkProxy *proxy, SpkRoute *route);
guint spk_proxy_n_routes(SpkProxy *proxy);

#endif
