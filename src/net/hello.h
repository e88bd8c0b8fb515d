/*
 * Whom a TLS client asks for: the name in its first message (RFC 8446 §4.1.2, RFC 6066 §3), in
 * the clear. A tunnel that was opened to one host must not be used to ask for another. Pure
 * functions; any thread.
 */
#ifndef SPK_NET_HELLO_H
#define SPK_NET_HELLO_H

#include <glib.h>

#define SPK_HELLO_MAX (16u << 10) /* bytes of the first message, with its records */

typedef enum {
	SPK_HELLO_MORE,	 /* it is not there yet */
	SPK_HELLO_OTHER, /* this is not TLS */
	SPK_HELLO_NO_NAME,
	SPK_HELLO_NAME,
	SPK_HELLO_BROKEN, /* it begins as TLS does, and goes on otherwise */
} SpkHello;

/* The first bytes of a client; *ret_name is set with SPK_HELLO_NAME: lower case, no dot at the
 * end. */
SpkHello spk_hello_read(const guint8 *bytes, gsize len, char **ret_name);

#endif
