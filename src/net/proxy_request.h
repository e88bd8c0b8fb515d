/*
 * What a client asks of a proxy (RFC 9112, RFC 9110 §9.3.6), and how much of what it sends
 * belongs to that. Two parties that read one request differently is how requests are smuggled:
 * so everything that has two readings is refused, and the server is sent a head that is written
 * anew, without what only concerns the connection. Pure functions; any thread.
 */
#ifndef SPK_NET_PROXY_REQUEST_H
#define SPK_NET_PROXY_REQUEST_H

#include "net/body.h"
#include "net/route.h"

#define SPK_PROXY_HEAD_MAX   (32u << 10) /* bytes */
#define SPK_PROXY_METHOD_MAX 16

typedef struct {
	gboolean is_connect;
	gboolean
		is_origin; /* a path alone, as a server is asked: of a route, in a tunnel */
	char method[SPK_PROXY_METHOD_MAX + 1];
	/* Its port is set. With is_origin what Host names: the port may be 0, and without Host
	 * all is. */
	SpkEndpoint to;
	char *path; /* without the query; NULL of CONNECT */
	GString *
		head; /* for the server, blank line included; NULL of CONNECT and is_origin */
	SpkBodyKind body;
	guint64 length;	  /* of SPK_BODY_LENGTH */
	gboolean is_1_1;  /* HTTP/1.1 */
	gboolean expects; /* it waits to be told to send its body */
	/* What the head is made of, in `text`. */
	char *text;
	const char *target; /* path with query, `target_len` bytes */
	gsize target_len;
	GArray *fields, *listed;
} SpkProxyRequest;
void spk_proxy_request_clear(SpkProxyRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkProxyRequest, spk_proxy_request_clear)

/* Bytes up to and with the blank line; 0: it is not there yet. */
gsize spk_proxy_head_len(const char *bytes, gsize len);
/* `len` as above told. BAD_INPUT, LIMIT. */
gboolean spk_proxy_request_parse(const char *head, gsize len,
				 SpkProxyRequest *ret_request, GError **error);

/* Makes `head`, `to` and `path` those of a request to the route's server: its key is added, what
 * the client says in such headers is dropped. `skip`: bytes of the path that are not for the
 * server (the route's token). BAD_INPUT: nothing that may be asked with a key. */
gboolean spk_proxy_request_inject(SpkProxyRequest *request, const SpkRoute *route,
				  gsize skip, GError **error);

#endif
