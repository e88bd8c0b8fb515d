/* Pages of package indexes, and pip's files: an address that is found is one for HTTP. */
#include <stddef.h>
#include <stdint.h>

#include "memory/pip_conf.h"
#include "memory/pypi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *url = spk_pypi_find((const char *)data, size,
					     "https://h.example/simple/p/", "w.whl");
	g_autoptr(GHashTable)
		values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	g_assert(!url || g_str_has_prefix(url, "https://") ||
		 g_str_has_prefix(url, "http://"));
	spk_pip_conf_parse(text, values);
	return 0;
}
