#include "net/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

#define SHOWN_MAX 80 /* bytes of a bad host in an error */

typedef struct {
	const char *net;
	guint bits;
	const char *what;
} Range;

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const Range ranges_v4[] = {
	{ "0.0.0.0", 8, "this host" },
	{ "10.0.0.0", 8, "private" },
	{ "100.64.0.0", 10, "private (shared by a provider's customers)" },
	{ "127.0.0.0", 8, "loopback" },
	{ "168.63.129.16", 32, "a cloud's metadata" },
	{ "169.254.0.0", 16, "link-local (clouds have their metadata there)" },
	{ "172.16.0.0", 12, "private" },
	{ "192.0.0.0", 24, "reserved" },
	{ "192.0.2.0", 24, "for documentation" },
	{ "192.88.99.0", 24, "6to4" },
	{ "192.168.0.0", 16, "private" },
	{ "198.18.0.0", 15, "for benchmarks" },
	{ "198.51.100.0", 24, "for documentation" },
	{ "203.0.113.0", 24, "for documentation" },
	{ "224.0.0.0", 4, "multicast" },
	{ "240.0.0.0", 4, "reserved" },
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry; what none of these and
 * `global_v6` covers is not assigned to anybody. */
static const Range ranges_v6[] = {
	{ "::1", 128, "loopback" },
	{ "::ffff:0:0", 96, "IPv4 in IPv6" },
	{ "::ffff:0:0:0", 96, "IPv4 in IPv6" },
	{ "::", 96, "IPv4 in IPv6" },
	{ "64:ff9b::", 96, "NAT64" },
	{ "64:ff9b:1::", 48, "NAT64" },
	{ "100::", 64, "discarded" },
	{ "2001::", 32, "Teredo" },
	{ "2001::", 23, "reserved" },
	{ "2001:db8::", 32, "for documentation" },
	{ "2002::", 16, "6to4" },
	{ "3fff::", 20, "for documentation" },
	{ "fc00::", 7, "private" },
	{ "fe80::", 10, "link-local" },
	{ "fec0::", 10, "private (site-local)" },
	{ "ff00::", 8, "multicast" },
};

static const Range global_v6 = { "2000::", 3, NULL };

/* ISATAP (RFC 5214): the second half of an address is one of these and an IPv4 address. */
static const guint8 isatap[2][4] = { { 0, 0, 0x5e, 0xfe }, { 2, 0, 0x5e, 0xfe } };

static gsize size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static gboolean is_in(const SpkAddress *address, const Range *range)
{
	guint8 net[16];
	guint whole = range->bits / 8, rest = range->bits % 8;

	g_assert(inet_pton(address->family, range->net, net) == 1);
	if (memcmp(address->bytes, net, whole) != 0)
		return FALSE;
	return !rest || (address->bytes[whole] ^ net[whole]) >> (8 - rest) == 0;
}

static const char *find(const SpkAddress *address, const Range *ranges, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (is_in(address, &ranges[i]))
			return ranges[i].what;
	return NULL;
}

const char *spk_address_special(const SpkAddress *address)
{
	const char *what;

	if (address->family == AF_INET)
		return find(address, ranges_v4, G_N_ELEMENTS(ranges_v4));
	what = find(address, ranges_v6, G_N_ELEMENTS(ranges_v6));
	for (gsize i = 0; !what && i < G_N_ELEMENTS(isatap); i++)
		if (memcmp(address->bytes + 8, isatap[i], 4) == 0)
			what = "IPv4 in IPv6";
	if (!what && !is_in(address, &global_v6))
		what = "reserved";
	return what;
}

gboolean spk_address_is_own(const SpkAddress *address)
{
	struct ifaddrs *all = NULL;
	gboolean own = FALSE;

	if (getifaddrs(&all) < 0)
		return FALSE;
	for (struct ifaddrs *one = all; one && !own; one = one->ifa_next) {
		SpkAddress here;

		own = one->ifa_addr && spk_address_from_sockaddr(one->ifa_addr, &here) &&
		      spk_address_equal(&here, address);
	}
	freeifaddrs(all);
	return own;
}

gboolean spk_address_parse(const char *text, SpkAddress *ret_address)
{
	SpkAddress address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(address.family, text, address.bytes) != 1)
		return FALSE;
	*ret_address = address;
	return TRUE;
}

gboolean spk_address_from_sockaddr(const struct sockaddr *from, SpkAddress *ret_address)
{
	SpkAddress address = { .family = from->sa_family };

	if (from->sa_family == AF_INET)
		memcpy(address.bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
	else if (from->sa_family == AF_INET6)
		memcpy(address.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr,
		       16);
	else
		return FALSE;
	*ret_address = address;
	return TRUE;
}

guint32 spk_address_to_sockaddr(const SpkAddress *address, guint16 port,
				struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){ .ss_family = (sa_family_t)address->family };
	if (address->family == AF_INET) {
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes, 4);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, 16);
	return sizeof(*v6);
}

