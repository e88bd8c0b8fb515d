#include "test_net.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/allow.h"

/* ---- what an address is ---- */

/* clang-format off */
static const struct {
	const char *address, *what; /* a word of it; NULL: of the internet */
} judged[] = {
	{ "8.8.8.8", NULL }, { "1.1.1.1", NULL }, { "9.255.255.255", NULL }, { "11.0.0.0", NULL },
	{ "100.63.255.255", NULL }, { "100.128.0.0", NULL }, { "126.255.255.255", NULL },
	{ "128.0.0.0", NULL }, { "169.253.255.255", NULL }, { "169.255.0.0", NULL },
	{ "172.15.255.255", NULL }, { "172.32.0.0", NULL }, { "192.167.255.255", NULL },
	{ "192.169.0.0", NULL }, { "198.17.255.255", NULL }, { "198.20.0.0", NULL },
	{ "223.255.255.255", NULL }, { "168.63.129.15", NULL }, { "168.63.129.17", NULL },
	{ "2606:4700::1111", NULL }, { "2a00:1450:4001::200e", NULL }, { "2001:4860:4860::8888", NULL },
	{ "2003::1", NULL }, { "2001:200::1", NULL },

	{ "0.0.0.0", "this host" }, { "0.255.255.255", "this host" },
	{ "10.0.0.0", "private" }, { "10.255.255.255", "private" },
	{ "100.64.0.0", "private" }, { "100.100.100.200", "private" }, { "100.127.255.255", "private" },
	{ "127.0.0.0", "loopback" }, { "127.0.0.1", "loopback" }, { "127.255.255.255", "loopback" },
	{ "168.63.129.16", "metadata" },
	{ "169.254.169.254", "link-local" }, { "169.254.170.2", "link-local" },
	{ "172.16.0.0", "private" }, { "172.31.255.255", "private" },
	{ "192.0.0.192", "reserved" }, { "192.0.2.1", "documentation" },
	{ "192.88.99.1", "6to4" },
	{ "192.168.0.0", "private" }, { "192.168.255.255", "private" },
	{ "198.18.0.1", "benchmarks" }, { "198.19.255.255", "benchmarks" },
	{ "198.51.100.7", "documentation" }, { "203.0.113.7", "documentation" },
	{ "224.0.0.1", "multicast" }, { "239.255.255.255", "multicast" },
	{ "240.0.0.1", "reserved" }, { "255.255.255.255", "reserved" },

	{ "::", "IPv4 in IPv6" }, { "::1", "loopback" }, { "::7f00:1", "IPv4 in IPv6" },
	{ "::127.0.0.1", "IPv4 in IPv6" }, { "::8.8.8.8", "IPv4 in IPv6" },
	{ "::ffff:127.0.0.1", "IPv4 in IPv6" }, { "::ffff:7f00:1", "IPv4 in IPv6" },
	{ "::ffff:8.8.8.8", "IPv4 in IPv6" }, { "0:0:0:0:0:ffff:a9fe:a9fe", "IPv4 in IPv6" },
	{ "::ffff:0:127.0.0.1", "IPv4 in IPv6" },
	{ "64:ff9b::7f00:1", "NAT64" }, { "64:ff9b::8.8.8.8", "NAT64" }, { "64:ff9b:1::a00:1", "NAT64" },
	{ "64:ff9b:2::1", "reserved" },
	{ "2002:7f00:1::", "6to4" }, { "2002:808:808::1", "6to4" },
	{ "2001::1", "Teredo" }, { "2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo" },
	{ "2001:10::1", "reserved" }, { "2001:20::1", "reserved" }, { "2001:1ff::", "reserved" },
	{ "2001:db8::1", "documentation" }, { "3fff::1", "documentation" },
	{ "100::1", "discarded" }, { "4000::1", "reserved" }, { "5f00::1", "reserved" },
	{ "fc00::1", "private" }, { "fd00:ec2::254", "private" }, { "fdff:ffff::1", "private" },
	{ "fe80::1", "link-local" }, { "febf::1", "link-local" }, { "fec0::1", "private" },
	{ "ff02::1", "multicast" }, { "ff0e::1", "multicast" },
	{ "2a00:1450::5efe:7f00:1", "IPv4 in IPv6" }, { "2a00:1450::200:5efe:7f00:1", "IPv4 in IPv6" },
};

