#include <arpa/inet.h>
#include <string.h>

#include "llm/llm_impl.h"

/* Address ranges that don't lead out into the internet. */
static const struct {
	guint32 net;
	guint bits;
} ranges[] = {
	{ 0x00000000, 8 },  /* this host */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0x0a000000, 8 },  /* RFC 1918 */
	{ 0xac100000, 12 }, /* RFC 1918 */
	{ 0xc0a80000, 16 }, /* RFC 1918 */
	{ 0xa9fe0000, 16 }, /* link-local */
	{ 0x64400000, 10 }, /* RFC 6598 */
};

static gboolean is_local_v4(guint32 address)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++)
		if ((address ^ ranges[i].net) >> (32 - ranges[i].bits) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_local_v6(const guint8 *a)
{
	static const guint8 loopback[16] = { [15] = 1 };
	static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		return is_local_v4((guint32)a[12] << 24 | a[13] << 16 | a[14] << 8 |
				   a[15]);
	return memcmp(a, loopback, 16) == 0 || (a[0] & 0xfe) == 0xfc ||
	       (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

static gboolean is_local_name(const char *host)
{
	static const char *const ends[] = { ".localhost", ".local", ".lan", ".internal",
					    ".home.arpa" };
	g_autofree char *name = g_ascii_strdown(host, -1);

	if (g_str_has_suffix(name, "."))
		name[strlen(name) - 1] = '\0';
	if (!strchr(name, '.'))
		return *name != '\0';
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(name, ends[i]))
			return TRUE;
	return FALSE;
}

gboolean spk_host_is_local(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	/* as loosely as a resolver reads it: "127.1", "2130706433" */
	if (inet_aton(host, &v4))
		return is_local_v4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return is_local_v6(v6.s6_addr);
	return is_local_name(host);
}
