/* A .safetensors or .onnx file: read or refused; every tensor that is found lies inside of it. */
#include <glib.h>
#include <stdint.h>

#include "base/error.h"
#include "memory/weights_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names that the corpus has, and through them what the reader of graphs names. */
static const char *const names[] = { "a", "b", "m.weight", "m.bias", "encoder.x.weight" };

static void check(const Weight *weight, const uint8_t *data, size_t size)
{
	guint64 n = weight->rows * weight->columns * (weight->type == WEIGHT_I8 ? 1 : 4);
	const uint8_t *bytes = (const uint8_t *)weight->bytes;
	guint sum = 0;

	g_assert(weight->rows && weight->columns && n <= size);
	g_assert(bytes >= data && n <= (guint64)(data + size - bytes));
	for (guint64 i = 0; i < n; i++)
		sum += bytes[i];
	g_assert(sum <= 255 * n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) file = g_bytes_new_static(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(Weights) weights = weights_new(file, "f", &error);

	g_assert(!weights == !!error);
	g_assert(weights || spk_error_is(error, SPK_ERR_BAD_INPUT));
	for (gsize i = 0; weights && i < G_N_ELEMENTS(names); i++) {
		const Weight *weight = weights_find(weights, names[i]);

		if (weight)
			check(weight, data, size);
	}
	return 0;
}