/* Spellings that some resolver takes for an address, and names that are none. */
static const char *const refused[] = {
	"", ".", "..", ":80", "a..b", ".a", "-a.b", "a-.b", "a b", "a\tb", "a/b", "a@b", "user:pw@a",
	"a%2eb", "a%00b", "127%2e0%2e0%2e1", "127.1", "127.0.1", "127.0.0.1.1", "127.0.0.256", "0177.0.0.1", "127.0.0.01",
	"0x7f.0.0.1", "0x7f.1", "0X7F000001", "2130706433", "017700000001", "0", "1", "0x", "a.1", "a.0x7f", "1.2.3", "256.256.256.256",
	"1e3.1.1.0x1", "999999999999", "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "\xe2\x91\xa0.0.0.1", "ex\xc3\xa4mple.com",
	"127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1",
	"[", "]", "[]", "[::1", "::1", "::1]", "[::1]x", "[::1]:", "[::1]:0", "[::1%lo]", "[::1%25lo]", "[fe80::1%eth0]:80", "[127.0.0.1]",
	"[::ffff:127.0.0.1.]", "[v1.a]", "[1:2:3:4:5:6:7:8:9]", "[::1].", "a:", "a:0", "a:00080", "a:080", "a:65536", "a:99999", "a:100000", "a:-1", "a:+1", "a: 80", "a:8o",
	"a:80:80", "a:0x50", "a,b", "a;b", "a\\b", "a?b", "a#b", "*", "*.a", "a\nb", "a\rb", "http://a",
};

static const struct {
	const char *text, *name;
	guint16 port;
	gboolean is_address;
} taken[] = {
	{ "example.com", "example.com", 0, FALSE },
	{ "EXAMPLE.Com.:8080", "example.com", 8080, FALSE },
	{ "a", "a", 0, FALSE }, { "localhost", "localhost", 0, FALSE }, { "1a.2b", "1a.2b", 0, FALSE },
	{ "1.2.3.com", "1.2.3.com", 0, FALSE }, { "xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai", 0, FALSE },
	{ "_dmarc.a_b.de:1", "_dmarc.a_b.de", 1, FALSE }, { "0x7f.com", "0x7f.com", 0, FALSE }, { "0xg", "0xg", 0, FALSE },
	{ "127.0.0.1:65535", "127.0.0.1", 65535, TRUE }, { "127.0.0.1.", "127.0.0.1", 0, TRUE },
	{ "[::1]", "::1", 0, TRUE }, { "[2001:DB8::1]:443", "2001:db8::1", 443, TRUE },
	{ "[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, TRUE },
};
/* clang-format on */

static void test_addresses(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(judged); i++) {
		SpkAddress address;
		const char *what;

		if (!spk_address_parse(judged[i].address, &address))
			fail_msg("%s is an address", judged[i].address);
		what = spk_address_special(&address);
		if (!judged[i].what != !what || (what && !strstr(what, judged[i].what)))
			fail_msg("%s: %s", judged[i].address, what ? what : "internet");
	}
}

static void test_unusual_spellings_are_refused(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;
		SpkEndpoint endpoint;

		if (spk_endpoint_parse(refused[i], strlen(refused[i]), &endpoint, &error))
			fail_msg("\"%s\" was taken for %s", refused[i], endpoint.name);
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
	assert_false(spk_endpoint_parse("a\0b", 3, &(SpkEndpoint){ 0 }, NULL));
}

static void test_endpoints(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
		g_autoptr(GError) error = NULL;
		SpkEndpoint endpoint;

		if (!spk_endpoint_parse(taken[i].text, strlen(taken[i].text), &endpoint,
					&error))
			fail_msg("%s", error->message);
		assert_string_equal(endpoint.name, taken[i].name);
		assert_int_equal(endpoint.port, taken[i].port);
		assert_int_equal(endpoint.is_address, taken[i].is_address);
	}
}

static void test_long_names(void **state)
{
	g_autofree char *label = g_strnfill(64, 'a');
	g_autofree char *name = g_strnfill(255, 'a');
	SpkEndpoint endpoint;

	assert_false(spk_endpoint_parse(label, 64, &endpoint, NULL));
	assert_true(spk_endpoint_parse(label, 63, &endpoint, NULL));
	for (gsize i = 50; i < 255; i += 50)
		name[i] = '.';
	assert_true(spk_endpoint_parse(name, 253, &endpoint, NULL));
	assert_false(spk_endpoint_parse(name, 255, &endpoint, NULL));
}

static void test_sockaddr_and_back(void **state)
{
	static const char *const texts[] = { "192.0.2.7:80", "[2001:db8::7]:443" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct sockaddr_storage space;
		char text[SPK_ENDPOINT_TEXT];
		SpkEndpoint endpoint;
		SpkAddress back;

		assert_true(
			spk_endpoint_parse(texts[i], strlen(texts[i]), &endpoint, NULL));
		spk_address_to_sockaddr(&endpoint.address, endpoint.port, &space);
		assert_true(spk_address_from_sockaddr((struct sockaddr *)&space, &back));
		assert_true(spk_address_equal(&endpoint.address, &back));
		spk_address_print(&back, endpoint.port, text);
		assert_string_equal(text, texts[i]);
	}
}

/* ---- rules ---- */

static gboolean allows(const SpkAllow *allow, const char *text)
{
	SpkEndpoint endpoint;

	assert_true(spk_endpoint_parse(text, strlen(text), &endpoint, NULL));
	return spk_allow_host(allow, &endpoint);
}

