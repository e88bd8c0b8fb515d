#include "net/http_transfer_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

enum {
	MAX_HEADERS = 64 << 10, /* bytes of all header lines of an answer */
	MAX_ERROR_BODY = 64 << 10,
	DRAIN_MS = 200,
};

/* Where a transfer is; each has a limit on its waiting. */
typedef enum { CONNECT, FIRST_BYTE, BODY, DRAIN } Phase;

typedef struct {
	const SpkTransferSpec *spec;
	const SpkCurl *curl; /* of the spec */
	const SpkHttpRequest *request;
	char *where; /* scheme://host:port or the socket, for errors */
	struct curl_slist *headers;
	SpkHttpResponse response;
	gsize header_bytes, body_bytes;
	Phase phase;
	gint64 since_us; /* start of the phase or last piece */
	GError *error;	 /* set by a callback that ended the transfer */
	char curl_error[CURL_ERROR_SIZE];
} Transfer;

static void transfer_clear(Transfer *transfer)
{
	transfer->curl->slist_free_all(transfer->headers);
	spk_http_response_clear(&transfer->response);
	g_clear_error(&transfer->error);
	g_free(transfer->where);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Transfer, transfer_clear)

static void enter(Transfer *transfer, Phase phase)
{
	transfer->phase = phase;
	transfer->since_us = spk_mono_us();
}

/* ---- callbacks of curl ---- */

static int on_connected(void *user, char *peer, char *local, int peer_port,
			int local_port)
{
	enter(user, FIRST_BYTE);
	return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	Transfer *transfer = user;
	GHashTable *headers = transfer->response.headers;
	gsize len = size * count;
	const char *colon = memchr(data, ':', len);

	transfer->header_bytes += len;
	if (transfer->header_bytes > MAX_HEADERS) {
		spk_error_set(&transfer->error, SPK_ERR_LIMIT, NULL,
			      "the headers of the answer are longer than %d bytes",
			      MAX_HEADERS);
		return 0;
	}
	if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
		g_hash_table_remove_all(headers); /* a 1xx answer came before */
	} else if (colon) {
		g_autofree char *value = g_strndup(colon + 1, data + len - colon - 1);

		g_hash_table_replace(headers, g_ascii_strdown(data, colon - data),
				     g_strdup(g_strstrip(value)));
	}
	return len;
}

/* The whole of `len` when it was taken, else how a callback tells curl to stop. */
static size_t take_ok_piece(Transfer *transfer, const char *data, gsize len)
{
	gsize max = transfer->request->max_bytes ? transfer->request->max_bytes
						 : 64u << 20;

	transfer->body_bytes += len;
	if (transfer->body_bytes > max) {
		spk_error_set(&transfer->error, SPK_ERR_LIMIT, NULL,
			      "the answer is longer than %" G_GSIZE_FORMAT " bytes", max);
		return 0;
	}
	if (!transfer->spec->sink) {
		g_string_append_len(transfer->response.body, data, len);
		return len;
	}
	if (transfer->spec->sink(data, len, transfer->spec->user, &transfer->error))
		return len;
	if (transfer->error)
		return 0;
	enter(transfer, DRAIN);
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	Transfer *transfer = user;
	GString *body = transfer->response.body;
	gsize len = size * count;

	if (transfer->phase == DRAIN)
		return len;
	enter(transfer, BODY);
	transfer->curl->easy_getinfo(transfer->spec->easy, CURLINFO_RESPONSE_CODE,
				     &transfer->response.status);
	if (transfer->response.status / 100 == 2)
		return take_ok_piece(transfer, data, len);
	g_string_append_len(body, data, MIN(len, MAX_ERROR_BODY - body->len));
	if (body->len == MAX_ERROR_BODY)
		enter(transfer, DRAIN);
	return len;
}

/* ---- the URL ---- */

static gboolean is_loopback(const char *host)
{
	return g_ascii_strcasecmp(host, "localhost") == 0 ||
	       g_str_has_prefix(host, "127.") || strcmp(host, "::1") == 0;
}

/* "scheme://host:port" without what may be secret; NULL and BAD_INPUT for a URL that isn't
 * http or https. */
