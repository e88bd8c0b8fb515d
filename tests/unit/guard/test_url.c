#include "test_guard.h"

#include <string.h>

#include "guard/url.h"

typedef struct {
	const char *url, *rule;
	const char *words; /* in the reason; NULL: any */
} Row;

/* clang-format off */
static const Row refused[] = {
	/* every spelling of this machine */
	{ "http://127.0.0.1/", "url.private", "127.0.0.1, which is loopback" },
	{ "http://127.0.0.1", "url.private", "loopback" },
	{ "http://127.0.0.1:8080/x", "url.private", "loopback" },
	{ "HTTP://127.0.0.1/", "url.private", "loopback" },
	{ "https://127.255.255.254/", "url.private", "loopback" },
	{ "http://127.1/", "url.private", "\"127.1\" is another spelling of 127.0.0.1" },
	{ "http://127.0.1/", "url.private", "127.0.0.1" },
	{ "http://127.00.00.01/", "url.private", "127.0.0.1" },
	{ "http://0177.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://0177.1/", "url.private", "127.0.0.1" },
	{ "http://00177.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://0x7f.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://0x7f.1/", "url.private", "127.0.0.1" },
	{ "http://0X7F.1/", "url.private", "127.0.0.1" },
	{ "http://0x7f000001/", "url.private", "127.0.0.1" },
	{ "http://0x7F000001:80/", "url.private", "127.0.0.1" },
	{ "http://2130706433/", "url.private", "127.0.0.1" },
	{ "http://017700000001/", "url.private", "127.0.0.1" },
	{ "http://0x7f.0.0x0.01/", "url.private", "127.0.0.1" },
	{ "http://127.0.0.1./", "url.private", "127.0.0.1" },
	{ "http://127.1./", "url.private", "127.0.0.1" },
	{ "http://127.0.0.1../", "url.private", "127.0.0.1" },
	{ "http://2130706433./", "url.private", "127.0.0.1" },
	{ "http://127。0。0。1/", "url.private", "127.0.0.1" },
	{ "http://127｡0｡0｡1/", "url.private", "127.0.0.1" },
	{ "http://127．0．0．1/", "url.private", "127.0.0.1" },
	{ "http://１２７.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://①②⑦.⓪.⓪.①/", "url.private", "127.0.0.1" },
	{ "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/", "url.private", "127.0.0.1" },
	{ "http://١٢٧.٠.٠.١/", "url.private", "127.0.0.1" },
	{ "http://127.0.0.\xe2\x80\x8b" "1/", "url.private", "127.0.0.1" },
	{ "http://\xef\xbb\xbf" "127.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://%31%32%37.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://127%2e0%2e0%2e1/", "url.private", "127.0.0.1" },
	{ "http://%2531%2532%2537.0.0.1/", "url.private", "127.0.0.1" },
	{ "http://127.0.0.1%00.example.com/", "url.form", NULL },
	{ "http://127.0.0.1%20/", "url.private", "127.0.0.1" },
	{ "http://0/", "url.private", "0.0.0.0" },
	{ "http://0.0.0.0/", "url.private", "this host" },
	{ "http://0.0/", "url.private", "this host" },
	{ "http://0x0/", "url.private", "this host" },
	{ "http://00000000000/", "url.private", "this host" },
	{ "http://0.1.2.3/", "url.private", "this host" },
	{ "http://localhost/", "url.private", "is this machine" },
	{ "http://LOCALHOST/", "url.private", "is this machine" },
	{ "http://localhost./", "url.private", "is this machine" },
	{ "http://localhost:8080/", "url.private", "is this machine" },
	{ "http://foo.localhost/", "url.private", "is this machine" },
	{ "http://localhost.localdomain/", "url.private", "is this machine" },
	{ "http://ip6-localhost/", "url.private", "is this machine" },
	{ "http://ip6-loopback/", "url.private", "is this machine" },
	{ "http://ⓛocalhost/", "url.form", NULL },
	{ "http://lоcalhost/", "url.form", NULL }, /* a Cyrillic o */
	{ "http://local%68ost/", "url.form", NULL },
	{ "http://localtest.me/", "url.private", "leads to this machine" },
	{ "http://x.lvh.me/", "url.private", "leads to this machine" },
	{ "http://127.0.0.1.nip.io/", "url.private", "written in the name" },
	{ "http://10-0-0-1.sslip.io/", "url.private", "written in the name" },

	/* IPv6 */
	{ "http://[::1]/", "url.private", "::1, which is loopback" },
	{ "http://[::1]:8080/", "url.private", "loopback" },
	{ "http://[0:0:0:0:0:0:0:1]/", "url.private", "loopback" },
	{ "http://[0000::0001]/", "url.private", "loopback" },
	{ "http://[::]/", "url.private", NULL },
	{ "http://[::ffff:127.0.0.1]/", "url.private", "holds 127.0.0.1 (loopback)" },
	{ "http://[::ffff:7f00:1]/", "url.private", "holds 127.0.0.1 (loopback)" },
	{ "http://[::FFFF:169.254.169.254]/", "url.private", "holds 169.254.169.254 (link-local" },
	{ "http://[0:0:0:0:0:ffff:10.0.0.1]/", "url.private", "holds 10.0.0.1 (private)" },
	{ "http://[::ffff:0:127.0.0.1]/", "url.private", "holds 127.0.0.1" },
	{ "http://[::127.0.0.1]/", "url.private", "holds 127.0.0.1" },
	{ "http://[::ffff:8.8.8.8]/", "url.private", "holds 8.8.8.8" },
	{ "http://[64:ff9b::127.0.0.1]/", "url.private", "holds 127.0.0.1" },
	{ "http://[64:ff9b::a9fe:a9fe]/", "url.private", "holds 169.254.169.254" },
	{ "http://[64:ff9b:1::a00:1]/", "url.private", "holds 10.0.0.1" },
	{ "http://[2002:7f00:1::]/", "url.private", "holds 127.0.0.1" },
	{ "http://[2002:a9fe:a9fe::1]/", "url.private", "holds 169.254.169.254" },
	{ "http://[2002:c0a8:101::1]/", "url.private", "holds 192.168.1.1" },
	{ "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", "url.private", "holds 127.0.0.1" },
	{ "http://[2606:4700::5efe:10.0.0.1]/", "url.private", "IPv4 in IPv6" },
	{ "http://[2606:4700::200:5efe:10.0.0.1]/", "url.private", "IPv4 in IPv6" },
	{ "http://[fe80::1]/", "url.private", "link-local" },
	{ "http://[fe80::1%25eth0]/", "url.private", "fe80::1, which is link-local" },
	{ "http://[fe80::1%eth0]/", "url.private", "link-local" },
	{ "http://[::1%25lo]/", "url.private", "loopback" },
	{ "http://[fc00::1]/", "url.private", "private" },
	{ "http://[fd00:ec2::254]/", "url.private", "private" },
	{ "http://[fec0::1]/", "url.private", "private" },
	{ "http://[ff02::1]/", "url.private", "multicast" },
	{ "http://[100::1]/", "url.private", "discarded" },
	{ "http://[2001:db8::1]/", "url.private", "documentation" },
	{ "http://[4000::1]/", "url.private", "reserved" },
	{ "http://::1/", "url.private", "loopback" },
	{ "http://[::1/", "url.private", "loopback" },
	{ "http://::1]/", "url.private", "loopback" },
	{ "http://[[::1]]/", "url.private", "loopback" },
	{ "http://[127.0.0.1]/", "url.private", "127.0.0.1" },
	{ "http://[::1]x/", "url.private", "loopback" },
	{ "http://[::1].example.com/", "url.private", "loopback" },
	{ "http://[localhost]/", "url.form", NULL },
	{ "http://[v1.x]/", "url.form", NULL },
	{ "http://[]/", "url.form", NULL },
	{ "http://[/", "url.form", NULL },
	{ "http://]/", "url.form", NULL },

	/* networks that are not the internet */
	{ "http://10.0.0.1/", "url.private", "private" },
	{ "http://10.255.255.255/", "url.private", "private" },
	{ "http://10.1/", "url.private", "10.0.0.1" },
	{ "http://167772161/", "url.private", "10.0.0.1" },
	{ "http://0xa000001/", "url.private", "10.0.0.1" },
	{ "http://012.0.0.1/", "url.private", "10.0.0.1" },
	{ "http://172.16.0.1/", "url.private", "private" },
	{ "http://172.31.255.255/", "url.private", "private" },
	{ "http://192.168.0.1/", "url.private", "private" },
	{ "http://192.168.257/", "url.private", "192.168.1.1" },
	{ "http://0xc0a80101/", "url.private", "192.168.1.1" },
	{ "http://3232235777/", "url.private", "192.168.1.1" },
	{ "http://100.64.0.1/", "url.private", "provider" },
	{ "http://100.127.255.255/", "url.private", "provider" },
	{ "http://169.254.169.254/latest/meta-data/", "url.private", "metadata" },
	{ "http://169.254.43518/", "url.private", "169.254.169.254" },
	{ "http://2852039166/", "url.private", "169.254.169.254" },
	{ "http://0xa9fea9fe/", "url.private", "169.254.169.254" },
	{ "http://0251.0376.0251.0376/", "url.private", "169.254.169.254" },
	{ "http://0xA9.0xFE.0xA9.0xFE/", "url.private", "169.254.169.254" },
	{ "http://168.63.129.16/", "url.private", "metadata" },
	{ "http://224.0.0.1/", "url.private", "multicast" },
	{ "http://239.255.255.250:1900/", "url.private", "multicast" },
	{ "http://240.0.0.1/", "url.private", "reserved" },
	{ "http://255.255.255.255/", "url.private", "reserved" },
	{ "http://4294967295/", "url.private", "255.255.255.255" },
	{ "http://198.18.0.1/", "url.private", "benchmarks" },
	{ "http://192.0.2.1/", "url.private", "documentation" },
	{ "http://192.0.0.192/", "url.private", "reserved" },
	{ "http://192.88.99.1/", "url.private", "6to4" },
	{ "http://metadata.google.internal/", "url.private", "cloud" },
	{ "http://host.docker.internal:2375/", "url.private", "container" },
	{ "http://kubernetes.default.svc/", "url.private", "cluster" },
	{ "http://kubernetes/", "url.private", "no dot" },
	{ "http://metadata/", "url.private", "no dot" },
	{ "http://printer.local/", "url.private", "local network" },
	{ "http://router.lan/", "url.private", "local network" },
	{ "http://nas.home.arpa/", "url.private", "local network" },
	{ "http://1.0.0.127.in-addr.arpa/", "url.private", "backwards" },
	{ "http://abc.onion/", "url.private", "DNS" },

	/* of the internet, and yet not written so */
	{ "http://134744072/", "url.spelling", "8.8.8.8" },
	{ "http://0x08080808/", "url.spelling", "8.8.8.8" },
	{ "http://8.8.2056/", "url.spelling", "8.8.8.8" },
	{ "http://010.8.8.8/", "url.spelling", "8.8.8.8" },
	{ "http://8.8.8.8./", "url.spelling", "8.8.8.8" },
	{ "http://8。8。8。8/", "url.spelling", "8.8.8.8" },
	{ "http://[8.8.8.8]/", "url.spelling", "8.8.8.8" },
	{ "http://2606:4700::1111/", "url.spelling", "2606:4700::1111" },
	{ "http://127.0.0.256/", "url.form", "number" },
	{ "http://1.2.3.4.5/", "url.form", "number" },
	{ "http://4294967296/", "url.form", "number" },
	{ "http://example.0x7f/", "url.form", "number" },
	{ "http://example.1/", "url.form", "number" },

	/* a user name in front */
	{ "http://good.org@169.254.169.254/", "url.userinfo", "really is 169.254.169.254: 169.254.169.254, which is link-local" },
	{ "http://good.org:80@127.0.0.1/", "url.userinfo", "127.0.0.1, which is loopback" },
	{ "http://good.org@0x7f.1/", "url.userinfo", "127.0.0.1, which is loopback" },
	{ "http://good.org@[::1]/", "url.userinfo", "loopback" },
	{ "http://good.org@evil.org/", "url.userinfo", "really is evil.org" },
	{ "http://a@b@evil.org/", "url.userinfo", "really is evil.org" },
	{ "http://good.org:pass@evil.org:80@evil2.org/", "url.userinfo", "evil2.org" },
	{ "http://@evil.org/", "url.userinfo", "evil.org" },
	{ "http://good.org@/", "url.userinfo", NULL },
	{ "https://token@github.com/x.git", "url.userinfo", "github.com" },
	{ "http://good.org%40evil.org/", "url.form", NULL },
	{ "http://good.org?@evil.org/", "url.form", "where the host ends" },
	{ "http://good.org#@evil.org/", "url.form", "where the host ends" },
	{ "http://good.org?x=1@127.0.0.1", "url.form", "where the host ends" },

	/* bytes that clients drop, escape or take for others */
	{ "http://good.org\\@evil.org/", "url.form", "backslash" },
	{ "http:\\\\good.org/", "url.form", "backslash" },
	{ "http://good.org\\.evil.org/", "url.form", "backslash" },
	{ "http://evil.org\\/good.org", "url.form", "backslash" },
	{ "http://good.org/\\..\\x", "url.form", "backslash" },
	{ "http://127.0.0.1\t/", "url.form", "control" },
	{ "http://127.0.\n0.1/", "url.form", "control" },
	{ "http://good.org/\r\nHost: evil", "url.form", "control" },
	{ "ht\ntp://good.org/", "url.form", "control" },
	{ "\thttp://good.org/", "url.form", "control" },
	{ " http://good.org/", "url.form", "blank" },
	{ "http://good.org /", "url.form", "blank" },
	{ "http://good.org/a b", "url.form", "blank" },
	{ "http://good.org/\x7f", "url.form", "control" },
	{ "http://good.org/\x1b[2J", "url.form", "control" },
	{ "http://good.org/\xff", "url.form", "UTF-8" },
	{ "http://good.org\xe3\x80\x82" "evil.org/", "url.form", NULL },
	{ "http://good.org／evil.org/", "url.form", NULL },
	{ "http://good.org？evil.org/", "url.form", NULL },
	{ "http://good.org＃evil.org/", "url.form", NULL },
	{ "http://good.org＠evil.org/", "url.form", NULL },
	{ "http://good.org：80/", "url.form", NULL },
	{ "http://exämple.org/", "url.form", NULL },
	{ "http://gοοgle.com/", "url.form", NULL }, /* Greek letters */
	{ "http://exa\xc2\xadmple.org/", "url.form", NULL },
	{ "http://good.org\xe2\x80\xae/", "url.form", NULL },
	{ "http://good%2eorg/", "url.form", NULL },
	{ "http://good.org%2fevil.org/", "url.form", NULL },
	{ "http://%67ood.org/", "url.form", NULL },
	{ "http://{good,evil}.org/", "url.form", NULL },
	{ "http://good.org{,.evil.org}/", "url.form", NULL },
	{ "http://[1-9].org/", "url.form", NULL },
	{ "http://$HOST/", "url.form", NULL },
	{ "http://good.org;evil.org/", "url.form", NULL },
	{ "http://good.org,evil.org/", "url.form", NULL },
	{ "http://good.org&@evil.org/", "url.userinfo", "evil.org" },
	{ "http://good.org*/", "url.form", NULL },
	{ "http://<good.org>/", "url.form", NULL },
	{ "http://good..org/", "url.form", "empty" },
	{ "http://.good.org/", "url.form", "empty" },
	{ "http://./", "url.form", NULL },
	{ "http://-good.org/", "url.form", "hyphen" },
	{ "http://xn--/", "url.form", NULL },
	{ "http://xn--a.org/", "url.spelling", "coded form of no name" },
	{ "http://xn--good-.org/", "url.form", NULL },

	/* ports, hosts and schemes */
	{ "http://good.org:/", "url.form", "port" },
	{ "http://good.org:0/", "url.form", "port" },
	{ "http://good.org:65536/", "url.form", "port" },
	{ "http://good.org:99999999999/", "url.form", "port" },
	{ "http://good.org:+80/", "url.form", "port" },
	{ "http://good.org:-1/", "url.form", "port" },
	{ "http://good.org:080/", "url.form", "port" },
	{ "http://good.org:80:90/", "url.form", "port" },
	{ "http://good.org:8o/", "url.form", "port" },
	{ "http://good.org:0x50/", "url.form", "port" },
	{ "http://127.0.0.1:99999/", "url.private", "loopback" },
	{ "http:///", "url.form", "no host" },
	{ "http:///good.org/", "url.form", "no host" },
	{ "http:////good.org/", "url.form", "no host" },
	{ "http://", "url.form", "no host" },
	{ "http://:80/", "url.form", NULL },
	{ "http://?x", "url.form", "no host" },
	{ "http:/good.org/", "url.form", "http://" },
	{ "http:good.org", "url.form", "http://" },
	{ "http", "url.form", "http://" },
	{ "", "url.form", "http://" },
	{ "/", "url.form", "http://" },
	{ "//good.org/", "url.form", "http://" },
	{ "good.org", "url.form", "http://" },
	{ "good.org/x", "url.form", "http://" },
	{ "127.0.0.1:80", "url.form", "http://" },
	{ "://good.org/", "url.scheme", NULL },
	{ "file:///etc/passwd", "url.scheme", "URL of file" },
	{ "FILE:///etc/passwd", "url.scheme", "URL of file" },
	{ "ftp://good.org/", "url.scheme", "URL of ftp" },
	{ "gopher://127.0.0.1:6379/_x", "url.scheme", "URL of gopher" },
	{ "dict://127.0.0.1:11211/", "url.scheme", "URL of dict" },
	{ "ldap://10.0.0.1/", "url.scheme", "URL of ldap" },
	{ "ssh://git@github.com/x", "url.scheme", "URL of ssh" },
	{ "ws://good.org/", "url.scheme", "URL of ws" },
	{ "unix:///var/run/docker.sock", "url.scheme", "URL of unix" },
	{ "javascript:alert(1)", "url.form", "http://" },
	{ "data:text/html,x", "url.form", "http://" },
	{ "jar:http://good.org!/", "url.form", NULL },
	{ "view-source:http://good.org/", "url.form", NULL },
	{ "httpx://good.org/", "url.scheme", "httpx" },
	{ "http+unix://x/", "url.scheme", NULL },
};

