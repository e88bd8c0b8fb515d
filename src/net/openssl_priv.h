/*
 * The functions of OpenSSL that net uses, opened on first use: only what a key is added to needs
 * them, and they are near wherever libcurl is.
 */
#ifndef SPK_NET_OPENSSL_PRIV_H
#define SPK_NET_OPENSSL_PRIV_H

#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* in libssl */
#define SPK_SSL_FUNCTIONS(X)                \
	X(TLS_client_method)                \
	X(TLS_server_method)                \
	X(SSL_CTX_new)                      \
	X(SSL_CTX_free)                     \
	X(SSL_CTX_ctrl)                     \
	X(SSL_CTX_set_default_verify_paths) \
	X(SSL_CTX_set_verify)               \
	X(SSL_CTX_set_alpn_protos)          \
	X(SSL_CTX_set_alpn_select_cb)       \
	X(SSL_CTX_use_certificate)          \
	X(SSL_CTX_use_PrivateKey)           \
	X(SSL_new)                          \
	X(SSL_free)                         \
	X(SSL_set_fd)                       \
	X(SSL_ctrl)                         \
	X(SSL_set1_host)                    \
	X(SSL_get0_param)                   \
	X(SSL_set_connect_state)            \
	X(SSL_set_accept_state)             \
	X(SSL_do_handshake)                 \
	X(SSL_read)                         \
	X(SSL_write)                        \
	X(SSL_get_error)                    \
	X(SSL_get_verify_result)            \
	X(SSL_get_servername)               \
	X(SSL_shutdown)

/* in libcrypto */
#define SPK_CRYPTO_FUNCTIONS(X)          \
	X(ERR_clear_error)               \
	X(ERR_peek_error)                \
	X(ERR_reason_error_string)       \
	X(X509_verify_cert_error_string) \
	X(X509_VERIFY_PARAM_set1_ip_asc) \
	X(EVP_PKEY_Q_keygen)             \
	X(EVP_PKEY_free)                 \
	X(EVP_sha256)                    \
	X(RAND_bytes)                    \
	X(ASN1_STRING_set)               \
	X(X509_new)                      \
	X(X509_free)                     \
	X(X509_set_version)              \
	X(X509_get_serialNumber)         \
	X(X509_getm_notBefore)           \
	X(X509_getm_notAfter)            \
	X(X509_gmtime_adj)               \
	X(X509_set_pubkey)               \
	X(X509_get_subject_name)         \
	X(X509_set_issuer_name)          \
	X(X509_NAME_add_entry_by_txt)    \
	X(X509V3_set_ctx)                \
	X(X509V3_EXT_nconf_nid)          \
	X(X509_add_ext)                  \
	X(X509_EXTENSION_free)           \
	X(X509_sign)                     \
	X(BIO_new)                       \
	X(BIO_s_mem)                     \
	X(BIO_ctrl)                      \
	X(BIO_free)                      \
	X(PEM_write_bio_X509)

typedef struct {
#define X(name) __typeof__(name) *name##_;
	SPK_SSL_FUNCTIONS(X)
	SPK_CRYPTO_FUNCTIONS(X)
#undef X
} SpkOpenssl;

/* The table, the same at each call; any thread. NULL and PROVIDER when a library is missing or
 * too old; the next call tries again. */
const SpkOpenssl *spk_openssl_get(GError **error);

#endif
