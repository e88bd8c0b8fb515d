/*
 * TLS over a socket that does not block: towards a server, whose certificate must be good for its
 * name, or towards a client, with a certificate of ours (authority.h). HTTP/1.1 is all that is
 * spoken over it. One thread uses an object; SIGPIPE must be blocked or ignored there.
 */
#ifndef SPK_NET_TLS_H
#define SPK_NET_TLS_H

#include "net/address.h"

typedef struct SpkTls SpkTls;
typedef struct SpkTlsContext SpkTlsContext;

/* What servers are checked by: the roots of the system, or those that SSL_CERT_FILE and
 * SSL_CERT_DIR name in our own environment. PROVIDER: there is no library. */
SpkTlsContext *spk_tls_client(GError **error);
/* With a certificate and its key, as EVP_PKEY and X509 of OpenSSL; PROVIDER. */
SpkTlsContext *spk_tls_server(void *certificate, void *key, GError **error);
void spk_tls_context_free(SpkTlsContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTlsContext, spk_tls_context_free)

/* On a socket that somebody else closes. `server`: whom we want to talk to; NULL: we are the
 * server. The context must live as long. */
SpkTls *spk_tls_new(SpkTlsContext *context, int fd, const SpkEndpoint *server);
void spk_tls_free(SpkTls *tls);

/* 1: it stands; 0: not yet, see spk_tls_wants(); -1: it failed, *ret_why says why (static, or
 * good until the next call). */
int spk_tls_handshake(SpkTls *tls, const char **ret_why);
/* As read() and write() of a socket that does not block: -1 with errno EAGAIN, or EIO. */
gssize spk_tls_read(SpkTls *tls, void *bytes, gsize len);
gssize spk_tls_write(SpkTls *tls, const void *bytes, gsize len);
/* Tells the other side that no more will come. */
void spk_tls_end(SpkTls *tls);
/* What poll() is to wait for before reading (or the handshake), or writing, makes sense again:
 * POLLIN or POLLOUT. */
short spk_tls_wants(const SpkTls *tls, gboolean to_write);
/* The name the client asked for; NULL: none. */
const char *spk_tls_asked_for(const SpkTls *tls);

#endif
