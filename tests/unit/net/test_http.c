#include "test_net.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"
#include "net/http.h"
#include "../../play_server/wire.h"

/* Stands before the one of libc: while set, libcurl is "missing". */
static gboolean libcurl_is_missing;

void *dlopen(const char *name, int flags)
{
	void *(*real)(const char *, int) = dlsym(RTLD_NEXT, "dlopen");

	return libcurl_is_missing && name && strstr(name, "libcurl") ? NULL
								     : real(name, flags);
}

/* Answers by the path of the request. */
static gboolean answer(const WireRequest *request, gpointer user)
{
	const char *ok =
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Two: a\r\nX-TWO:  b \r\n\r\nhello";

	if (g_str_equal(request->path, "/hello"))
		return wire_puts(request, ok);
	if (g_str_equal(request->path, "/echo")) {
		g_autofree char *head =
			g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
					strlen(request->head) + request->body->len);

		return wire_puts(request, head) && wire_puts(request, request->head) &&
		       wire_send(request, request->body->str, request->body->len);
	}
	if (g_str_equal(request->path, "/continue"))
		return wire_puts(request,
				 "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n") &&
		       wire_puts(request, ok);
	if (g_str_equal(request->path, "/redirect"))
		return wire_puts(request, "HTTP/1.1 302 Found\r\nLocation: /hello\r\n"
					  "Content-Length: 0\r\n\r\n");
	if (g_str_equal(request->path, "/error"))
		return wire_puts(request, "HTTP/1.1 503 No\r\nRetry-After: 7\r\n"
					  "Content-Length: 4\r\n\r\nbusy");
	if (g_str_equal(request->path, "/mute"))
		return wire_pause(request, -1);
	if (g_str_equal(request->path, "/stall"))
		return wire_puts(request,
				 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel") &&
		       wire_pause(request, -1);
	if (g_str_equal(request->path, "/cut")) {
		wire_puts(request, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel");
		return FALSE;
	}
	if (g_str_equal(request->path, "/reset")) {
		wire_puts(
			request,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
		wire_pause(request, 50);
		wire_set_reset(request);
		return FALSE;
	}
	if (g_str_has_prefix(request->path, "/flood")) {
		const char *flood_head = strstr(request->path, "500")
						 ? "HTTP/1.1 500 No\r\n\r\n"
						 : "HTTP/1.1 200 OK\r\n\r\n";
		g_autofree char *block = g_strnfill(65536, 'x');

		wire_puts(request, flood_head);
		while (wire_send(request, block, 65536))
			;
		return FALSE;
	}
	if (g_str_equal(request->path, "/headers")) {
		wire_puts(request, "HTTP/1.1 200 OK\r\n");
		while (wire_puts(request,
				 "X-A: 0123456789012345678901234567890123456789\r\n"))
			;
		return FALSE;
	}
	return FALSE;
}

typedef struct {
	Wire *wire;
	SpkHttp *http;
} Fixture;

static int set_up(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);

	fixture->wire = wire_start(0, answer, NULL);
	fixture->http = spk_http_new(NULL);
	*state = fixture;
	return fixture->wire && fixture->http ? 0 : -1;
}

static int tear_down(void **state)
{
	Fixture *fixture = *state;

	spk_http_free(fixture->http);
	wire_stop(fixture->wire);
	g_free(fixture);
	return 0;
}

static gboolean fetch(Fixture *fixture, const char *path, SpkHttpRequest request,
		      SpkCancel *cancel, SpkHttpResponse *response, GError **error)
{
	g_autofree char *url =
		g_strdup_printf("http://127.0.0.1:%d%s", wire_port(fixture->wire), path);

	request.url = url;
	return spk_http_fetch(fixture->http, &request, NULL, NULL, cancel, response,
			      error);
}

static void test_get_and_headers(void **state)
{
	g_auto(SpkHttpResponse) response = { 0 }, early = { 0 };

	assert_true(
		fetch(*state, "/hello", (SpkHttpRequest){ 0 }, NULL, &response, NULL));
	assert_int_equal(response.status, 200);
	assert_string_equal(response.body->str, "hello");
	assert_string_equal(g_hash_table_lookup(response.headers, "x-two"), "b");
	assert_true(spk_http_retry_after(&response) == -1);
	assert_true(
		fetch(*state, "/continue", (SpkHttpRequest){ 0 }, NULL, &early, NULL));
	assert_int_equal(early.status, 200);
	assert_null(g_hash_table_lookup(early.headers, "x-early"));
}

static void test_post(void **state)
{
	const char *const headers[] = { "X-Mine: 1", NULL };
	SpkHttpRequest request = { .headers = headers, .body = "a\0b", .body_len = 3 };
	g_auto(SpkHttpResponse) response = { 0 };

	assert_true(fetch(*state, "/echo", request, NULL, &response, NULL));
	assert_non_null(strstr(response.body->str, "POST /echo HTTP/1.1\r\n"));
	assert_non_null(strstr(response.body->str, "\r\nX-Mine: 1\r\n"));
	assert_non_null(
		strstr(response.body->str, "\r\nUser-Agent: sparks/" SPK_VERSION "\r\n"));
	assert_null(strstr(response.body->str, "Expect"));
	assert_memory_equal(response.body->str + response.body->len - 3, "a\0b", 3);
}

static void test_connection_is_reused(void **state)
{
	Fixture *fixture = *state;

	for (guint i = 0; i < 5; i++) {
		g_auto(SpkHttpResponse) response = { 0 };

		assert_true(fetch(fixture, "/hello", (SpkHttpRequest){ 0 }, NULL,
				  &response, NULL));
	}
	assert_int_equal(wire_connections(fixture->wire), 1);
}

static void test_status_and_redirect(void **state)
{
	g_auto(SpkHttpResponse) error_answer = { 0 }, redirect = { 0 };

	assert_true(fetch(*state, "/error", (SpkHttpRequest){ 0 }, NULL, &error_answer,
			  NULL));
	assert_int_equal(error_answer.status, 503);
	assert_string_equal(error_answer.body->str, "busy");
	assert_true(spk_http_retry_after(&error_answer) == 7);
	assert_true(
		fetch(*state, "/redirect", (SpkHttpRequest){ 0 }, NULL, &redirect, NULL));
	assert_int_equal(redirect.status, 302);
}

static void test_retry_after(void **state)
{
	static const struct {
		const char *value, *date;
		double seconds;
	} rows[] = {
		{ "0", NULL, 0 },
		{ "12", NULL, 12 },
		{ "99999999", NULL, 3600 },
		{ "-3", NULL, -1 },
		{ "soon", NULL, -1 },
		{ "", NULL, -1 },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", NULL, 0 },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:27:30 GMT", 30 },
		{ "Fri, 31 Dec 2100 23:59:59 GMT", "nonsense", 3600 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SpkHttpResponse) response = { 0 };

		response.headers = g_hash_table_new(g_str_hash, g_str_equal);
		g_hash_table_insert(response.headers, (gpointer) "retry-after",
				    (gpointer)rows[i].value);
		if (rows[i].date)
			g_hash_table_insert(response.headers, (gpointer) "date",
					    (gpointer)rows[i].date);
		if (spk_http_retry_after(&response) != rows[i].seconds)
			fail_msg("\"%s\": %f", rows[i].value,
				 spk_http_retry_after(&response));
	}
}

