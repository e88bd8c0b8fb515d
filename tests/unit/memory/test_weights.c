/* Files of weights as an attacker or a broken download would make them. */
#include "test_memory.h"

#include <string.h>

#include "base/error.h"
#include "memory/weights_priv.h"
#include "tiny_model.h"

static Weights *try(const void *bytes, gsize n, GError **error)
{
	g_autoptr(GBytes) file = g_bytes_new(bytes, n);

	return weights_new(file, "FILE", error);
}

static GByteArray *with_header(const char *header, gsize values)
{
	GByteArray *file = g_byte_array_new();
	guint64 length = GUINT64_TO_LE(strlen(header));

	g_byte_array_append(file, (guint8 *)&length, 8);
	g_byte_array_append(file, (const guint8 *)header, (guint)strlen(header));
	g_byte_array_set_size(file, (guint)(8 + strlen(header) + values));
	return file;
}

/* clang-format off */
static const struct {
	const char *header, *error;
} headers[] = {
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,20]}}", "a lies outside" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,4]}}", "a lies outside" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[-16,0]}}", "a lies outside" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[9223372036854775792,9223372036854775807]}}", "a lies outside" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,16]}}", "a has other values" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", "a has an odd shape" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", "a has an odd shape" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", "a has an odd shape" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", "a lies outside" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},}", "header can't be read" },
	{ "{\"a\":{},\"a\":{}}", "header can't be read" },
};
/* clang-format on */

static void test_headers(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
		g_autoptr(GByteArray) file = with_header(headers[i].header, 16);
		g_autoptr(GError) error = NULL;

		assert_null(try(file->data, file->len, &error));
		if (!spk_error_is(error, SPK_ERR_BAD_INPUT) ||
		    !g_str_has_prefix(error->message, "FILE: ") ||
		    !strstr(error->message, headers[i].error))
			fail_msg("%s: %s", headers[i].header, error->message);
	}
}

static void test_other_tensors(void **state)
{
	g_autoptr(GByteArray) file = with_header(
		"{\"__metadata__\":{\"source\":\"x\"},\"ids\":{\"dtype\":\"I64\",\"shape\":[1],"
		"\"data_offsets\":[0,8]},\"bert.b\":{\"dtype\":\"F32\",\"shape\":[2],"
		"\"data_offsets\":[8,16]},\"c\":3}",
		16);
	g_autoptr(Weights) weights = try(file->data, file->len, NULL);

	assert_non_null(weights);
	assert_string_equal(weights_note(weights, "source"), "x");
	assert_null(weights_note(weights, "other"));
	assert_null(weights_find(weights, "ids"));
	assert_null(weights_find(weights, "c"));
	assert_int_equal(weights_find(weights, "b")->columns, 2);
	assert_null(weights_get(weights, "b", WEIGHT_I8, 1, 2, NULL));
	assert_null(weights_get(weights, "b", WEIGHT_F32, 2, 2, NULL));
	assert_non_null(weights_get(weights, "b", WEIGHT_F32, 0, 2, NULL));
}

/* Each beginning of a good file, and each with a byte changed: an error or sound weights, and
 * never a byte read beyond the end (the sanitizer looks). */
static void try_damages(GByteArray *file)
{
	gsize step = MAX(file->len / 300, 1);

	for (gsize n = 0; n < file->len; n += step) {
		g_autofree guint8 *part = g_memdup2(file->data, MAX(n, 1));
		g_autoptr(GBytes) bytes = g_bytes_new_static(part, n);
		g_autoptr(GError) error = NULL;

		assert_null(weights_new(bytes, "FILE", &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
	for (gsize i = 0; i < MIN(file->len, 3000); i++) {
		guint8 was = file->data[i];

		for (guint bit = 0; bit < 8; bit += 3) {
			g_autoptr(GError) error = NULL;

			file->data[i] = was ^ (guint8)(1 << bit);
			{
				g_autoptr(Weights)
					weights = try(file->data, file->len, &error);

				assert_true(!weights == !!error);
			}
		}
		file->data[i] = was;
	}
}

static void test_damages(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	g_autoptr(GByteArray) safetensors = tiny_safetensors(tensors);
	g_autoptr(GByteArray) onnx = tiny_onnx(tensors);

	try_damages(safetensors);
	try_damages(onnx);
}

static void test_onnx_names(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	g_autoptr(GByteArray) file = tiny_onnx(tensors);
	g_autoptr(Weights) weights = try(file->data, file->len, NULL);
	const TinyTensor *tensor =
		tiny_find(tensors, "encoder.layer.1.output.dense.weight");
	const Weight *found;
	float value;

	assert_non_null(weights);
	found = weights_get(weights, tensor->name, WEIGHT_F32, TINY_HIDDEN, TINY_INNER,
			    NULL);
	assert_non_null(found);
	assert_true(found->turned);
	memcpy(&value, found->bytes + sizeof(value) * (3 * TINY_HIDDEN + 5),
	       sizeof(value));
	assert_memory_equal(&value, &tensor->values[5 * TINY_INNER + 3], sizeof(value));
}

const struct CMUnitTest weights_tests[] = {
	{ "weights: headers that lie", test_headers, NULL, NULL, NULL },
	{ "weights: tensors that nothing here needs", test_other_tensors, NULL, NULL,
	  NULL },
	{ "weights: damaged files", test_damages, NULL, NULL, NULL },
	{ "weights: the matrices of a graph", test_onnx_names, NULL, NULL, NULL },
};
const size_t n_weights_tests = G_N_ELEMENTS(weights_tests);
