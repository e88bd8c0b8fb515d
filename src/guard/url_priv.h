/*
 * What a host really is, for the words of a refusal.
 */
#ifndef SPK_GUARD_URL_PRIV_H
#define SPK_GUARD_URL_PRIV_H

#include "net/address.h"

/* "127.0.0.1, which is loopback", "::ffff:7f00:1, which holds 127.0.0.1, loopback"; one of the
 * internet: the address alone. */
char *url_describe(const SpkAddress *address);
/* The address that some client would read in a host that is spelled in no strict way: numbers
 * of any base and count, percent signs, letters that look like digits and dots, brackets and
 * zones. FALSE: none. */
gboolean url_loose_address(const char *host, gsize len, SpkAddress *ret);
/* Why the name (lower case) leads to no host of the internet; static. NULL: it may. */
const char *url_local_name(const char *name);

#endif