static void expect_error(Fixture *fixture, const char *path, SpkHttpRequest request,
			 SpkErr code, const char *words)
{
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(fetch(fixture, path, request, NULL, &response, &error));
	if (!spk_error_is(error, code) || !strstr(error->message, words))
		fail_msg("%s: %s", path, error->message);
}

static void test_each_wait_is_named(void **state)
{
	expect_error(*state, "/mute", (SpkHttpRequest){ .first_byte_ms = 100 },
		     SPK_ERR_TIMEOUT, "no first byte of an answer within 0.1 s");
	expect_error(*state, "/stall", (SpkHttpRequest){ .idle_ms = 100 },
		     SPK_ERR_TIMEOUT, "nothing more of the answer (idle) within 0.1 s");
}

static void test_connect_wait(void **state)
{
	Fixture *fixture = *state;
	/* TEST-NET-1 (RFC 5737) is routed nowhere; some networks say so at once. */
	SpkHttpRequest request = { .url = "http://192.0.2.1/", .connect_ms = 200 };
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();

	assert_false(spk_http_fetch(fixture->http, &request, NULL, NULL, NULL, &response,
				    &error));
	assert_true(g_get_monotonic_time() - start < 3 * G_USEC_PER_SEC);
	assert_true(spk_error_is(error, SPK_ERR_PROVIDER) ||
		    (spk_error_is(error, SPK_ERR_TIMEOUT) &&
		     strstr(error->message, "no connection within 0.2 s")));
}

static void test_broken(void **state)
{
	expect_error(*state, "/cut", (SpkHttpRequest){ 0 }, SPK_ERR_PROVIDER,
		     "broken stream");
	expect_error(*state, "/reset", (SpkHttpRequest){ 0 }, SPK_ERR_PROVIDER,
		     "broken stream");
	expect_error(*state, "/nothing", (SpkHttpRequest){ 0 }, SPK_ERR_PROVIDER,
		     "http://127.0.0.1:");
}

static void test_bounded(void **state)
{
	g_auto(SpkHttpResponse) response = { 0 };

	expect_error(*state, "/flood", (SpkHttpRequest){ .max_bytes = 1 << 20 },
		     SPK_ERR_LIMIT, "longer than 1048576 bytes");
	expect_error(*state, "/headers", (SpkHttpRequest){ 0 }, SPK_ERR_LIMIT, "headers");
	assert_true(
		fetch(*state, "/flood500", (SpkHttpRequest){ 0 }, NULL, &response, NULL));
	assert_int_equal(response.status, 500);
	assert_int_equal(response.body->len, 65536);
}

