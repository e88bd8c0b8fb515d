/*
 * HTTP client on libcurl, which is opened (dlopen) on first use. Blocking, cancellable
 * within 100 ms, every size and wait bounded. Connections are kept alive per SpkHttp; one
 * SpkHttp may be used by many threads.
 */
#ifndef SPK_NET_HTTP_H
#define SPK_NET_HTTP_H

#include <glib.h>

#include "base/cancel.h"

typedef struct SpkHttp SpkHttp;

typedef struct {
	const char *method; /* NULL: GET, or POST with a body */
	const char *url;    /* http or https only; redirects are not followed */
	const char
		*unix_socket; /* path of the socket to ask there; NULL: host and port of
				  * the URL, whose host is else only a name */
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const void *body;
	gsize body_len;
	gint64 connect_ms; /* 0: 10,000 */
	gint64 first_byte_ms; /* from the request to the first byte of the body; 0: 120,000 */
	gint64 idle_ms;	      /* between two pieces; 0: 60,000 */
	gsize max_bytes;      /* of the body; 0: 64 MiB */
	/* Of what isn't 2xx at most 64 KiB are read: it is for the error's text. */
} SpkHttpRequest;

typedef struct {
	long status;
	GHashTable *headers; /* lower-case name -> value (last one wins) */
	GString *body;	     /* what the sink didn't take */
} SpkHttpResponse;

/* Pieces of a 2xx body as they come. FALSE with *error ends the transfer as failed, FALSE
 * without as done: what still comes within 200 ms is thrown away, so that the connection
 * can be used again. */
typedef gboolean (*SpkHttpSink)(const char *data, gsize len, gpointer user,
				GError **error);

SpkHttp *spk_http_new(GError **error);
void spk_http_free(SpkHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkHttp, spk_http_free)

/* TRUE when an answer came, whatever its status. PROVIDER when there is none (refused,
 * reset, broken TLS, DNS), TIMEOUT with which wait it was, CANCELLED, LIMIT, BAD_INPUT for
 * the URL. A body cut off before its end is PROVIDER too ("broken stream"). Errors name
 * scheme, host and port only, or the socket. Proxies are taken from the environment as curl does, but never
 * for the loopback addresses. sink may be NULL. */
gboolean spk_http_fetch(SpkHttp *http, const SpkHttpRequest *request, SpkHttpSink sink,
			gpointer user, SpkCancel *cancel, SpkHttpResponse *ret_response,
			GError **error);
void spk_http_response_clear(SpkHttpResponse *response);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkHttpResponse, spk_http_response_clear)

/* Seconds to wait that `Retry-After` names (delta seconds or HTTP date, RFC 9110 §10.2.3),
 * clamped to [0, 3600]; -1 when absent or malformed. */
double spk_http_retry_after(const SpkHttpResponse *response);

#endif
