/* Opens either form; lies above those who read them. */
#include "base/error.h"
#include "memory/weights_file_priv.h"

/* A header of JSON after its length, or the first field of a protocol buffer. */
static gboolean is_safetensors(const Weights *weights)
{
	return weights->size > 8 && weights->start[8] == '{';
}

Weights *weights_new(GBytes *file, const char *name, GError **error)
{
	g_autoptr(Weights) weights = g_new0(Weights, 1);
	gsize size;

	weights->name = g_strdup(name);
	weights->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	weights->file = g_bytes_ref(file);
	weights->start = g_bytes_get_data(file, &size);
	weights->size = size;
	if (is_safetensors(weights) ? !weights_read_safetensors(weights, error)
				    : !weights_read_onnx(weights, error))
		return NULL;
	return g_steal_pointer(&weights);
}

Weights *weights_open(const char *path, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &failure);
	g_autoptr(GBytes) bytes = file ? g_mapped_file_get_bytes(file) : NULL;

	if (!file) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "install a model: sparks memory model install", "%s",
			      failure->message);
		return NULL;
	}
	return weights_new(bytes, path, error);
}
