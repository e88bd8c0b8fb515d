/* The proxy over its real socket, with a loopback server behind it and names that are ours. */
#include "test_net.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../play_server/wire.h"
#include "base/fs.h"
#include "net/proxy.h"

typedef struct {
	Wire *wire;
	SpkProxy *proxy;
	char *folder, *socket, *address;
	GMutex lock;
	GString *told; /* a line each record */
	gboolean unwilling;
} World;

static gint asked; /* how often a name was looked up */

/* Answers "rebind.test" with loopback first and with something else ever after. */
static guint resolve(const char *name, SpkAddress *ret_addresses, char **ret_fault)
{
	static const struct {
		const char *name, *addresses[3];
	} names[] = {
		{ "good.test", { "127.0.0.1" } },
		{ "private.test", { "10.1.2.3" } },
		{ "metadata.test", { "169.254.169.254", "fd00:ec2::254" } },
		{ "mapped.test", { "::ffff:127.0.0.1" } },
		{ "mixed.test", { "10.1.2.3", "::1", "127.0.0.1" } },
	};
	gboolean first = g_atomic_int_add(&asked, 1) == 0;
	guint n = 0;

	if (strcmp(name, "rebind.test") == 0)
		return spk_address_parse(first ? "127.0.0.1" : "10.1.2.3", ret_addresses);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		for (gsize j = 0;
		     strcmp(names[i].name, name) == 0 && j < 3 && names[i].addresses[j];
		     j++)
			n += spk_address_parse(names[i].addresses[j], &ret_addresses[n]);
	if (!n)
		*ret_fault = g_strdup("no such name");
	return n;
}

