#include "net/curl_priv.h"

#include <dlfcn.h>

#include "base/error.h"

#define LIBRARY "libcurl.so.4"

static const struct {
	const char *name;
	gsize offset;
} functions[] = {
#define X(name) { "curl_" #name, G_STRUCT_OFFSET(SpkCurl, name) },
	SPK_CURL_FUNCTIONS(X)
#undef X
};

static gboolean load(SpkCurl *table, GError **error)
{
	const char *hint = "install it: apt-get install libcurl4";
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		spk_error_set(error, SPK_ERR_PROVIDER, hint,
			      "no HTTP without " LIBRARY ": %s", dlerror());
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			spk_error_set(error, SPK_ERR_PROVIDER, hint,
				      LIBRARY " is too old: it has no %s()",
				      functions[i].name);
			dlclose(library);
			return FALSE;
		}
		G_STRUCT_MEMBER(void *, table, functions[i].offset) = function;
	}
	if (table->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return TRUE;
	spk_error_set(error, SPK_ERR_PROVIDER, hint, LIBRARY " cannot be initialised");
	return FALSE;
}

const SpkCurl *spk_curl_get(GError **error)
{
	static GMutex lock;
	static SpkCurl table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = load(&table, error);
	return loaded ? &table : NULL;
}
