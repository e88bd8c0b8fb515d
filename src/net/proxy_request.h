/*
 * What a client asks of a proxy (RFC 9112, RFC 9110 §9.3.6), and how much of what it sends
 * belongs to that. Two parties that read one request differently is how requests are smuggled:
 * so everything that has two readings is refused, and the server is sent a head that is written
 * anew, without what only concerns the connection. Pure functions; any thread.
 */
#ifndef SPK_NET_PROXY_REQUEST_H
#define SPK_NET_PROXY_REQUEST_H

#include "net/address.h"

#define SPK_PROXY_HEAD_MAX    (32u << 10) /* bytes */
#define SPK_PROXY_METHOD_MAX  16
#define SPK_PROXY_HEADERS_MAX 128

typedef enum {
	SPK_BODY_NONE,
	SPK_BODY_LENGTH,
	SPK_BODY_CHUNKED,
} SpkBodyKind;

typedef struct {
	gboolean is_connect;
	char method[SPK_PROXY_METHOD_MAX + 1];
	SpkEndpoint to; /* its port is set */
	char *path;	/* without the query; NULL of CONNECT */
	GString *head;	/* for the server, blank line included; NULL of CONNECT */
	SpkBodyKind body;
	guint64 length; /* of SPK_BODY_LENGTH */
} SpkProxyRequest;
void spk_proxy_request_clear(SpkProxyRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkProxyRequest, spk_proxy_request_clear)

/* Bytes up to and with the blank line; 0: it is not there yet. */
gsize spk_proxy_head_len(const char *bytes, gsize len);
/* `len` as above told. BAD_INPUT, LIMIT. */
gboolean spk_proxy_request_parse(const char *head, gsize len,
				 SpkProxyRequest *ret_request, GError **error);

/* Where the body ends. */
typedef struct {
	SpkBodyKind kind;
	guint64 left; /* of the length, or of the chunk */
	int state;
	guint line; /* bytes of the line so far */
	gboolean ended;
} SpkBody;
void spk_body_init(SpkBody *body, const SpkProxyRequest *request);
/* How many of the bytes belong to the body; those behind it are another's. `ended` tells when
 * it is whole. -1: it is not of its form (chunks with extensions and trailers are refused). */
gssize spk_body_take(SpkBody *body, const char *bytes, gsize len);

#endif
