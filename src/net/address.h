/*
 * Hosts and addresses as a stranger writes them, and which of them lead out into the internet.
 * Only one spelling of each is taken: what a library might read as a number (127.1, 0x7f.1,
 * 2130706433), zones, percent signs and letters beyond ASCII are refused, so that what was
 * judged is what will be connected to. Pure functions; any thread.
 */
#ifndef SPK_NET_ADDRESS_H
#define SPK_NET_ADDRESS_H

#include <glib.h>

struct sockaddr;
struct sockaddr_storage;

#define SPK_HOST_MAX 253 /* bytes of a name */
/* "[", an address, "]:65535" and the NUL. */
#define SPK_ENDPOINT_TEXT 64

typedef struct {
	int family;	  /* AF_INET or AF_INET6 */
	guint8 bytes[16]; /* network order; 4 of them for AF_INET */
} SpkAddress;

/* Four decimal numbers, or IPv6 without brackets and zone. */
gboolean spk_address_parse(const char *text, SpkAddress *ret_address);
/* FALSE: neither IPv4 nor IPv6. */
gboolean spk_address_from_sockaddr(const struct sockaddr *from, SpkAddress *ret_address);
/* Fills `ret`, returns its length. */
guint32 spk_address_to_sockaddr(const SpkAddress *address, guint16 port,
				struct sockaddr_storage *ret);
gboolean spk_address_equal(const SpkAddress *a, const SpkAddress *b);
/* "192.0.2.1:80", "[2001:db8::1]:80" */
void spk_address_print(const SpkAddress *address, guint16 port,
		       char text[SPK_ENDPOINT_TEXT]);

/* NULL: an address of the internet. Else what it is instead, for people ("loopback"); static.
 * By the registries of special-purpose addresses (RFC 6890, IANA), the metadata services of
 * clouds, and every form of IPv6 that holds an IPv4 address. */
const char *spk_address_special(const SpkAddress *address);
/* Whether an interface of this machine has it. */
gboolean spk_address_is_own(const SpkAddress *address);

typedef struct {
	char name[SPK_HOST_MAX + 1]; /* lower case, no dot at the end, no brackets */
	gboolean is_address;
	SpkAddress address; /* when it is one */
	guint16 port;	    /* 0: none was given */
} SpkEndpoint;

/* "host", "host:port", "[v6]:port". BAD_INPUT. */
gboolean spk_endpoint_parse(const char *text, gsize len, SpkEndpoint *ret_endpoint,
			    GError **error);

#endif
