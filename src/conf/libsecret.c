#include "conf/libsecret_priv.h"

#include "conf/library_priv.h"

static const SpkLibraryFunction functions[] = {
#define X(name) { #name, G_STRUCT_OFFSET(SpkLibsecret, f_##name) },
	SPK_LIBSECRET_FUNCTIONS(X)
#undef X
		{ NULL },
};

static const SpkLibrary library = {
	.names = { "libsecret-1.so.0", NULL },
	.functions = functions,
	.what = "no keyring without libsecret",
	.hint = "install it: apt-get install libsecret-1-0",
};

const SpkLibsecret *spk_libsecret_get(GError **error)
{
	static GMutex lock;
	static SpkLibsecret table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = spk_library_open(&library, &table, error);
	return loaded ? &table : NULL;
}