static char *check_url(const char *url, gboolean *ret_loopback, GError **error)
{
	const char *hint = "give a URL like https://api.example.com/v1";
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
	g_autofree char *host = NULL;

	if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, hint,
			      "this is not a URL with a host");
		return NULL;
	}
	host = spk_text_clean(g_uri_get_host(uri), -1, SPK_CLEAN_LINE);
	if (strcmp(g_uri_get_scheme(uri), "http") != 0 &&
	    strcmp(g_uri_get_scheme(uri), "https") != 0) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, hint,
			      "a URL of scheme \"%s\" is not for HTTP",
			      g_uri_get_scheme(uri));
		return NULL;
	}
	*ret_loopback = is_loopback(host);
	if (g_uri_get_port(uri) > 0)
		return g_strdup_printf("%s://%s:%d", g_uri_get_scheme(uri), host,
				       g_uri_get_port(uri));
	return g_strdup_printf("%s://%s", g_uri_get_scheme(uri), host);
}

/* ---- one transfer ---- */

static gint64 limit_ms(const Transfer *transfer)
{
	const SpkHttpRequest *request = transfer->request;

	switch (transfer->phase) {
	case CONNECT:
		return request->connect_ms ? request->connect_ms : 10000;
	case FIRST_BYTE:
		return request->first_byte_ms ? request->first_byte_ms : 120000;
	case BODY:
		return request->idle_ms ? request->idle_ms : 60000;
	default:
		return DRAIN_MS;
	}
}

static void set_timeout_error(const Transfer *transfer, GError **error)
{
	static const char *const what[] = {
		[CONNECT] = "no connection",
		[FIRST_BYTE] = "no first byte of an answer",
		[BODY] = "nothing more of the answer (idle)",
		[DRAIN] = "no end of the answer",
	};

	spk_error_set(error, SPK_ERR_TIMEOUT, NULL, "%s: %s within %.1f s",
		      transfer->where, what[transfer->phase],
		      limit_ms(transfer) / 1000.0);
}

