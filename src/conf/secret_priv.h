/*
 * The parts that keep secrets: lines of text, the seal, the key of the seal, the kernel's
 * keyring, a terminal that doesn't echo. Everything that held a value is wiped.
 */
#ifndef SPK_CONF_SECRET_PRIV_H
#define SPK_CONF_SECRET_PRIV_H

#include <glib.h>

#include "conf/secret.h"

#define SPK_SECRETS_MAX_BYTES (256u << 10) /* of the file, as it lies there */

/* ---- text: lines "key=value", "#" comments ---- */
/* The value of `key` in the text, or NULL. */
char *spk_secret_text_get(const char *text, const char *key);
/* A copy with that value; value NULL: without the key. */
char *spk_secret_text_put(const char *text, const char *key, const char *value);
/* The keys, NULL-terminated. */
char **spk_secret_text_keys(const char *text);

/* ---- seal: header of 60 bytes, then XChaCha20-Poly1305 with the header as further data ---- */
#define SPK_SEAL_HEADER 60
#define SPK_SEAL_KEY	32
#define SPK_SEAL_SALT	16
#define SPK_SEAL_NONCE	24

typedef enum {
	SPK_SEAL_PASSPHRASE = 1, /* key by Argon2id */
	SPK_SEAL_FILE = 2,	 /* key by BLAKE2b of a key file or credential */
} SpkSealKind;

typedef struct {
	SpkSealKind kind;
	guint32 ops, mem_kib; /* of Argon2id; 0 for SPK_SEAL_FILE */
	guint8 salt[SPK_SEAL_SALT];
	guint8 nonce[SPK_SEAL_NONCE];
} SpkSeal;

/* A file that begins as sealed ones do, of whatever version. */
gboolean spk_seal_is(const char *bytes, gsize len);
/* CORRUPT when it isn't the header of a sealed file of this version, with all in range. */
gboolean spk_seal_parse(const char *bytes, gsize len, SpkSeal *ret_seal, GError **error);
/* A new one with random salt, and the costs of today. */
void spk_seal_init(SpkSeal *seal, SpkSealKind kind);
gboolean spk_seal_derive(const SpkSeal *seal, const void *secret, gsize len,
			 guint8 key[SPK_SEAL_KEY], GError **error);
/* NULL: CORRUPT when the key is another or a byte was changed. NUL-terminated. */
char *spk_seal_open(const char *bytes, gsize len, const guint8 key[SPK_SEAL_KEY],
		    GError **error);
/* The whole file; takes a new nonce. */
char *spk_seal_close(SpkSeal *seal, const guint8 key[SPK_SEAL_KEY], const char *text,
		     gsize *ret_len, GError **error);

/* ---- the kernel's keyring ---- */
/* FALSE: there is none of that name (no error), or the kernel refuses (error). */
gboolean spk_keyctl_get(const char *name, guint8 key[SPK_SEAL_KEY], GError **error);
/* Kept for the user's processes until `seconds` have passed. */
gboolean spk_keyctl_put(const char *name, const guint8 key[SPK_SEAL_KEY], guint seconds,
			GError **error);

/* ---- keys of passphrases that were given before (secret_kept.c) ---- */
/* FALSE: there is none (no error), or the kernel refuses to tell (error). */
gboolean spk_kept_get(const SpkSeal *seal, guint8 key[SPK_SEAL_KEY], GError **error);
void spk_kept_put(const SpkSeal *seal, const guint8 key[SPK_SEAL_KEY]);
/* Who was asked gave none that opens: this process does not ask again. */
void spk_kept_decline(void);
gboolean spk_kept_is_declined(void);

/* ---- where the key of a seal comes from ---- */
/* Bytes of the file SPARKS_SECRETS_KEY_FILE names, or of the systemd credential
 * sparks-secrets-key, and in *ret_from which. NULL without error: there is neither. CONFIG:
 * the file is one that others can read, or lies beside what it opens. */
GBytes *spk_secret_key_bytes(const char *home, const char **ret_from, GError **error);

#endif