static gboolean answer(const WireRequest *request, gpointer user)
{
	g_autofree char *text = NULL;

	if (strcmp(request->path, "/big") == 0) {
		g_autofree char *big = g_strnfill(1 << 20, 'x');

		wire_puts(request, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		wire_send(request, big, 1 << 20);
		return FALSE;
	}
	text = g_strdup_printf("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s %s %s|%s",
			       request->method, request->path, request->body->str,
			       request->head);
	wire_puts(request, text);
	return FALSE;
}

static gboolean note(const SpkProxyRecord *record, gpointer user)
{
	World *world = user;
	gboolean known = TRUE;

	g_mutex_lock(&world->lock);
	g_string_append_printf(world->told, "%s %s %s%s%s\n",
			       record->ended ? "ended" : "begins", record->method,
			       record->host, record->refused ? " refused: " : "",
			       record->refused ? record->refused : "");
	known = !world->unwilling || record->ended;
	g_mutex_unlock(&world->lock);
	return known;
}

static void start(World *world, const char *const *allow, guint64 max_bytes,
		  guint max_requests)
{
	const char *private[] = { world->address, NULL };
	SpkProxySpec spec = { .socket = world->socket,
			      .allow = allow,
			      .allow_private = private,
			      .max_bytes = max_bytes,
			      .max_requests = max_requests,
			      .resolve = resolve,
			      .record = note,
			      .user = world };
	g_autoptr(GError) error = NULL;

	g_atomic_int_set(&asked, 0);
	world->proxy = spk_proxy_start(&spec, &error);
	if (!world->proxy)
		fail_msg("%s", error->message);
}

static int setup(void **state)
{
	World *world = g_new0(World, 1);

	world->wire = wire_start(0, answer, NULL);
	assert_non_null(world->wire);
	world->folder = g_dir_make_tmp("sparks-proxy-XXXXXX", NULL);
	world->socket = g_build_filename(world->folder, "s", NULL);
	world->address = g_strdup_printf("127.0.0.1:%u", wire_port(world->wire));
	world->told = g_string_new(NULL);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	World *world = *state;

	spk_proxy_stop(world->proxy);
	assert_int_equal(access(world->socket, F_OK), -1);
	wire_stop(world->wire);
	assert_true(spk_fs_remove_tree(world->folder, NULL));
	g_free(world->folder);
	g_free(world->socket);
	g_free(world->address);
	g_string_free(world->told, TRUE);
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

/* Sends, and reads until the proxy closes. */
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

/* A GET of http://HOST:PORT/path, with the server's port. */
static GString *get(World *world, const char *host, const char *path)
{
	guint port = wire_port(world->wire);
	g_autofree char *text = g_strdup_printf("GET http://%s:%u%s HTTP/1.1\r\nHost: "
						"%s:%u\r\n\r\n",
						host, port, path, host, port);

	return ask(world, text);
}

static void expect(GString *take_answer, int status, const char *part)
{
	g_autofree char *first = g_strdup_printf("HTTP/1.1 %d ", status);

	if (!g_str_has_prefix(take_answer->str, first) || !strstr(take_answer->str, part))
		fail_msg("not %d and \"%s\": %.400s", status, part, take_answer->str);
	g_string_free(take_answer, TRUE);
}

static char *rule(World *world, const char *host)
{
	return g_strdup_printf("%s:%u", host, wire_port(world->wire));
}

/* ---- tests ---- */

static void test_nothing_without_a_rule(void **state)
{
	World *world = *state;

	start(world, NULL, 0, 0);
	expect(get(world, "good.test", "/"), 403, "not among the allowed hosts");
	expect(get(world, "127.0.0.1", "/"), 403, "not among the allowed hosts");
	expect(ask(world, "CONNECT good.test:443 HTTP/1.1\r\n\r\n"), 403, "not among");
	assert_int_equal(g_atomic_int_get(&asked), 0); /* no name server heard of it */
	assert_int_equal(wire_connections(world->wire), 0);
}

static void test_request_goes_through(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };
	g_autofree char *post =
		g_strdup_printf("POST http://%s/p HTTP/1.1\r\nHost: %s\r\n"
				"Content-Length: 3\r\n\r\nabcGET /smuggled",
				good, good);
	GString *reply;

	start(world, allow, 0, 0);
	expect(get(world, "good.test", "/a?b"), 200, "GET /a |GET /a?b HTTP/1.1");
	reply = ask(world, post);
	assert_null(strstr(reply->str, "smuggled"));
	expect(reply, 200, "POST /p abc|");
	assert_int_equal(wire_requests(world->wire), 2);
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_string_equal(world->told->str,
			    "begins GET good.test\nended GET good.test\n"
			    "begins POST good.test\nended POST good.test\n");
}

static void test_tunnel(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };
	/* the client does not wait for the answer to CONNECT */
	g_autofree char *text = g_strdup_printf("CONNECT %s HTTP/1.1\r\n\r\n"
						"GET /in HTTP/1.1\r\nHost: x\r\n\r\n",
						good);

	start(world, allow, 0, 0);
	expect(ask(world, text), 200, "established\r\n\r\nHTTP/1.1 200 OK");
	expect(ask(world, "CONNECT good.test:22 HTTP/1.1\r\n\r\n"), 403, "not among");
}

static void test_addresses_are_judged(void **state)
{
	static const char *const hosts[] = { "private.test", "metadata.test",
					     "mapped.test" };
	World *world = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		g_autofree char *only = rule(world, hosts[i]);
		const char *allow[] = { only, "10.1.2.3", "[::ffff:127.0.0.1]", NULL };

		start(world, allow, 0, 0);
		expect(get(world, hosts[i], "/"), 403, "not of the internet");
		expect(ask(world,
			   "GET http://10.1.2.3/ HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n"),
		       403, "private");
		expect(ask(world, "CONNECT [::ffff:127.0.0.1]:80 HTTP/1.1\r\n\r\n"), 403,
		       "IPv4 in IPv6");
		g_clear_pointer(&world->proxy, spk_proxy_stop);
	}
	assert_int_equal(wire_connections(world->wire), 0);
}

static void test_only_allowed_addresses_of_a_name_are_tried(void **state)
{
	World *world = *state;
	g_autofree char *mixed = rule(world, "mixed.test");
	const char *allow[] = { mixed, NULL };

	start(world, allow, 0, 0);
	expect(get(world, "mixed.test", "/"), 200, "GET /");
}

static void test_a_name_is_resolved_once(void **state)
{
	World *world = *state;
	g_autofree char *rebind = rule(world, "rebind.test");
	const char *allow[] = { rebind, NULL };

	start(world, allow, 0, 0);
	for (int i = 0; i < 3; i++)
		expect(get(world, "rebind.test", "/"), 200, "GET /");
	assert_int_equal(g_atomic_int_get(&asked), 1);
}

