/*
 * A certificate authority for one task: its key lives in our memory and nowhere else. What it
 * signs is for the hosts that a key is added to, so that the program in the box can be answered
 * in their name. One thread uses an object; the certificate may be read by any.
 */
#ifndef SPK_NET_AUTHORITY_H
#define SPK_NET_AUTHORITY_H

#include "net/tls.h"

typedef struct SpkAuthority SpkAuthority;

/* PROVIDER: there is no library, or it fails. */
SpkAuthority *spk_authority_new(GError **error);
void spk_authority_free(SpkAuthority *authority);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkAuthority, spk_authority_free)
/* Its own certificate, as PEM. */
const char *spk_authority_pem(const SpkAuthority *authority);
/* What we answer with in the name of that host; made at the first call. Borrowed. */
SpkTlsContext *spk_authority_context(SpkAuthority *authority, const SpkEndpoint *host,
				     GError **error);

#endif