static void set_options(Transfer *transfer, gboolean loopback)
{
	const SpkHttpRequest *request = transfer->request;
	__typeof__(curl_easy_setopt) *set = transfer->curl->easy_setopt;
	CURL *easy = transfer->spec->easy;

	set(easy, CURLOPT_URL, request->url);
	set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	set(easy, CURLOPT_FOLLOWLOCATION, 0L);
	set(easy, CURLOPT_NOSIGNAL, 1L);
	set(easy, CURLOPT_QUICK_EXIT, 1L); /* cancel doesn't wait for a slow resolver */
	set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	set(easy, CURLOPT_USERAGENT, "sparks/" SPK_VERSION);
	/* Also here, so that curl leaves time for a second address. */
	set(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limit_ms(transfer));
	set(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
	set(easy, CURLOPT_PREREQFUNCTION, on_connected);
	set(easy, CURLOPT_PREREQDATA, transfer);
	set(easy, CURLOPT_HEADERFUNCTION, on_header);
	set(easy, CURLOPT_HEADERDATA, transfer);
	set(easy, CURLOPT_WRITEFUNCTION, on_body);
	set(easy, CURLOPT_WRITEDATA, transfer);
	set(easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (loopback || request->unix_socket)
		set(easy, CURLOPT_NOPROXY, "*");
	if (request->unix_socket)
		set(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	if (request->body) {
		set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		set(easy, CURLOPT_POSTFIELDS, request->body);
	}
	if (request->method)
		set(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void add_header(Transfer *transfer, const char *line)
{
	struct curl_slist *longer = transfer->curl->slist_append(transfer->headers, line);

	g_assert(longer); /* NULL only when memory is out */
	transfer->headers = longer;
}

static gboolean transfer_init(Transfer *transfer, GError **error)
{
	const SpkHttpRequest *request = transfer->request;
	gboolean loopback;

	transfer->where = check_url(request->url, &loopback, error);
	if (!transfer->where)
		return FALSE;
	if (request->unix_socket) {
		g_free(transfer->where);
		transfer->where = g_strconcat("unix:", request->unix_socket, NULL);
	}
	transfer->response.headers =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	transfer->response.body = g_string_new(NULL);
	for (gsize i = 0; request->headers && request->headers[i]; i++)
		add_header(transfer, request->headers[i]);
	add_header(transfer, "Expect:"); /* no waiting for "100 Continue" */
	enter(transfer, CONNECT);
	set_options(transfer, loopback);
	return TRUE;
}

/* TRUE when the transfer came to its end; *ret_code is then what curl says of it. */
static gboolean drive(Transfer *transfer, CURLcode *ret_code, GError **error)
{
	const SpkCurl *curl = transfer->curl;
	CURLM *multi = transfer->spec->multi;
	SpkCancel *cancel = transfer->spec->cancel;
	struct curl_waitfd wake = { .fd = spk_cancel_fd(cancel),
				    .events = CURL_WAIT_POLLIN };
	int running = 1, left_in_queue;
	const CURLMsg *message;
	CURLMcode code = CURLM_OK;

	while (!code) {
		gint64 left;

		if (!spk_cancel_check(cancel, error))
			return FALSE;
		code = curl->multi_perform(multi, &running);
		if (code || !running)
			break;
		left = limit_ms(transfer) - (spk_mono_us() - transfer->since_us) / 1000;
		if (left <= 0 && transfer->phase == DRAIN)
			return TRUE;
		if (left <= 0) {
			set_timeout_error(transfer, error);
			return FALSE;
		}
		left = spk_cancel_left_ms(cancel, MIN(left, 1000));
		code = curl->multi_poll(multi, &wake, wake.fd >= 0, (int)left, NULL);
	}
	message = code ? NULL : curl->multi_info_read(multi, &left_in_queue);
	if (!message) {
		spk_error_set(error, SPK_ERR_PROVIDER, NULL, "%s: libcurl: %s",
			      transfer->where, curl->multi_strerror(code));
		return FALSE;
	}
	*ret_code = message->data.result;
	return TRUE;
}

static const char *hint_for(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "check the host's name and the network";
	case CURLE_COULDNT_CONNECT:
		return "check that the server runs and that host and port are right";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return "check the date of this machine and that ca-certificates is installed";
	default:
		return NULL;
	}
}

static void set_curl_error(Transfer *transfer, CURLcode code, GError **error)
{
	const char *text = *transfer->curl_error ? transfer->curl_error
						 : transfer->curl->easy_strerror(code);
	g_autofree char *clean = spk_text_clean(text, -1, SPK_CLEAN_LINE);
	gboolean input = code == CURLE_URL_MALFORMAT ||
			 code == CURLE_UNSUPPORTED_PROTOCOL;

	if (transfer->error) {
		g_propagate_prefixed_error(error, g_steal_pointer(&transfer->error),
					   "%s: ", transfer->where);
		return;
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		set_timeout_error(transfer, error);
		return;
	}
	spk_error_set(error, input ? SPK_ERR_BAD_INPUT : SPK_ERR_PROVIDER, hint_for(code),
		      "%s: %s%s", transfer->where,
		      transfer->phase == BODY ? "broken stream: " : "", clean);
}

static gboolean run(Transfer *transfer, GError **error)
{
	const SpkCurl *curl = transfer->curl;
	CURL *easy = transfer->spec->easy;
	CURLcode code = CURLE_OK;
	CURLMcode added;
	gboolean ended;

	if (!transfer_init(transfer, error))
		return FALSE;
	added = curl->multi_add_handle(transfer->spec->multi, easy);
	if (added) {
		spk_error_set(error, SPK_ERR_PROVIDER, NULL, "libcurl: %s",
			      curl->multi_strerror(added));
		return FALSE;
	}
	ended = drive(transfer, &code, error);
	curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer->response.status);
	curl->multi_remove_handle(transfer->spec->multi, easy);
	if (ended && code != CURLE_OK && transfer->phase != DRAIN) {
		set_curl_error(transfer, code, error);
		return FALSE;
	}
	return ended;
}

gboolean spk_transfer_run(const SpkTransferSpec *spec, SpkHttpResponse *ret_response,
			  GError **error)
{
	g_auto(Transfer)
		transfer = { .spec = spec, .curl = spec->curl, .request = spec->request };

	if (!run(&transfer, error))
		return FALSE;
	*ret_response = transfer.response;
	transfer.response = (SpkHttpResponse){ 0 };
	return TRUE;
}
