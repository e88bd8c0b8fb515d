/*
 * The sealed file: "SPKSEAL" and a version byte, kind, three zeros, the costs of Argon2id
 * (32-bit little-endian: passes, KiB), salt, nonce; then the text, padded with newlines to a
 * multiple of 256 bytes, under XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). The header is
 * the further data of the seal, so that none of it can be changed either.
 */
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "conf/secret_priv.h"
#include "conf/sodium_priv.h"

#define MAGIC	"SPKSEAL"
#define VERSION 1
#define TAG	crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PAD	256
#define OPS	3
#define MEM_KIB (128u << 10)
#define MAX_OPS 16
#define MIN_KIB (8u << 10)
#define MAX_KIB (1024u << 10)

gboolean spk_seal_is(const char *bytes, gsize len)
{
	return len >= strlen(MAGIC) && !memcmp(bytes, MAGIC, strlen(MAGIC));
}

static void put_u32(guint8 *at, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static guint32 get_u32(const char *at)
{
	guint32 value;

	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static void header(const SpkSeal *seal, guint8 out[SPK_SEAL_HEADER])
{
	memset(out, 0, SPK_SEAL_HEADER);
	memcpy(out, MAGIC, strlen(MAGIC));
	out[7] = VERSION;
	out[8] = (guint8)seal->kind;
	put_u32(out + 12, seal->ops);
	put_u32(out + 16, seal->mem_kib);
	memcpy(out + 20, seal->salt, SPK_SEAL_SALT);
	memcpy(out + 36, seal->nonce, SPK_SEAL_NONCE);
}

static gboolean in_range(const SpkSeal *seal)
{
	if (seal->kind == SPK_SEAL_FILE)
		return !seal->ops && !seal->mem_kib;
	return seal->kind == SPK_SEAL_PASSPHRASE && seal->ops >= 1 &&
	       seal->ops <= MAX_OPS && seal->mem_kib >= MIN_KIB &&
	       seal->mem_kib <= MAX_KIB;
}

gboolean spk_seal_parse(const char *bytes, gsize len, SpkSeal *ret_seal, GError **error)
{
	SpkSeal seal;
	guint8 again[SPK_SEAL_HEADER];

	if (len >= 8 && spk_seal_is(bytes, len) && bytes[7] != VERSION) {
		spk_error_set(error, SPK_ERR_CORRUPT, "use the sparks that wrote it",
			      "it is sealed in a form of another version (%u)",
			      (guint8)bytes[7]);
		return FALSE;
	}
	if (len < SPK_SEAL_HEADER + TAG + PAD || !spk_seal_is(bytes, len) ||
	    (len - SPK_SEAL_HEADER - TAG) % PAD || len > SPK_SECRETS_MAX_BYTES) {
		spk_error_set(error, SPK_ERR_CORRUPT, NULL,
			      "it is no whole sealed file: %" G_GSIZE_FORMAT " bytes",
			      len);
		return FALSE;
	}
	seal.kind = (SpkSealKind)(guint8)bytes[8];
	seal.ops = get_u32(bytes + 12);
	seal.mem_kib = get_u32(bytes + 16);
	memcpy(seal.salt, bytes + 20, SPK_SEAL_SALT);
	memcpy(seal.nonce, bytes + 36, SPK_SEAL_NONCE);
	header(&seal, again);
	if (!in_range(&seal) || memcmp(again, bytes, SPK_SEAL_HEADER) != 0) {
		spk_error_set(error, SPK_ERR_CORRUPT, NULL,
			      "its header has values that no sparks writes");
		return FALSE;
	}
	*ret_seal = seal;
	return TRUE;
}

static void fill_random(void *out, gsize len)
{
	g_assert(len <= 256 && getentropy(out, len) == 0);
}

void spk_seal_init(SpkSeal *seal, SpkSealKind kind)
{
	*seal = (SpkSeal){ .kind = kind };
	if (kind == SPK_SEAL_PASSPHRASE) {
		seal->ops = OPS;
		seal->mem_kib = MEM_KIB;
	}
	fill_random(seal->salt, sizeof(seal->salt));
}

gboolean spk_seal_derive(const SpkSeal *seal, const void *secret, gsize len,
			 guint8 key[SPK_SEAL_KEY], GError **error)
{
	const SpkSodium *sodium = spk_sodium_get(error);
	int failed;

	if (!sodium)
		return FALSE;
	if (seal->kind == SPK_SEAL_FILE)
		failed = sodium->crypto_generichash(key, SPK_SEAL_KEY, secret, len,
						    seal->salt, SPK_SEAL_SALT);
	else
		failed = sodium->crypto_pwhash(key, SPK_SEAL_KEY, secret, len, seal->salt,
					       seal->ops, (gsize)seal->mem_kib << 10,
					       crypto_pwhash_ALG_ARGON2ID13);
	if (!failed)
		return TRUE;
	spk_error_set(error, SPK_ERR_IO, "free some memory, or use a key file",
		      "the key of the seal needs %u MiB of memory, which are not there",
		      seal->mem_kib >> 10);
	return FALSE;
}

char *spk_seal_open(const char *bytes, gsize len, const guint8 key[SPK_SEAL_KEY],
		    GError **error)
{
	const SpkSodium *sodium = spk_sodium_get(error);
	g_autofree guint8 *text = NULL;
	unsigned long long n = 0;
	SpkSeal seal;

	if (!sodium || !spk_seal_parse(bytes, len, &seal, error))
		return NULL;
	text = g_malloc0(len - SPK_SEAL_HEADER - TAG + 1);
	if (sodium->crypto_aead_xchacha20poly1305_ietf_decrypt(
		    text, &n, NULL, (const guint8 *)bytes + SPK_SEAL_HEADER,
		    len - SPK_SEAL_HEADER, (const guint8 *)bytes, SPK_SEAL_HEADER,
		    seal.nonce, key) != 0) {
		spk_error_set(error, SPK_ERR_CORRUPT, NULL,
			      "the key is another one, or the file was changed");
		return NULL;
	}
	return (char *)g_steal_pointer(&text);
}

char *spk_seal_close(SpkSeal *seal, const guint8 key[SPK_SEAL_KEY], const char *text,
		     gsize *ret_len, GError **error)
{
	const SpkSodium *sodium = spk_sodium_get(error);
	gsize len = strlen(text), padded = (len / PAD + 1) * PAD;
	g_autofree guint8 *out = NULL;
	SpkSecretText *plain;
	unsigned long long n = 0;

	if (!sodium)
		return NULL;
	fill_random(seal->nonce, sizeof(seal->nonce));
	out = g_malloc(SPK_SEAL_HEADER + padded + TAG);
	header(seal, out);
	plain = g_malloc(padded + 1);
	memset(plain, '\n', padded);
	memcpy(plain, text, len);
	plain[padded] = '\0';
	sodium->crypto_aead_xchacha20poly1305_ietf_encrypt(out + SPK_SEAL_HEADER, &n,
							   (const guint8 *)plain, padded,
							   out, SPK_SEAL_HEADER, NULL,
							   seal->nonce, key);
	spk_secret_wipe(plain);
	*ret_len = SPK_SEAL_HEADER + n;
	return (char *)g_steal_pointer(&out);
}