static void test_rules_of_hosts(void **state)
{
	static const char *const hosts[] = { "example.com",
					     "Api.example.org:8443",
					     "*.example.net",
					     "*.cdn.example.net:9000",
					     "192.0.2.1:81",
					     "[2001:db8::1]",
					     NULL };
	static const char *const yes[] = {
		"example.com:80",   "EXAMPLE.COM.:443",	   "api.example.org:8443",
		"a.example.net:80", "a.b.example.net:443", "x.cdn.example.net:9000",
		"192.0.2.1:81",	    "[2001:db8:0::1]:443",
	};
	static const char *const no[] = {
		"example.com:8080", "www.example.com:80",     "api.example.org:443",
		"example.net:80",   "badexample.net:80",      "a.example.net:9000",
		"192.0.2.1:80",	    "192.0.2.2:81",	      "[2001:db8::2]:443",
		"com:80",	    "example.com.evil.de:80", "cdn.example.net:9000",
	};
	g_autoptr(SpkAllow) allow = spk_allow_new(hosts, NULL, NULL);

	assert_non_null(allow);
	assert_false(spk_allow_is_empty(allow));
	for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
		if (!allows(allow, yes[i]))
			fail_msg("%s is allowed", yes[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(no); i++)
		if (allows(allow, no[i]))
			fail_msg("%s is not allowed", no[i]);
	assert_true(spk_allow_knows(allow, "api.example.org"));
	assert_false(spk_allow_knows(allow, "localhost"));
}

static void test_nothing_is_allowed_by_default(void **state)
{
	g_autoptr(SpkAllow) allow = spk_allow_new(NULL, NULL, NULL);

	assert_true(spk_allow_is_empty(allow));
	assert_false(allows(allow, "example.com:80"));
}

static void test_sets_of_registries(void **state)
{
	static const char *const one[] = { "@pypi", NULL },
				 *const all[] = { "@registries", NULL },
				 *const none[] = { "@nmp", NULL };
	g_autoptr(SpkAllow) pypi = spk_allow_new(one, NULL, NULL);
	g_autoptr(SpkAllow) every = spk_allow_new(all, NULL, NULL);
	g_autoptr(GError) error = NULL;

	assert_true(allows(pypi, "files.pythonhosted.org:443"));
	assert_false(allows(pypi, "pypi.org:80"));
	assert_false(allows(pypi, "registry.npmjs.org:443"));
	assert_true(allows(every, "registry.npmjs.org:443"));
	assert_true(allows(every, "static.crates.io:443"));
	assert_false(allows(every, "example.com:443"));
	assert_null(spk_allow_new(none, NULL, &error));
	assert_non_null(strstr(error->message, "did you mean \"@npm\""));
}

static const char *refusal(const SpkAllow *allow, const char *text)
{
	SpkEndpoint endpoint;

	assert_true(spk_endpoint_parse(text, strlen(text), &endpoint, NULL));
	return spk_allow_refuses(allow, &endpoint.address, endpoint.port);
}

static void test_private_only_by_address_and_port(void **state)
{
	static const char *const addresses[] = { "127.0.0.1:8080", "[fd00::1]:443",
						 NULL };
	g_autoptr(SpkAllow) allow = spk_allow_new(NULL, addresses, NULL);

	assert_null(refusal(allow, "127.0.0.1:8080"));
	assert_null(refusal(allow, "[fd00::1]:443"));
	assert_null(refusal(allow, "8.8.8.8:53"));
	assert_string_equal(refusal(allow, "127.0.0.1:8081"), "loopback");
	assert_string_equal(refusal(allow, "127.0.0.2:8080"), "loopback");
	assert_non_null(refusal(allow, "[::ffff:127.0.0.1]:8080"));
	assert_non_null(refusal(allow, "[64:ff9b::7f00:1]:8080"));
	assert_string_equal(refusal(allow, "[fd00::2]:443"), "private");
}

static void test_rules_that_are_none(void **state)
{
	static const char *const hosts[] = { "*",     "*.com", "*.127.0.0.1",
					     "*.",    "a b",   "http://a",
					     "127.1", "a:0",   "" };
	static const char *const addresses[] = { "127.0.0.1", "localhost:80",
						 "10.0.0.0/8:80", "[::1]", "*" };

	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		const char *const list[] = { hosts[i], NULL };
		g_autoptr(GError) error = NULL;

		assert_null(spk_allow_new(list, NULL, &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
		assert_non_null(spk_error_hint(error));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		const char *const list[] = { addresses[i], NULL };

		assert_null(spk_allow_new(NULL, list, NULL));
	}
}

const struct CMUnitTest address_tests[] = {
	cmocka_unit_test(test_addresses),
	cmocka_unit_test(test_unusual_spellings_are_refused),
	cmocka_unit_test(test_endpoints),
	cmocka_unit_test(test_long_names),
	cmocka_unit_test(test_sockaddr_and_back),
	cmocka_unit_test(test_rules_of_hosts),
	cmocka_unit_test(test_nothing_is_allowed_by_default),
	cmocka_unit_test(test_sets_of_registries),
	cmocka_unit_test(test_private_only_by_address_and_port),
	cmocka_unit_test(test_rules_that_are_none),
};
const size_t n_address_tests = G_N_ELEMENTS(address_tests);