/* What is asked for, with the host that the question names. */
static const Row asked[] = {
	{ "http://good.org", "url.host", "good.org:80 is not among" },
	{ "https://good.org", "url.host", "good.org:443" },
	{ "https://GOOD.org/", "url.host", "good.org:443" },
	{ "https://good.org./", "url.host", "good.org:443" },
	{ "https://good.org:8443/x?y#z", "url.host", "good.org:8443" },
	{ "https://good.org/@evil.org", "url.host", "good.org:443" },
	{ "https://good.org/?u=a@b.c", "url.host", "good.org:443" },
	{ "https://good.org/#@evil.org", "url.host", "good.org:443" },
	{ "https://good.org/http://127.0.0.1/", "url.host", "good.org:443" },
	{ "https://good.org?x=1", "url.host", "good.org:443" },
	{ "https://good.org/ünïcode/", "url.host", "good.org:443" },
	{ "https://good.org/%2e%2e/%00", "url.host", "good.org:443" },
	{ "https://sub_domain.good.org/", "url.host", "sub_domain.good.org:443" },
	{ "https://127.0.0.1.example.com/", "url.host", "127.0.0.1.example.com" },
	{ "https://localhost.example.com/", "url.host", "localhost.example.com" },
	{ "https://8.8.8.8/", "url.host", "8.8.8.8:443" },
	{ "https://172.32.0.1/", "url.host", "172.32.0.1:443" },
	{ "https://100.128.0.1/", "url.host", "100.128.0.1:443" },
	{ "https://[2606:4700::1111]/", "url.host", "[2606:4700::1111]:443" },
	{ "https://xn--bcher-kva.example.com/", "url.host", "shown as \"bücher.example.com\"" },
	{ "https://xn--pple-43d.com/", "url.host", "shown as \"аpple.com\"" },
	{ "https://0x7f.example.com/", "url.host", "0x7f.example.com" },
	{ "https://dead.beef.example.com/", "url.host", "dead.beef.example.com" },
};
/* clang-format on */

