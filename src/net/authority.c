#include "net/authority.h"

#include <string.h>

#include "base/error.h"
#include "net/openssl_priv.h"

#define DAY	   86400L
#define VALID_DAYS 30 /* longer than any task; clocks may differ by a day */
#define SERIAL_LEN 16
#define NAME	   "Sparks, for one task"
#define X509_V3	   2
#define HOST_NAME  "sandbox host"

struct SpkAuthority {
	const SpkOpenssl *lib;
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
	GHashTable *contexts; /* host -> SpkTlsContext */
};

static gboolean fail(GError **error)
{
	spk_error_set(error, SPK_ERR_PROVIDER, NULL, "OpenSSL makes no certificate");
	return FALSE;
}

static gboolean add_extension(const SpkOpenssl *lib, X509 *certificate, X509 *issuer,
			      int nid, const char *value)
{
	X509V3_CTX ctx = { 0 };
	X509_EXTENSION *extension;
	gboolean ok;

	lib->X509V3_set_ctx_(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = lib->X509V3_EXT_nconf_nid_(NULL, &ctx, nid, value);
	ok = extension && lib->X509_add_ext_(certificate, extension, -1) == 1;
	lib->X509_EXTENSION_free_(extension);
	return ok;
}

static gboolean set_serial(const SpkOpenssl *lib, X509 *certificate)
{
	unsigned char serial[SERIAL_LEN];

	if (lib->RAND_bytes_(serial, sizeof(serial)) != 1)
		return FALSE;
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, of full length */
	return lib->ASN1_STRING_set_(lib->X509_get_serialNumber_(certificate), serial,
				     sizeof(serial)) == 1;
}

/* A certificate that only lacks what it is for, and a signature. */
static X509 *draft(const SpkOpenssl *lib, EVP_PKEY *key, const char *name)
{
	X509 *certificate = lib->X509_new_();

	if (certificate && lib->X509_set_version_(certificate, X509_V3) == 1 &&
	    set_serial(lib, certificate) &&
	    lib->X509_gmtime_adj_(lib->X509_getm_notBefore_(certificate), -DAY) &&
	    lib->X509_gmtime_adj_(lib->X509_getm_notAfter_(certificate),
				  VALID_DAYS * DAY) &&
	    lib->X509_set_pubkey_(certificate, key) == 1 &&
	    lib->X509_NAME_add_entry_by_txt_(lib->X509_get_subject_name_(certificate),
					     "CN", MBSTRING_UTF8,
					     (const unsigned char *)name, -1, -1, 0) == 1)
		return certificate;
	lib->X509_free_(certificate);
	return NULL;
}

static gboolean finish(const SpkAuthority *authority, X509 *certificate, X509 *issuer)
{
	const SpkOpenssl *lib = authority->lib;

	return lib->X509_set_issuer_name_(certificate,
					  lib->X509_get_subject_name_(issuer)) == 1 &&
	       add_extension(lib, certificate, issuer, NID_subject_key_identifier,
			     "hash") &&
	       add_extension(lib, certificate, issuer, NID_authority_key_identifier,
			     "keyid:always") &&
	       lib->X509_sign_(certificate, authority->key, lib->EVP_sha256_()) > 0;
}

static char *to_pem(const SpkOpenssl *lib, X509 *certificate)
{
	BIO *bio = lib->BIO_new_(lib->BIO_s_mem_());
	char *text = NULL, *pem = NULL;
	long len;

	if (bio && lib->PEM_write_bio_X509_(bio, certificate) == 1) {
		len = lib->BIO_ctrl_(bio, BIO_CTRL_INFO, 0, &text);
		pem = len > 0 ? g_strndup(text, (gsize)len) : NULL;
	}
	lib->BIO_free_(bio);
	return pem;
}

static gboolean make_root(SpkAuthority *authority)
{
	const SpkOpenssl *lib = authority->lib;
	X509 *root;

	authority->key = lib->EVP_PKEY_Q_keygen_(NULL, NULL, "EC", "P-256");
	root = authority->key ? draft(lib, authority->key, NAME) : NULL;
	authority->certificate = root;
	if (!root ||
	    !add_extension(lib, root, root, NID_basic_constraints,
			   "critical,CA:TRUE,pathlen:0") ||
	    !add_extension(lib, root, root, NID_key_usage, "critical,keyCertSign") ||
	    !finish(authority, root, root))
		return FALSE;
	authority->pem = to_pem(lib, root);
	return authority->pem != NULL;
}

SpkAuthority *spk_authority_new(GError **error)
{
	const SpkOpenssl *lib = spk_openssl_get(error);
	g_autoptr(SpkAuthority) authority = NULL;

	if (!lib)
		return NULL;
	authority = g_new0(SpkAuthority, 1);
	authority->lib = lib;
	authority->contexts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						    (GDestroyNotify)spk_tls_context_free);
	if (!make_root(authority) && !fail(error))
		return NULL;
	return g_steal_pointer(&authority);
}

void spk_authority_free(SpkAuthority *authority)
{
	if (!authority)
		return;
	g_hash_table_unref(authority->contexts);
	authority->lib->X509_free_(authority->certificate);
	authority->lib->EVP_PKEY_free_(authority->key); /* which wipes it */
	g_free(authority->pem);
	g_free(authority);
}

const char *spk_authority_pem(const SpkAuthority *authority)
{
	return authority->pem;
}

/* The name of a host is of letters, digits, dots and hyphens: nothing that means something in
 * the words of an extension. */
static SpkTlsContext *make_leaf(SpkAuthority *authority, const SpkEndpoint *host,
				GError **error)
{
	const SpkOpenssl *lib = authority->lib;
	g_autofree char *names =
		g_strdup_printf("%s:%s", host->is_address ? "IP" : "DNS", host->name);
	EVP_PKEY *key = lib->EVP_PKEY_Q_keygen_(NULL, NULL, "EC", "P-256");
	X509 *leaf = key ? draft(lib, key, HOST_NAME) : NULL,
	     *root = authority->certificate;
	SpkTlsContext *context = NULL;

	if (leaf &&
	    add_extension(lib, leaf, root, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(lib, leaf, root, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(lib, leaf, root, NID_ext_key_usage, "serverAuth") &&
	    add_extension(lib, leaf, root, NID_subject_alt_name, names) &&
	    finish(authority, leaf, root))
		context = spk_tls_server(leaf, key, error);
	else
		(void)fail(error);
	lib->X509_free_(leaf); /* the context has references of its own */
	lib->EVP_PKEY_free_(key);
	return context;
}

SpkTlsContext *spk_authority_context(SpkAuthority *authority, const SpkEndpoint *host,
				     GError **error)
{
	SpkTlsContext *context = g_hash_table_lookup(authority->contexts, host->name);

	if (context)
		return context;
	context = make_leaf(authority, host, error);
	if (context)
		g_hash_table_insert(authority->contexts, g_strdup(host->name), context);
	return context;
}
