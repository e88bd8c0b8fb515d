#include "memory/onnx_runtime_priv.h"

#include <dlfcn.h>

#include "base/error.h"
#include "base/text.h"

#define API_VERSION 1 /* every member used here has been there since */
#define VARIABLE    "ORT_DYLIB_PATH"

/* What OrtGetApiBase() returns. */
typedef struct {
	void *const *(*get_api)(guint32 version);
	const char *(*version)(void);
} ApiBase;

static const struct {
	guint place;
	gsize offset;
} functions[] = {
#define X(place, name, ...) { place, G_STRUCT_OFFSET(SpkOrt, name) },
	SPK_ORT_FUNCTIONS(X)
#undef X
};

static void *open_library(GError **error)
{
	static const char *const names[] = { "libonnxruntime.so.1", "libonnxruntime.so" };
	const char *set = g_getenv(VARIABLE);
	void *library = NULL;

	if (set && *set)
		library = dlopen(set, RTLD_NOW | RTLD_LOCAL);
	for (gsize i = 0; !(set && *set) && !library && i < G_N_ELEMENTS(names); i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!library)
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "set " VARIABLE
			      " to libonnxruntime.so; the wheel onnxruntime "
			      "of PyPI has one in onnxruntime/capi",
			      "there is no ONNX Runtime: %s", dlerror());
	return library;
}

static gboolean load(SpkOrt *table, GError **error)
{
	void *library = open_library(error);
	const ApiBase *(*get_base)(void) = NULL;
	const ApiBase *base = NULL;
	void *const *api = NULL;

	if (!library)
		return FALSE;
	*(void **)&get_base = dlsym(library, "OrtGetApiBase");
	base = get_base ? get_base() : NULL;
	api = base ? base->get_api(API_VERSION) : NULL;
	if (!api) {
		spk_error_set(
			error, SPK_ERR_CONFIG, "set " VARIABLE " to another one",
			"the library is no ONNX Runtime, or doesn't give version %d of "
			"its interface",
			API_VERSION);
		dlclose(library);
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(functions); i++)
		G_STRUCT_MEMBER(void *, table, functions[i].offset) =
			api[functions[i].place];
	table->version = spk_text_clean(base->version(), -1, SPK_CLEAN_LINE);
	return TRUE;
}

const SpkOrt *spk_ort_get(GError **error)
{
	static GMutex lock;
	static SpkOrt table;
	static gboolean loaded;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	if (!loaded)
		loaded = load(&table, error);
	return loaded ? &table : NULL;
}
