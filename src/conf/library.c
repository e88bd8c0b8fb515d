#include "conf/library_priv.h"

#include <dlfcn.h>

#include "base/error.h"

gboolean spk_library_open(const SpkLibrary *library, gpointer table, GError **error)
{
	void *handle = NULL;

	for (guint i = 0; library->names[i] && !handle; i++)
		handle = dlopen(library->names[i], RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		spk_error_set(error, SPK_ERR_CONFIG, library->hint, "%s: %s",
			      library->what, dlerror());
		return FALSE;
	}
	for (const SpkLibraryFunction *one = library->functions; one->name; one++) {
		void *function = dlsym(handle, one->name);

		if (!function) {
			spk_error_set(error, SPK_ERR_CONFIG, library->hint,
				      "%s: it is too old and has no %s()", library->what,
				      one->name);
			dlclose(handle);
			return FALSE;
		}
		G_STRUCT_MEMBER(void *, table, one->offset) = function;
	}
	return TRUE;
}