gboolean spk_address_equal(const SpkAddress *a, const SpkAddress *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, size_of(a->family)) == 0;
}

void spk_address_print(const SpkAddress *address, guint16 port,
		       char text[SPK_ENDPOINT_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(address->family, address->bytes, host, sizeof(host));
	g_snprintf(text, SPK_ENDPOINT_TEXT,
		   address->family == AF_INET ? "%s:%u" : "[%s]:%u", host, port);
}

/* ---- hosts ---- */

static gboolean refuse(const char *text, gsize len, const char *why, GError **error)
{
	g_autofree char *clean =
		spk_text_clean(text, (gssize)MIN(len, SHOWN_MAX), SPK_CLEAN_LINE);

	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "like example.com, example.com:8080, "
		      "192.0.2.1:80 or [2001:db8::1]:443",
		      "\"%s\" %s", clean, why);
	return FALSE;
}

/* What inet_aton() and browsers would take for a number: digits, or 0x and digits. */
static gboolean is_numeric(const char *label)
{
	gboolean hex = label[0] == '0' && label[1] == 'x';
	const char *at = hex ? label + 2 : label;

	for (; *at; at++)
		if (hex ? !g_ascii_isxdigit(*at) : !g_ascii_isdigit(*at))
			return FALSE;
	return TRUE;
}

/* Why the (lower-case) name can't be one; NULL: it can. */
static const char *name_fault(const char *name)
{
	const char *start = name, *last = strrchr(name, '.');

	for (const char *at = name;; at++) {
		if (*at == '.' || *at == '\0') {
			if (at == start || at - start > 63)
				return "has a part that is empty or too long";
			if (*start == '-' || at[-1] == '-')
				return "has a part that begins or ends with a hyphen";
			if (!*at)
				break;
			start = at + 1;
		} else if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_') {
			return "has a character that names of hosts don't have";
		}
	}
	if (is_numeric(last ? last + 1 : name))
		return "is a number that is not written as an address (four decimal "
		       "numbers)";
	return NULL;
}

/* At most five digits, no sign, no zero in front. */
static gboolean parse_port(const char *text, gsize len, guint16 *ret_port)
{
	guint port = 0;

	if (len < 1 || len > 5 || text[0] == '0')
		return FALSE;
	for (gsize i = 0; i < len; i++) {
		if (!g_ascii_isdigit(text[i]))
			return FALSE;
		port = 10 * port + (guint)(text[i] - '0');
	}
	*ret_port = (guint16)port;
	return port <= G_MAXUINT16;
}

/* Where the host ends: at `len`, or at the colon before a port. */
static gsize host_end(const char *text, gsize len, gboolean in_brackets)
{
	const char *colon = in_brackets ? memchr(text, ']', len) : memchr(text, ':', len);

	if (!colon)
		return in_brackets ? 0 : len;
	return (gsize)(colon - text) + in_brackets;
}

static const char *parse_host(const char *text, gsize len, SpkEndpoint *endpoint)
{
	gboolean in_brackets = len > 1 && text[0] == '[';

	if (in_brackets) {
		text++;
		len -= 2;
	} else if (len > 1 && text[len - 1] == '.') {
		len--;
	}
	if (len < 1 || len > SPK_HOST_MAX || memchr(text, '\0', len))
		return "is empty or too long for a host";
	for (gsize i = 0; i < len; i++)
		endpoint->name[i] = g_ascii_tolower(text[i]);
	endpoint->name[len] = '\0';
	endpoint->is_address = spk_address_parse(endpoint->name, &endpoint->address);
	if (endpoint->is_address && (endpoint->address.family == AF_INET6) == in_brackets)
		return NULL;
	if (in_brackets || endpoint->is_address)
		return "is no address of IPv6 in brackets";
	return name_fault(endpoint->name);
}

gboolean spk_endpoint_parse(const char *text, gsize len, SpkEndpoint *ret_endpoint,
			    GError **error)
{
	SpkEndpoint endpoint = { 0 };
	gboolean in_brackets = len && text[0] == '[';
	gsize end = host_end(text, len, in_brackets);
	const char *fault;

	if (!end)
		return refuse(text, len, "has no host", error);
	if (g_strstr_len(text, (gssize)len, "://"))
		return refuse(text, len, "is a URL: name its host and port", error);
	if (end < len && (text[end] != ':' ||
			  !parse_port(text + end + 1, len - end - 1, &endpoint.port)))
		return refuse(text, len, "has a port that is none of 1 to 65535", error);
	fault = parse_host(text, end, &endpoint);
	if (fault)
		return refuse(text, len, fault, error);
	*ret_endpoint = endpoint;
	return TRUE;
}