static void test_bad_urls(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/", "file:///etc/passwd",
					    "nonsense",		"",
					    "http://",		"http:///x" };
	Fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_auto(SpkHttpResponse) response = { 0 };
		g_autoptr(GError) error = NULL;
		SpkHttpRequest request = { .url = urls[i] };

		assert_false(spk_http_fetch(fixture->http, &request, NULL, NULL, NULL,
					    &response, &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
}

static void test_refused_names_no_secret(void **state)
{
	Fixture *fixture = *state;
	SpkHttpRequest request = {
		.url = "http://user:hunter2@127.0.0.1:1/x?key=hunter2"
	};
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(spk_http_fetch(fixture->http, &request, NULL, NULL, NULL, &response,
				    &error));
	assert_true(spk_error_is(error, SPK_ERR_PROVIDER));
	assert_non_null(strstr(error->message, "http://127.0.0.1:1"));
	assert_null(strstr(error->message, "hunter2"));
	assert_non_null(spk_error_hint(error));
}

static gpointer fire_soon(gpointer cancel)
{
	g_usleep(100 * 1000);
	spk_cancel_fire(cancel, "enough");
	return NULL;
}

static void test_cancel(void **state)
{
	static const char *const paths[] = { "/mute", "/stall" };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
		g_auto(SpkHttpResponse) response = { 0 };
		g_autoptr(GError) error = NULL;
		GThread *thread = g_thread_new("fire", fire_soon, cancel);
		gint64 start = g_get_monotonic_time(), took;

		assert_false(fetch(*state, paths[i], (SpkHttpRequest){ 0 }, cancel,
				   &response, &error));
		took = g_get_monotonic_time() - start - 100 * 1000;
		g_thread_join(thread);
		assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
		print_message("# cancelled %s after %.1f ms\n", paths[i], took / 1000.0);
		assert_true(took < G_USEC_PER_SEC);
	}
}

static void test_deadline(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) error = NULL;

	spk_cancel_set_deadline(cancel, 100);
	assert_false(
		fetch(*state, "/mute", (SpkHttpRequest){ 0 }, cancel, &response, &error));
	assert_true(spk_error_is(error, SPK_ERR_TIMEOUT));
}

static gboolean take_three(const char *data, gsize len, gpointer user, GError **error)
{
	GString *seen = user;

	g_string_append_len(seen, data, len);
	return seen->len < 3;
}

static gboolean take_none(const char *data, gsize len, gpointer user, GError **error)
{
	spk_error_set(error, SPK_ERR_PROVIDER_REPLY, NULL, "not this");
	return FALSE;
}

static void test_sink(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *stall =
		g_strdup_printf("http://127.0.0.1:%d/stall", wire_port(fixture->wire));
	SpkHttpRequest request = { .url = stall };
	g_auto(SpkHttpResponse) response = { 0 }, none = { 0 };
	g_autoptr(GString) seen = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();

	/* the sink has enough: no waiting for the end that never comes */
	assert_true(spk_http_fetch(fixture->http, &request, take_three, seen, NULL,
				   &response, NULL));
	assert_string_equal(seen->str, "hel");
	assert_true(g_get_monotonic_time() - start < G_USEC_PER_SEC);
	assert_false(spk_http_fetch(fixture->http, &request, take_none, NULL, NULL, &none,
				    &error));
	assert_true(spk_error_is(error, SPK_ERR_PROVIDER_REPLY));
}

static gpointer fetch_many(gpointer user)
{
	for (guint i = 0; i < 20; i++) {
		g_auto(SpkHttpResponse) response = { 0 };

		if (!fetch(user, "/hello", (SpkHttpRequest){ 0 }, NULL, &response, NULL))
			return GINT_TO_POINTER(1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	GThread *threads[12];
	guint failed = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("fetch", fetch_many, *state);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		failed += g_thread_join(threads[i]) != NULL;
	assert_int_equal(failed, 0);
}

/* Runs first: afterwards libcurl is open. */
static void test_without_libcurl(void **state)
{
	g_autoptr(GError) error = NULL;

	libcurl_is_missing = TRUE;
	assert_null(spk_http_new(&error));
	libcurl_is_missing = FALSE;
	assert_true(spk_error_is(error, SPK_ERR_PROVIDER));
	assert_non_null(strstr(spk_error_hint(error), "libcurl4"));
}

#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
const struct CMUnitTest http_tests[] = {
	cmocka_unit_test(test_without_libcurl),
	WITH_SERVER(test_get_and_headers),
	WITH_SERVER(test_post),
	WITH_SERVER(test_connection_is_reused),
	WITH_SERVER(test_status_and_redirect),
	WITH_SERVER(test_retry_after),
	WITH_SERVER(test_each_wait_is_named),
	WITH_SERVER(test_connect_wait),
	WITH_SERVER(test_broken),
	WITH_SERVER(test_bounded),
	WITH_SERVER(test_bad_urls),
	WITH_SERVER(test_refused_names_no_secret),
	WITH_SERVER(test_cancel),
	WITH_SERVER(test_deadline),
	WITH_SERVER(test_sink),
	WITH_SERVER(test_threads),
};
const size_t n_http_tests = G_N_ELEMENTS(http_tests);
