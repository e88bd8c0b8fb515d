/* The first message of TLS clients: nothing is read beyond it, more bytes never change what whole
 * ones have said. */
#include <glib.h>
#include <stdint.h>

#include "net/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *whole = NULL;
	SpkHello said = spk_hello_read(data, size, &whole);

	g_assert((said == SPK_HELLO_NAME) == (whole != NULL));
	for (gsize len = size > 64 ? size - 64 : 0; len < size; len++) {
		g_autofree guint8 *part = g_memdup2(data, len);
		g_autofree char *name = NULL;
		SpkHello before = spk_hello_read(part, len, &name);

		if (before == SPK_HELLO_NAME || before == SPK_HELLO_NO_NAME)
			g_assert(before == said && g_strcmp0(name, whole) == 0);
	}
	return 0;
}
