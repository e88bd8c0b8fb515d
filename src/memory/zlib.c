#include "memory/zlib_priv.h"

#include <dlfcn.h>

#include "base/error.h"

#define LIBRARY "libz.so.1"

static const struct {
	const char *name;
	gsize offset;
} functions[] = {
#define X(name) { #name, G_STRUCT_OFFSET(SpkZlib, f_##name) },
	SPK_ZLIB_FUNCTIONS(X)
#undef X
};

static gboolean load(SpkZlib *table, GError **error)
{
	const char *hint = "install it: apt-get install zlib1g";
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		spk_error_set(error, SPK_ERR_CONFIG, hint,
			      "nothing can be unpacked without " LIBRARY ": %s",
			      dlerror());
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			spk_error_set(error, SPK_ERR_CONFIG, hint, LIBRARY " has no %s()",
				      functions[i].name);
			dlclose(library);
			return FALSE;
		}
		G_STRUCT_MEMBER(void *, table, functions[i].offset) = function;
	}
	return TRUE;
}

const SpkZlib *spk_zlib_get(GError **error)
{
	static GMutex lock;
	static SpkZlib table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = load(&table, error);
	return loaded ? &table : NULL;
}