static void check(const Row *row, SpkLawVerdict verdict, const SpkAllow *allow)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_url_judge(row->url, allow, &decision);
	if (decision.verdict != verdict || g_strcmp0(decision.rule, row->rule))
		fail_msg("%s: %s by %s (%s), wanted %s by %s", row->url,
			 spk_law_name(decision.verdict), decision.rule, decision.why,
			 spk_law_name(verdict), row->rule);
	if (row->words && !strstr(decision.why, row->words))
		fail_msg("%s: \"%s\" does not say \"%s\"", row->url, decision.why,
			 row->words);
	assert_true(g_utf8_validate(decision.why, -1, NULL));
	for (const char *at = decision.why; *at; at++)
		assert_false(g_ascii_iscntrl(*at));
}

static void refuses(void **state)
{
	g_autoptr(SpkAllow) other = spk_allow_new(
		(const char *const[]){ "registry.example.com", NULL }, NULL, NULL);

	assert_true(G_N_ELEMENTS(refused) >= 150);
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		check(&refused[i], SPK_LAW_DENY, NULL);
		check(&refused[i], SPK_LAW_DENY, other);
	}
}

static void asks(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++)
		check(&asked[i], SPK_LAW_ASK, NULL);
}

static void allows_what_the_operator_names(void **state)
{
	static const char *const hosts[] = { "good.org",
					     "*.wild.org",
					     "port.org:8443",
					     "127.0.0.1:8080",
					     "localhost:3000",
					     "10.0.0.1:80",
					     NULL };
	static const char *const addresses[] = { "127.0.0.1:8080", NULL };
	static const Row yes[] = {
		{ "https://good.org/x", "operator.allow", "good.org:443" },
		{ "http://GOOD.ORG./x", "operator.allow", "good.org:80" },
		{ "https://a.wild.org/", "operator.allow", NULL },
		{ "https://port.org:8443/", "operator.allow", NULL },
		{ "http://127.0.0.1:8080/", "operator.allow", NULL },
		{ "http://localhost:3000/", "operator.allow", NULL },
	};
	static const Row ask[] = {
		{ "https://good.org:8443/", "url.host", NULL },
		{ "https://wild.org/", "url.host", NULL },
		{ "https://port.org/", "url.host", NULL },
		{ "https://good.org.evil.org/", "url.host", NULL },
	};
	static const Row no[] = {
		{ "http://127.0.0.1:8081/", "url.private", NULL },
		{ "http://127.1:8080/", "url.private", NULL },
		{ "http://[::ffff:127.0.0.1]:8080/", "url.private", NULL },
		{ "http://10.0.0.1/", "url.private", NULL },
		{ "http://localhost/", "url.private", NULL },
		{ "http://x@good.org/", "url.userinfo", NULL },
		{ "ftp://good.org/", "url.scheme", NULL },
	};
	g_autoptr(SpkAllow) allow = spk_allow_new(hosts, addresses, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
		check(&yes[i], SPK_LAW_ALLOW, allow);
	for (gsize i = 0; i < G_N_ELEMENTS(ask); i++)
		check(&ask[i], SPK_LAW_ASK, allow);
	for (gsize i = 0; i < G_N_ELEMENTS(no); i++)
		check(&no[i], SPK_LAW_DENY, allow);
}

/* Keys travel in user names, paths and queries: none is repeated. */
static void tells_no_secret(void **state)
{
	static const char *const urls[] = {
		"https://canary:canary@good.org/",
		"https://good.org/canary",
		"https://good.org/?key=canary",
		"https://127.0.0.1/canary?canary#canary",
		"https://good.org?canary@canary/x",
		"https://good.org/canary canary",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_auto(SpkDecision) decision = { 0 };
		g_autofree char *text = NULL;
		json_t *json;

		spk_url_judge(urls[i], NULL, &decision);
		json = spk_decision_to_json(&decision);
		text = json_dumps(json, 0);
		json_decref(json);
		if (strstr(text, "canary"))
			fail_msg("%s: %s", urls[i], text);
	}
}

static void long_ones(void **state)
{
	g_autofree char *fill = g_strnfill(300000, 'a');
	g_autofree char *url = g_strconcat("http://", fill, NULL);
	g_autofree char *scheme = g_strconcat(fill, "://x", NULL);
	g_auto(SpkDecision) decision = { 0 };

	spk_url_judge(url, NULL, &decision);
	assert_string_equal(decision.rule, "url.form");
	spk_url_judge(scheme, NULL, &decision);
	assert_string_equal(decision.rule, "url.form");
	url[8000] = '\0';
	spk_url_judge(url, NULL, &decision);
	assert_string_equal(decision.rule, "url.form");
	assert_true(strlen(decision.why) < 500);
}

static void hosts(void **state)
{
	static const struct {
		const char *host;
		guint16 port;
		SpkLawVerdict verdict;
		const char *rule;
	} rows[] = {
		{ "good.org", 22, SPK_LAW_ASK, "url.host" },
		{ "good.org:22", 1, SPK_LAW_ALLOW, "operator.allow" },
		{ "good.org:23", 22, SPK_LAW_ASK, "url.host" },
		{ "127.1", 22, SPK_LAW_DENY, "url.private" },
		{ "git@good.org", 22, SPK_LAW_DENY, "url.userinfo" },
		{ "good.org/x", 22, SPK_LAW_DENY, "url.form" },
		{ "-oProxyCommand=x", 22, SPK_LAW_DENY, "url.form" },
		{ "", 22, SPK_LAW_DENY, "url.form" },
	};
	g_autoptr(SpkAllow) allow =
		spk_allow_new((const char *const[]){ "good.org:22", NULL }, NULL, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SpkDecision) decision = { 0 };
		const SpkAllow *by = rows[i].verdict == SPK_LAW_ALLOW ? allow : NULL;

		spk_host_judge(rows[i].host, rows[i].port, by, &decision);
		if (decision.verdict != rows[i].verdict ||
		    g_strcmp0(decision.rule, rows[i].rule))
			fail_msg("%s: %s by %s", rows[i].host,
				 spk_law_name(decision.verdict), decision.rule);
	}
}

static void endpoints(void **state)
{
	SpkEndpoint to;

	assert_true(spk_url_endpoint("https://Good.org/x", &to));
	assert_string_equal(to.name, "good.org");
	assert_int_equal(to.port, 443);
	assert_true(spk_url_endpoint("http://127.0.0.1:1", &to) && to.is_address);
	assert_false(spk_url_endpoint("http://127.1/", &to));
	assert_false(spk_url_endpoint("ftp://good.org/", &to));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses),
	cmocka_unit_test(asks),
	cmocka_unit_test(allows_what_the_operator_names),
	cmocka_unit_test(tells_no_secret),
	cmocka_unit_test(long_ones),
	cmocka_unit_test(hosts),
	cmocka_unit_test(endpoints),
};
SUITE(url_suite, tests);
