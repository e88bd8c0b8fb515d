/*
 * Routes over the proxy's real socket: a server that says back all it hears, and a program that
 * wants to have the key.
 */
#include "test_net.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../play_server/wire.h"
#include "base/error.h"
#include "base/fs.h"
#include "net/proxy.h"

#define KEY "sk-KEY/0123456789+abc"

typedef struct {
	Wire *wire;
	SpkProxy *proxy;
	SpkRoute *route;
	char *folder, *socket, *address;
	GMutex lock;
	GString *told;	/* a line each record */
	GString *heard; /* heads that came to the server */
	gint go_on;	/* the server may */
} World;

static void chunk(const WireRequest *request, const char *text)
{
	g_autofree char *framed =
		g_strdup_printf("%zx;why=%s\r\n%s\r\n", strlen(text), KEY, text);

	wire_puts(request, framed);
}

/* The key cut by chunks, and by writes. */
static void say_in_pieces(const WireRequest *request)
{
	wire_puts(request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (gsize i = 0; i < strlen(KEY); i++) {
		char one[2] = { KEY[i], 0 };

		chunk(request, one);
	}
	chunk(request, "=" KEY "=");
	wire_puts(request, "0\r\nX-Trailer: " KEY "\r\n\r\n");
}

static void say_slowly(World *world, const WireRequest *request)
{
	wire_puts(request, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n");
	chunk(request, "data: one\n\n");
	while (!g_atomic_int_get(&world->go_on) && wire_pause(request, 10))
		;
	chunk(request, "data: two\n\n");
	wire_puts(request, "0\r\n\r\n");
}

static gboolean answer(const WireRequest *request, gpointer user)
{
	static const struct {
		const char *path, *text;
	} fixed[] = {
		{ "/v1/packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nxyz" },
		{ "/v1/both", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ "/v1/upgrade", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" KEY },
		{ "/v1/head", "HTTP/1.1 302 " KEY "\r\nLocation: http://b.test/?k=" KEY
			      "\r\nX-" KEY ": 1\r\nContent-Length: 0\r\n\r\n" },
		{ "/v1/header", "HTTP/1.1 302 Found\r\nLocation: http://b.test/?k=" KEY
				"\r\nX-Same: " KEY "\r\nSet-Cookie: s=instead\r\n"
				"Alt-Svc: h3=instead\r\nContent-Length: 0\r\n\r\n" },
		{ "/v1/early",
		  "HTTP/1.1 100 Continue\r\nX: " KEY "\r\n\r\n"
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more" },
		{ "/v1/short", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok" },
		{ "/v1/nothing", "" },
	};
	World *world = user;
	g_autofree char *text = NULL, *all = NULL;

	g_mutex_lock(&world->lock);
	g_string_append(world->heard, request->head);
	g_mutex_unlock(&world->lock);
	if (strcmp(request->path, "/v1/pieces") == 0)
		say_in_pieces(request);
	if (strcmp(request->path, "/v1/slow") == 0)
		say_slowly(world, request);
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		if (strcmp(request->path, fixed[i].path) == 0) {
			wire_puts(request, fixed[i].text);
			return FALSE;
		}
	if (request->path[0] != '/' || strstr(request->path, "pieces") ||
	    strstr(request->path, "slow"))
		return FALSE;
	all = g_strdup_printf("%s|%s", request->head, request->body->str);
	text = g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
			       strlen(all), all);
	wire_puts(request, text);
	return FALSE;
}

static gboolean note(const SpkProxyRecord *record, gpointer user)
{
	World *world = user;

	g_mutex_lock(&world->lock);
	g_string_append_printf(world->told, "%s %s %s %s%s%s%s%s\n",
			       record->ended ? "ended" : "begins", record->method,
			       record->host, record->path ? record->path : "-",
			       record->credential ? " with " : "",
			       record->credential ? record->credential : "",
			       record->refused ? " refused: " : "",
			       record->refused ? record->refused : "");
	g_mutex_unlock(&world->lock);
	return TRUE;
}

static int setup(void **state)
{
	World *world = g_new0(World, 1);
	g_autofree char *origin = NULL;
	const char *private[2] = { NULL };
	SpkProxySpec spec = { .record = note, .user = world, .allow_private = private };
	SpkRouteSpec route = { .credential = "test.key",
			       .header = "Authorization",
			       .prefix = "Bearer ",
			       .key = KEY };

	world->wire = wire_start(0, answer, world);
	assert_non_null(world->wire);
	world->folder = g_dir_make_tmp("sparks-route-XXXXXX", NULL);
	world->socket = g_build_filename(world->folder, "s", NULL);
	world->address = g_strdup_printf("127.0.0.1:%u", wire_port(world->wire));
	world->told = g_string_new(NULL);
	world->heard = g_string_new(NULL);
	private[0] = world->address;
	spec.socket = world->socket;
	world->proxy = spk_proxy_start(&spec, NULL);
	assert_non_null(world->proxy);
	origin = g_strdup_printf("http://%s/v1/", world->address);
	route.origin = origin;
	world->route = spk_route_new(&route, NULL);
	assert_non_null(world->route);
	assert_true(spk_proxy_add_route(world->proxy, world->route, NULL));
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	World *world = *state;

	spk_proxy_stop(world->proxy);
	spk_route_unref(world->route);
	wire_stop(world->wire);
	assert_true(spk_fs_remove_tree(world->folder, NULL));
	g_free(world->folder);
	g_free(world->socket);
	g_free(world->address);
	g_string_free(world->told, TRUE);
	g_string_free(world->heard, TRUE);
	g_free(world);
	return 0;
}

static int dial(World *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, world->socket, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static GString *ask(World *world, const char *text)
{
	spk_autofd int fd = dial(world);
	GString *all = g_string_new(NULL);
	char part[65536];
	ssize_t n;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	while ((n = read(fd, part, sizeof(part))) > 0)
		g_string_append_len(all, part, n);
	return all;
}

static GString *get(World *world, const char *path, const char *more)
{
	g_autofree char *text =
		g_strdup_printf("GET /%s%s HTTP/1.1\r\nHost: 127.0.0.1:61080\r\n%s\r\n",
				world->route->token, path, more);

	return ask(world, text);
}

/* No answer ever holds the key, in any spelling. */
static void expect(GString *take_answer, int status, const char *part)
{
	g_autofree char *first = g_strdup_printf("HTTP/1.1 %d ", status);

	if (!g_str_has_prefix(take_answer->str, first) || !strstr(take_answer->str, part))
		fail_msg("not %d and \"%s\": %.900s", status, part, take_answer->str);
	assert_null(strstr(take_answer->str, KEY));
	assert_null(strstr(take_answer->str, "0123456789"));
	assert_null(strstr(take_answer->str, "instead")); /* of a key */
	g_string_free(take_answer, TRUE);
}

static char *heard(World *world)
{
	char *text;

	g_mutex_lock(&world->lock);
	text = g_strdup(world->heard->str);
	g_mutex_unlock(&world->lock);
	return text;
}

/* ---- tests ---- */

static void test_the_key_is_added(void **state)
{
	World *world = *state;
	g_autofree char *all = NULL, *first = NULL;

	expect(get(world, "/chat?x=1", "anthropic-version: 7\r\n"), 200,
	       "Authorization: Bearer *********************\r\n");
	all = heard(world);
	first = g_strdup_printf("GET /v1/chat?x=1 HTTP/1.1\r\nHost: %s\r\n"
				"anthropic-version: 7\r\nAuthorization: Bearer " KEY
				"\r\nAccept-Encoding: identity\r\nConnection: close\r\n",
				world->address);
	assert_true(g_str_has_prefix(all, first));
	assert_null(strstr(all, world->route->token));
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_string_equal(world->told->str,
			    "begins GET 127.0.0.1 /v1/chat with test.key\n"
			    "ended GET 127.0.0.1 /v1/chat with test.key\n");
}

static void test_what_the_client_says_of_keys_is_dropped(void **state)
{
	World *world = *state;
	g_autofree char *all = NULL;

	expect(get(world, "/",
		   "authorization: Bearer mine\r\nX-Api-Key: mine\r\nx_api_key: mine\r\n"
		   "Api-Key: mine\r\nRange: bytes=mine\r\nProxy-Authorization: mine\r\nExpect: mine\r\n"
		   "Connection: x-hop\r\nX-Hop: mine\r\nAccept-Encoding: gzip\r\n"),
	       200, "identity");
	all = heard(world);
	assert_null(strstr(all, "mine"));
	assert_null(strstr(all, "gzip"));
}

static void test_by_the_proxy_variables_too(void **state)
{
	World *world = *state;
	g_autofree char *text =
		g_strdup_printf("GET http://127.0.0.1:61080/%s/x HTTP/1.1\r\nHost: "
				"127.0.0.1:61080\r\n\r\n",
				world->route->token);

	expect(ask(world, text), 200, "GET /v1/x ");
}

static void test_bodies_go_up(void **state)
{
	World *world = *state;

	expect(get(world, "/", "Content-Length: 3\r\n\r\nabcGET /smuggled"), 200, "|");
	expect(get(world, "/",
		   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		   "GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r"),
	       200, "chunked");
	assert_int_equal(wire_requests(world->wire), 2);
}

static void test_a_client_that_waits_is_told_to_go_on(void **state)
{
	World *world = *state;
	g_autofree char *text = g_strdup_printf(
		"POST /%s/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
		"Expect: 100-continue\r\n\r\n",
		world->route->token);
	g_autoptr(GString) all = g_string_new(NULL);
	spk_autofd int fd = dial(world);
	char part[4096];
	ssize_t n;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	n = read(fd, part, sizeof(part));
	assert_true(n > 0 && memcmp(part, "HTTP/1.1 100 ", 13) == 0);
	assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
	while ((n = read(fd, part, sizeof(part))) > 0)
		g_string_append_len(all, part, n);
	assert_true(g_str_has_suffix(all->str, "|abc"));
}

static void test_an_answer_in_pieces(void **state)
{
	World *world = *state;
	GString *reply = get(world, "/pieces", "");
	char *body = strstr(reply->str, "\r\n\r\n");
	g_autoptr(GString) data = g_string_new(NULL);

	assert_non_null(body);
	assert_null(strstr(reply->str, "why="));
	assert_null(strstr(reply->str, "Trailer"));
	/* joined, as a client does */
	for (char *at = body + 4; *at && *at != '0';) {
		gsize n = g_ascii_strtoull(at, &at, 16);

		g_string_append_len(data, at + 2, (gssize)n);
		at += 2 + n + 2;
	}
	assert_string_equal(data->str, "*********************=*********************=");
	expect(reply, 200, "\r\n0\r\n\r\n");
}

static void test_answers_that_cannot_go_on(void **state)
{
	static const struct {
		const char *path, *why;
	} cases[] = {
		{ "/packed", "is packed" },
		{ "/both", "both Content-Length" },
		{ "/upgrade", "changes the protocol" },
		{ "/nothing", "without an answer" },
		{ "/head", "header line" }, /* "X-sk-KEY/…" is no name of a header */
	};
	World *world = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		expect(get(world, cases[i].path, ""), 502, cases[i].why);
}

static void test_heads_are_clean_and_redirects_go_to_the_client(void **state)
{
	World *world = *state;

	expect(get(world, "/header", ""), 302,
	       "Location: http://b.test/?k=*********************\r\n");
	expect(get(world, "/early", ""), 200, "\r\n\r\nok");
	assert_int_equal(wire_requests(world->wire), 2);
}

static void test_a_short_answer_is_told(void **state)
{
	World *world = *state;

	expect(get(world, "/short", ""), 200, "ok");
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_non_null(strstr(world->told->str, "refused: cut off"));
}

static void test_events_come_at_once(void **state)
{
	World *world = *state;
	g_autofree char *text = g_strdup_printf(
		"GET /%s/slow HTTP/1.1\r\nHost: localhost\r\n\r\n", world->route->token);
	g_autoptr(GString) all = g_string_new(NULL);
	spk_autofd int fd = dial(world);
	char part[4096];
	ssize_t n = 1;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	while (!strstr(all->str, "data: one\n\n") && n > 0) {
		n = read(fd, part, sizeof(part));
		g_string_append_len(all, part, MAX(n, 0));
	}
	assert_null(strstr(all->str, "two")); /* which the server still keeps back */
	g_atomic_int_set(&world->go_on, 1);
	while ((n = read(fd, part, sizeof(part))) > 0)
		g_string_append_len(all, part, n);
	assert_non_null(strstr(all->str, "data: two\n\n\r\n0\r\n\r\n"));
}

static void test_only_this_way(void **state)
{
	static const char *const paths[] = { "/../x",	  "/a/%2e%2E/x", "/..",
					     "/a/..%2fx", "/a\\..\\x",	 "/./x",
					     "/%00" };
	World *world = *state;
	g_autofree char *trace = g_strdup_printf(
		"TRACE /%s/ HTTP/1.1\r\nHost: localhost\r\n\r\n", world->route->token);
	g_autofree char *other = g_strdup_printf(
		"GET /%s/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", world->route->token);
	g_autofree char *longer = g_strdup_printf(
		"GET /%sx/ HTTP/1.1\r\nHost: localhost\r\n\r\n", world->route->token);

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
		expect(get(world, paths[i], ""), 400, "the request");
	expect(ask(world, trace), 400, "TRACE");
	expect(ask(world, other), 400, "for no server");
	expect(ask(world, longer), 400, "for no server");
	expect(get(world, "/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
	       400, "both");
	assert_int_equal(wire_connections(world->wire), 0);
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_non_null(
		strstr(world->told->str, "ended GET 127.0.0.1 /a/%2e%2E/x refused"));
	assert_null(strstr(world->told->str, " with test.key"));
}

static void test_after_its_end(void **state)
{
	World *world = *state;
	g_autofree char *text = g_strdup_printf(
		"GET /%s/slow HTTP/1.1\r\nHost: localhost\r\n\r\n", world->route->token);
	spk_autofd int fd = dial(world);
	char part[4096];

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	assert_true(read(fd, part, sizeof(part)) > 0);
	spk_proxy_drop_route(world->proxy, world->route);
	while (read(fd, part, sizeof(part)) > 0)
		; /* ends, while the server goes on */
	expect(get(world, "/", ""), 400, "for no server");
	assert_int_equal(wire_requests(world->wire), 1);
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_non_null(strstr(world->told->str, "no longer given"));
}

static void test_specs(void **state)
{
	static const SpkRouteSpec bad[] = {
		{ .origin = "ftp://a" },
		{ .origin = "https://u:p@a/" },
		{ .origin = "https://a/?q" },
		{ .origin = "https:///x" },
		{ .origin = "https://a", .header = "Authorization", .key = "short" },
		{ .origin = "https://a", .header = "X Y", .key = "12345678" },
		{ .origin = "https://a", .header = "Host", .key = "12345678" },
		{ .origin = "https://a", .header = "A", .key = "12345\r\n678" },
		{ .origin = "https://a",
		  .header = "A",
		  .prefix = "\n",
		  .key = "12345678" },
	};
	static const SpkRouteSpec basic = { .origin = "https://a:8443/v/",
					    .header = "Authorization",
					    .prefix = "Basic ",
					    .key = "12345678" };
	g_autoptr(SpkRoute) route = spk_route_new(&basic, NULL);

	assert_non_null(route);
	assert_string_equal(route->value, "Basic eC1hY2Nlc3MtdG9rZW46MTIzNDU2Nzg=");
	assert_string_equal(route->path, "/v");
	assert_int_equal(route->origin.port, 8443);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(spk_route_new(&bad[i], &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
		assert_null(strstr(error->message, "12345"));
	}
}

/* base64 of anything that holds the key, wherever it stands. */
static void test_other_spellings(void **state)
{
	World *world = *state;
	const GPtrArray *secrets = world->route->secrets;

	for (int before = 0; before < 6; before++)
		for (int behind = 0; behind < 4; behind++) {
			g_autofree char *text = g_strdup_printf("%.*s%s%.*s", before,
								"{\"k\":\"", KEY, behind,
								"\"}\r\n");
			g_autofree char *coded =
				g_base64_encode((const guchar *)text, strlen(text));
			gboolean found = FALSE;

			for (guint i = 0; i < secrets->len; i++)
				found |= strstr(coded, secrets->pdata[i]) != NULL;
			assert_true(found);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

const struct CMUnitTest route_tests[] = {
	TEST(test_the_key_is_added),
	TEST(test_what_the_client_says_of_keys_is_dropped),
	TEST(test_by_the_proxy_variables_too),
	TEST(test_bodies_go_up),
	TEST(test_a_client_that_waits_is_told_to_go_on),
	TEST(test_an_answer_in_pieces),
	TEST(test_answers_that_cannot_go_on),
	TEST(test_heads_are_clean_and_redirects_go_to_the_client),
	TEST(test_a_short_answer_is_told),
	TEST(test_events_come_at_once),
	TEST(test_only_this_way),
	TEST(test_after_its_end),
	TEST(test_specs),
	TEST(test_other_spellings),
};
const size_t n_route_tests = G_N_ELEMENTS(route_tests);
