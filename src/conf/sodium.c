#include "conf/sodium_priv.h"

#include "conf/library_priv.h"

static const SpkLibraryFunction functions[] = {
#define X(name) { #name, G_STRUCT_OFFSET(SpkSodium, name) },
	SPK_SODIUM_FUNCTIONS(X)
#undef X
		{ NULL },
};

static const SpkLibrary library = {
	.names = { "libsodium.so.23", "libsodium.so.26", NULL },
	.functions = functions,
	.what = "no sealed file of secrets without libsodium",
	.hint = "install it: apt-get install libsodium23",
};

const SpkSodium *spk_sodium_get(GError **error)
{
	static GMutex lock;
	static SpkSodium table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = spk_library_open(&library, &table, error) &&
			 table.sodium_init() >= 0;
	return loaded ? &table : NULL;
}
