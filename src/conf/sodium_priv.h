/* The functions of libsodium that the seal uses, opened on first use (see net/curl_priv.h). */
#ifndef SPK_CONF_SODIUM_PRIV_H
#define SPK_CONF_SODIUM_PRIV_H

#include <glib.h>
#include <sodium.h>

#define SPK_SODIUM_FUNCTIONS(X)                       \
	X(sodium_init)                                \
	X(crypto_pwhash)                              \
	X(crypto_generichash)                         \
	X(crypto_aead_xchacha20poly1305_ietf_encrypt) \
	X(crypto_aead_xchacha20poly1305_ietf_decrypt)

typedef struct {
#define X(name) __typeof__(name) *name;
	SPK_SODIUM_FUNCTIONS(X)
#undef X
} SpkSodium;

/* The table, the same at each call; any thread. NULL and CONFIG when libsodium is missing. */
const SpkSodium *spk_sodium_get(GError **error);

#endif
