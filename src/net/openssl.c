#include "net/openssl_priv.h"

#include <dlfcn.h>

#include "base/error.h"

#define SSL_LIBRARY    "libssl.so.3"
#define CRYPTO_LIBRARY "libcrypto.so.3"

typedef struct {
	const char *name;
	gsize offset;
} Function;

#define X(name) { #name, G_STRUCT_OFFSET(SpkOpenssl, name##_) },
static const Function of_ssl[] = { SPK_SSL_FUNCTIONS(X) };
static const Function of_crypto[] = { SPK_CRYPTO_FUNCTIONS(X) };
#undef X

static gboolean load(const char *name, const Function *functions, gsize n,
		     SpkOpenssl *table, GError **error)
{
	const char *hint = "install it: apt-get install libssl3";
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		spk_error_set(error, SPK_ERR_PROVIDER, hint,
			      "no key can be added to requests without %s: %s", name,
			      dlerror());
		return FALSE;
	}
	for (gsize i = 0; i < n; i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			spk_error_set(error, SPK_ERR_PROVIDER, hint,
				      "%s is too old: it has no %s()", name,
				      functions[i].name);
			dlclose(library);
			return FALSE;
		}
		G_STRUCT_MEMBER(void *, table, functions[i].offset) = function;
	}
	return TRUE;
}

const SpkOpenssl *spk_openssl_get(GError **error)
{
	static GMutex lock;
	static SpkOpenssl table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = load(SSL_LIBRARY, of_ssl, G_N_ELEMENTS(of_ssl), &table, error) &&
			 load(CRYPTO_LIBRARY, of_crypto, G_N_ELEMENTS(of_crypto), &table,
			      error);
	return loaded ? &table : NULL;
}
