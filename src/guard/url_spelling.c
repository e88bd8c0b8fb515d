#include "guard/guard_priv.h"
#include "guard/url_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"

#define DECODINGS 3 /* percent signs inside of each other */

/* ---- addresses in words ---- */

typedef struct {
	const char *net; /* the first `bytes` of an address that holds one of IPv4 */
	guint bytes, at;
	guint8 flip;
} Holder;

static const Holder holders[] = {
	{ "::ffff:0:0", 12, 12, 0 }, { "::ffff:0:0:0", 12, 12, 0 },
	{ "64:ff9b::", 12, 12, 0 },  { "64:ff9b:1::", 6, 12, 0 },
	{ "2001::", 4, 12, 0xff },   { "2002::", 2, 2, 0 },
	{ "::", 12, 12, 0 },
};

static gboolean held_v4(const SpkAddress *address, SpkAddress *ret)
{
	guint8 net[16];

	if (address->family != AF_INET6)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(holders); i++) {
		const Holder *holder = &holders[i];

		g_assert(inet_pton(AF_INET6, holder->net, net) == 1);
		if (memcmp(address->bytes, net, holder->bytes) != 0)
			continue;
		*ret = (SpkAddress){ .family = AF_INET };
		for (guint j = 0; j < 4; j++)
			ret->bytes[j] = address->bytes[holder->at + j] ^ holder->flip;
		return ret->bytes[0] != 0; /* not :: and ::1 */
	}
	return FALSE;
}

static void print(const SpkAddress *address, char text[INET6_ADDRSTRLEN])
{
	g_strlcpy(text, "?", INET6_ADDRSTRLEN);
	(void)inet_ntop(address->family, address->bytes, text, INET6_ADDRSTRLEN);
}

char *url_describe(const SpkAddress *address)
{
	const char *special = spk_address_special(address), *inner;
	char text[INET6_ADDRSTRLEN], held_text[INET6_ADDRSTRLEN];
	SpkAddress held;

	print(address, text);
	if (!special)
		return g_strdup(text);
	if (!held_v4(address, &held))
		return g_strdup_printf("%s, which is %s", text, special);
	print(&held, held_text);
	inner = spk_address_special(&held);
	return g_strdup_printf("%s, which holds %s (%s)", text, held_text,
			       inner ? inner : special);
}

/* ---- spellings ---- */

static gboolean is_dot(gunichar c)
{
	return c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61;
}

/* In ASCII where there is a digit, a letter or a dot that means the same; without what can't
 * be seen. Caller frees; NULL: it is no text. */
static char *plain_form(const char *host)
{
	g_autofree char *folded = g_utf8_normalize(host, -1, G_NORMALIZE_ALL_COMPOSE);
	GString *out = folded ? g_string_new(NULL) : NULL;

	for (const char *at = folded; at && *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		gint digit = g_unichar_digit_value(c);

		if (is_dot(c))
			g_string_append_c(out, '.');
		else if (digit >= 0)
			g_string_append_c(out, (char)('0' + digit));
		else if (!g_unichar_iszerowidth(c) && c > ' ' && c != 0x7f)
			g_string_append_unichar(out, g_unichar_tolower(c));
	}
	return out ? g_string_free(out, FALSE) : NULL;
}

static gboolean parse_loose_v4(const char *text, SpkAddress *ret)
{
	struct in_addr number;

	if (!*text || text[strspn(text, "0123456789abcdefx.")] ||
	    inet_aton(text, &number) == 0)
		return FALSE;
	*ret = (SpkAddress){ .family = AF_INET };
	memcpy(ret->bytes, &number, 4);
	return TRUE;
}

gboolean url_loose_address(const char *host, gsize len, SpkAddress *ret)
{
	g_autofree char *text = g_strndup(host, len), *plain = NULL;
	char *inner, *end;

	for (guint i = 0; i < DECODINGS && guard_decode_percent(text); i++)
		;
	plain = g_utf8_validate(text, -1, NULL) ? plain_form(text) : NULL;
	if (!plain)
		return FALSE;
	inner = plain + strspn(plain, "[");
	inner[strcspn(inner, "]")] = '\0';
	if (strchr(inner, ':')) {
		inner[strcspn(inner, "%")] = '\0'; /* the zone */
		return spk_address_parse(inner, ret) ||
		       (inner[strcspn(inner, ":")] = '\0', parse_loose_v4(inner, ret));
	}
	for (end = inner + strlen(inner); end > inner && end[-1] == '.'; end--)
		end[-1] = '\0';
	return parse_loose_v4(inner, ret);
}

/* ---- names ---- */

/* A row without a dot in front is the whole name; with one, all below, and the rest itself. */
static const struct {
	const char *name, *why;
} local_names[] = {
	{ ".localhost", "is this machine" },
	{ ".localdomain", "is this machine" },
	{ "ip6-localhost", "is this machine" },
	{ "ip6-loopback", "is this machine" },
	{ ".internal", "is a name inside a cloud or a container engine" },
	{ ".local", "is a machine of the local network" },
	{ ".lan", "is a machine of the local network" },
	{ ".home", "is a machine of the local network" },
	{ ".corp", "is a machine of the local network" },
	{ ".intranet", "is a machine of the local network" },
	{ ".private", "is a machine of the local network" },
	{ ".home.arpa", "is a machine of the local network" },
	{ ".svc", "is a service inside a cluster" },
	{ ".in-addr.arpa", "is an address backwards" },
	{ ".ip6.arpa", "is an address backwards" },
	{ ".onion", "is not in the DNS" },
	{ ".nip.io", "leads to the address that is written in the name" },
	{ ".sslip.io", "leads to the address that is written in the name" },
	{ ".xip.io", "leads to the address that is written in the name" },
	{ ".rbndr.us", "leads to the address that is written in the name" },
	{ ".1u.ms", "leads to the address that is written in the name" },
	{ ".localtest.me", "leads to this machine" },
	{ ".lvh.me", "leads to this machine" },
	{ ".vcap.me", "leads to this machine" },
	{ ".lacolhost.com", "leads to this machine" },
};

const char *url_local_name(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(local_names); i++) {
		const char *row = local_names[i].name;

		if (strcmp(name, row + (*row == '.')) == 0 ||
		    (*row == '.' && g_str_has_suffix(name, row)))
			return local_names[i].why;
	}
	return strchr(name, '.') ? NULL : "has no dot: a machine of the local network";
}
