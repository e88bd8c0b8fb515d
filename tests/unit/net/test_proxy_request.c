#include "test_net.h"

#include <string.h>

#include "base/error.h"
#include "net/head_priv.h"
#include "net/proxy_request.h"

#define H " HTTP/1.1\r\n"
#define A "Host: a\r\n"

/* clang-format off */
/* What goes on to the server. */
static const struct {
	const char *head, *host, *sent;
	guint16 port;
	SpkBodyKind body;
} taken[] = {
	{ "GET http://a/b?c=d" H A "\r\n", "a",
	  "GET /b?c=d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 80, SPK_BODY_NONE },
	{ "GET HTTP://A.:8080" H "Host: a:8080\r\nX-Y:\t z \r\n\r\n", "a",
	  "GET / HTTP/1.1\r\nHost: a:8080\r\nX-Y: z\r\nConnection: close\r\n\r\n", 8080, SPK_BODY_NONE },
	{ "GET http://a?q" H A "\r\n", "a",
	  "GET /?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 80, SPK_BODY_NONE },
	{ "GET http://[::1]:81/" H "Host: [::1]:81\r\n\r\n", "::1",
	  "GET / HTTP/1.1\r\nHost: [::1]:81\r\nConnection: close\r\n\r\n", 81, SPK_BODY_NONE },
	{ "GET http://a/ HTTP/1.0\r\n\r\n", "a",
	  "GET / HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n", 80, SPK_BODY_NONE },
	{ "POST http://a/" H A "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", "a",
	  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", 80, SPK_BODY_LENGTH },
	{ "PUT http://a/" H A "transfer-encoding: Chunked\r\n\r\n", "a",
	  "PUT / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\nConnection: close\r\n\r\n", 80, SPK_BODY_CHUNKED },
	{ "GET http://a/" H A "Connection: keep-alive, X-Hop,,TE\r\nx-hop: 1\r\nX-Hope: 2\r\nProxy-Authorization: Basic eA==\r\n"
	  "Proxy-Connection: X-More\r\nX-More: 3\r\nUpgrade: h2c\r\nTE: trailers\r\nKeep-Alive: 5\r\nTrailer: a\r\n\r\n", "a",
	  "GET / HTTP/1.1\r\nHost: a\r\nX-Hope: 2\r\nConnection: close\r\n\r\n", 80, SPK_BODY_NONE },
	{ "CONNECT a:443" H "Host: a:443\r\nProxy-Connection: Keep-Alive\r\n\r\n", "a", NULL, 443, SPK_BODY_NONE },
	{ "CONNECT [2001:db8::1]:22 HTTP/1.0\r\n\r\n", "2001:db8::1", NULL, 22, SPK_BODY_NONE },
};

static const char *const refused[] = {
	"\r\n\r\n", "GET\r\n\r\n", "GET a" H A "\r\n", "GET a:80" H A "\r\n", "GET *" H A "\r\n",
	"OPTIONS *" H A "\r\n", "GET https://a/" H A "\r\n", "GET ftp://a/" H A "\r\n", "GET http:///" H A "\r\n", "GET http://" H A "\r\n",
	"GET http://u@a/" H A "\r\n", "GET http://u:p@a/" H A "\r\n", "GET http://a/#x" H A "\r\n", "GET http://a:/" H A "\r\n",
	"GET http://a:0/" H A "\r\n", "GET http://127.1/" H "Host: 127.1\r\n\r\n", "GET http://2130706433/" H "Host: 2130706433\r\n\r\n",
	"GET http://a\\@b/" H A "\r\n", "GET http://a/b c" H A "\r\n", "GET  http://a/" H A "\r\n", "GET\thttp://a/" H A "\r\n",
	"GET http://a/\x01" H A "\r\n", "GET http://a/\xc3\xa4" H A "\r\n", " GET http://a/" H A "\r\n", "GE(T http://a/" H A "\r\n",
	"ABCDEFGHIJKLMNOPQ http://a/" H A "\r\n",
	"GET http://a/\r\n" A "\r\n", "GET http://a/ HTTP/1.2\r\n" A "\r\n", "GET http://a/ HTTP/2.0\r\n" A "\r\n", "GET http://a/ http/1.1\r\n" A "\r\n",
	"GET http://a/ HTTP/1.1 \r\n" A "\r\n", "PRI * HTTP/2.0\r\n\r\n", "GET http://a/ HTTP/1.1\n" A "\r\n", "GET http://a/" H "Host: a\n\r\n",
	"GET http://a/" H A "X: y\n\n", "GET http://a/" H A "X: y\rZ: 1\r\n\r\n", "GET http://a/" H A "X: y\x7f\r\n\r\n",
	/* hosts that differ */
	"GET http://a/" H "\r\n", "GET http://a/" H "Host: b\r\n\r\n", "GET http://a/" H A A "\r\n", "GET http://a/" H "Host: a\r\nhost: b\r\n\r\n",
	"GET http://a/" H "Host: a:8080\r\n\r\n", "GET http://a:8080/" H A "\r\n", "GET http://a/" H "Host: \r\n\r\n", "GET http://a/" H "Host: a, b\r\n\r\n",
	"GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n",
	/* lines that are no fields */
	"GET http://a/" H A " X: folded\r\n\r\n", "GET http://a/" H A "X : y\r\n\r\n", "GET http://a/" H A "X\r\n\r\n", "GET http://a/" H A ": y\r\n\r\n",
	"GET http://a/" H A "X\xc3\xa4: y\r\n\r\n", "GET http://a/" H A "X(: y\r\n\r\n", "GET http://a/" H " Host: a\r\n\r\n",
	/* the size of the body */
	"POST http://a/" H A "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "POST http://a/" H A "Content-Length: 1\r\ncontent-length: 2\r\n\r\n",
	"POST http://a/" H A "Content-Length: 1, 1\r\n\r\n", "POST http://a/" H A "Content-Length: +1\r\n\r\n", "POST http://a/" H A "Content-Length: -1\r\n\r\n",
	"POST http://a/" H A "Content-Length: 0x1\r\n\r\n", "POST http://a/" H A "Content-Length: 1 2\r\n\r\n", "POST http://a/" H A "Content-Length:\r\n\r\n",
	"POST http://a/" H A "Content-Length: 99999999999999999999\r\n\r\n",
	"POST http://a/" H A "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "POST http://a/" H A "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	"POST http://a/" H A "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "POST http://a/" H A "Transfer-Encoding: gzip, chunked\r\n\r\n",
	"POST http://a/" H A "Transfer-Encoding: chunked, chunked\r\n\r\n", "POST http://a/" H A "Transfer-Encoding: xchunked\r\n\r\n",
	"POST http://a/" H A "Transfer-Encoding: identity\r\n\r\n", "POST http://a/" H A "Transfer-Encoding:\r\n\r\n", "POST http://a/" H A "Transfer-Encoding: \x0b" "chunked\r\n\r\n",
	"POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
	/* hiding them from the server */
	"POST http://a/" H A "Content-Length: 1\r\nConnection: close, Content-Length\r\n\r\n", "GET http://a/" H A "Connection: host\r\n\r\n",
	"POST http://a/" H A "Transfer-Encoding: chunked\r\nProxy-Connection: transfer-encoding\r\n\r\n", "GET http://a/" H A "Connection: a b\r\n\r\n",
	/* tunnels */
	"CONNECT a" H "\r\n", "CONNECT http://a/" H "\r\n", "CONNECT a:443/" H "\r\n", "CONNECT a:0" H "\r\n", "CONNECT u@a:443" H "\r\n", "CONNECT :443" H "\r\n",
	"CONNECT a:443" H "Content-Length: 5\r\n\r\n", "CONNECT a:443" H "Transfer-Encoding: chunked\r\n\r\n", "CONNECT a:443" H "Host: a\r\nHost: b\r\n\r\n",
	"connect a:443" H "\r\n",
};
/* clang-format on */

static void test_what_goes_on(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
		gsize len = strlen(taken[i].head);
		g_auto(SpkProxyRequest) request = { 0 };
		g_autoptr(GError) error = NULL;

		assert_int_equal(spk_proxy_head_len(taken[i].head, len), len);
		assert_int_equal(spk_proxy_head_len(taken[i].head, len - 1), 0);
		if (!spk_proxy_request_parse(taken[i].head, len, &request, &error))
			fail_msg("%s: %s", taken[i].head, error->message);
		assert_string_equal(request.to.name, taken[i].host);
		assert_int_equal(request.to.port, taken[i].port);
		assert_int_equal(request.body, taken[i].body);
		assert_int_equal(request.is_connect, !taken[i].sent);
		if (taken[i].sent)
			assert_string_equal(request.head->str, taken[i].sent);
	}
}

static void test_what_has_two_readings_is_refused(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_auto(SpkProxyRequest) request = { 0 };
		g_autoptr(GError) error = NULL;
		gsize len = strlen(refused[i]);

		if (spk_proxy_request_parse(refused[i], len, &request, &error))
			fail_msg("was taken: %s", refused[i]);
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
}

static void test_bounds(void **state)
{
	g_autofree char *long_path = g_strnfill(SPK_PROXY_HEAD_MAX, 'a');
	g_autofree char *head = g_strconcat("GET http://a/", long_path, H A "\r\n", NULL);
	GString *many = g_string_new("GET http://a/" H A);
	g_auto(SpkProxyRequest) request = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(spk_proxy_request_parse(head, strlen(head), &request, &error));
	assert_true(spk_error_is(error, SPK_ERR_LIMIT));
	for (int i = 0; i < HEAD_FIELDS_MAX; i++)
		g_string_append(many, "X: y\r\n");
	g_string_append(many, "\r\n");
	assert_false(spk_proxy_request_parse(many->str, many->len, &request, NULL));
	g_string_free(many, TRUE);
}

static void test_path_is_without_query(void **state)
{
	static const char head[] = "GET http://a/b?token=x" H A "\r\n";
	g_auto(SpkProxyRequest) request = { 0 };

	assert_true(spk_proxy_request_parse(head, strlen(head), &request, NULL));
	assert_string_equal(request.path, "/b");
}

/* clang-format off */
static const struct {
	SpkBodyKind kind;
	guint64 length;
	const char *sent;
	gssize taken; /* -1: refused */
	gboolean ended;
} bodies[] = {
	{ SPK_BODY_NONE, 0, "GET http://b/", 0, TRUE },
	{ SPK_BODY_LENGTH, 0, "x", 0, TRUE },
	{ SPK_BODY_LENGTH, 3, "abcGET http://b/", 3, TRUE },
	{ SPK_BODY_LENGTH, 9, "abc", 3, FALSE },
	{ SPK_BODY_CHUNKED, 0, "0\r\n\r\nGET http://b/", 5, TRUE },
	{ SPK_BODY_CHUNKED, 0, "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nx", 30, TRUE },
	{ SPK_BODY_CHUNKED, 0, "3\r\nab", 5, FALSE },
	{ SPK_BODY_CHUNKED, 0, "0\r\n", 3, FALSE },
	{ SPK_BODY_CHUNKED, 0, "3;x=y\r\nabc\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "3 \r\nabc\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "3\nabc\n0\n\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "3\r\nabcd\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "3\r\nabc0\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "0x3\r\nabc\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "-1\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "0\r\nX: y\r\n\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "ffffffffffffffff\r\n", -1, FALSE },
	{ SPK_BODY_CHUNKED, 0, "0000000000000000\r\n", -1, FALSE },
};
/* clang-format on */

static void test_bodies_at_every_split(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
		SpkProxyRequest request = { .body = bodies[i].kind,
					    .length = bodies[i].length };
		gsize len = strlen(bodies[i].sent);

		for (gsize step = 1; step <= len; step++) {
			SpkBody body;
			gssize total = 0;

			spk_body_init(&body, request.body, request.length);
			for (gsize at = 0; at < len && total >= 0 && !body.ended;
			     at += step) {
				gssize n = spk_body_take(&body, bodies[i].sent + at,
							 MIN(step, len - at), NULL);

				total = n < 0 ? -1 : total + n;
			}
			if (total != bodies[i].taken || body.ended != bodies[i].ended)
				fail_msg("%s in pieces of %zu: %zd", bodies[i].sent, step,
					 total);
		}
	}
}

const struct CMUnitTest proxy_request_tests[] = {
	cmocka_unit_test(test_what_goes_on),
	cmocka_unit_test(test_what_has_two_readings_is_refused),
	cmocka_unit_test(test_bounds),
	cmocka_unit_test(test_path_is_without_query),
	cmocka_unit_test(test_bodies_at_every_split),
};
const size_t n_proxy_request_tests = G_N_ELEMENTS(proxy_request_tests);