static void test_unknown_name_and_dead_port(void **state)
{
	World *world = *state;
	g_autofree char *unknown = rule(world, "unknown.test");
	const char *allow[] = { unknown, "127.0.0.1", NULL };

	start(world, allow, 0, 0);
	expect(get(world, "unknown.test", "/"), 502, "no such name");
	expect(ask(world, "GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	       403, "loopback");
}

static void test_what_is_malformed_is_told(void **state)
{
	World *world = *state;
	const char *allow[] = { "good.test", NULL };

	start(world, allow, 0, 0);
	expect(ask(world, "GET / HTTP/1.1\r\nHost: good.test\r\n\r\n"), 400, "http://");
	expect(ask(world, "POST http://good.test/ HTTP/1.1\r\nHost: good.test\r\n"
			  "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	       400, "twice");
	assert_int_equal(wire_connections(world->wire), 0);
}

static void test_not_on_record_is_not_let_through(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };

	world->unwilling = TRUE;
	start(world, allow, 0, 0);
	expect(get(world, "good.test", "/"), 503, "put on record");
	assert_int_equal(wire_connections(world->wire), 0);
}

static void test_bytes_are_bounded(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };
	GString *big;

	start(world, allow, 200000, 0);
	big = get(world, "good.test", "/big");
	assert_true(big->len < 400000);
	g_string_free(big, TRUE);
	expect(get(world, "good.test", "/"), 403, "net_bytes");
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_non_null(strstr(world->told->str, "refused: cut off"));
}

static void test_requests_are_bounded(void **state)
{
	World *world = *state;
	const char *allow[] = { "good.test", NULL };
	GString *none;

	start(world, allow, 0, 3);
	expect(get(world, "a.test", "/"), 403, "not among");
	expect(get(world, "a.test", "/"), 403, "not among");
	expect(get(world, "a.test", "/"), 429, "too many requests");
	none = get(world, "a.test", "/");
	assert_int_equal(none->len, 0);
	g_string_free(none, TRUE);
}

static void test_many_at_once(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };
	int fds[200];

	/* more than are served at once, none of which says anything */
	start(world, allow, 0, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = dial(world);
	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	expect(get(world, "good.test", "/"), 200, "GET /");
}

static void test_end_with_an_open_tunnel(void **state)
{
	World *world = *state;
	g_autofree char *good = rule(world, "good.test");
	const char *allow[] = { good, NULL };
	g_autofree char *text = g_strdup_printf("CONNECT %s HTTP/1.1\r\n\r\n", good);
	spk_autofd int fd = -1;
	char part[256];

	start(world, allow, 0, 0);
	fd = dial(world);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	assert_true(read(fd, part, sizeof(part)) > 0);
	g_clear_pointer(&world->proxy, spk_proxy_stop);
	assert_string_equal(world->told->str,
			    "begins CONNECT good.test\nended CONNECT good.test\n");
	assert_int_equal(read(fd, part, sizeof(part)), 0);
}

static void test_long_path_of_the_socket(void **state)
{
	World *world = *state;
	g_autofree char *name = g_strnfill(100, 'n');
	g_autofree char *folder = g_build_filename(world->folder, name, name, NULL);

	assert_true(spk_fs_mkdirs(folder, 0700, NULL));
	g_free(world->socket);
	world->socket = g_build_filename(folder, "s", NULL);
	start(world, NULL, 0, 0);
	assert_int_equal(access(world->socket, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

const struct CMUnitTest proxy_tests[] = {
	TEST(test_nothing_without_a_rule),
	TEST(test_request_goes_through),
	TEST(test_tunnel),
	TEST(test_addresses_are_judged),
	TEST(test_only_allowed_addresses_of_a_name_are_tried),
	TEST(test_a_name_is_resolved_once),
	TEST(test_unknown_name_and_dead_port),
	TEST(test_what_is_malformed_is_told),
	TEST(test_not_on_record_is_not_let_through),
	TEST(test_bytes_are_bounded),
	TEST(test_requests_are_bounded),
	TEST(test_many_at_once),
	TEST(test_end_with_an_open_tunnel),
	TEST(test_long_path_of_the_socket),
};
const size_t n_proxy_tests = G_N_ELEMENTS(proxy_tests);
