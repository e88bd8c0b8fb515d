/* Answers of servers that embed: the first byte says which protocol, how many texts and dimensions
 * were asked for. What is taken is whole, and finite. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/embed_wire.h"
#include "memory/embedder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const SpkEmbedWire *wire = size && data[0] & 1 ? &spk_embed_wire_ollama
						       : &spk_embed_wire_openai;
	gsize n = size ? 1 + ((data[0] >> 1) & 7) : 1;
	guint asked = size ? data[0] >> 4 : 0, dims = asked;
	g_autoptr(GArray) vectors = g_array_new(FALSE, FALSE, sizeof(float));
	g_autoptr(GError) error = NULL;

	if (!spk_embed_wire_parse(wire, size ? (const char *)data + 1 : "",
				  size ? size - 1 : 0, n, &dims, vectors, &error)) {
		g_assert(error && dims == asked);
		return 0;
	}
	g_assert(dims >= 1 && dims <= SPK_EMBED_DIMS_MAX && (!asked || dims == asked));
	g_assert(vectors->len == n * dims);
	for (guint i = 0; i < vectors->len; i++)
		g_assert(isfinite(g_array_index(vectors, float, i)));
	return 0;
}
