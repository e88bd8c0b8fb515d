/* 8 bytes with the length of a JSON header, the header {"NAME":{"dtype","shape",
 * "data_offsets"}}, the values. */
#include "memory/weights_file_priv.h"

#include <string.h>

#include "base/json.h"

#define HEADER_MAX (16 << 20)

static const char *const type_names[] = {
	[WEIGHT_F32] = "F32", [WEIGHT_I8] = "I8", [WEIGHT_I32] = "I32"
};

/* A number of the header; G_MAXUINT64 for what is none. */
static guint64 number_at(const json_t *array, size_t i)
{
	const json_t *value = json_array_get(array, i);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return G_MAXUINT64;
	return (guint64)json_integer_value(value);
}

/* FALSE for a type that nothing here needs (positions are I64). */
static gboolean find_type(const json_t *entry, WeightType *ret)
{
	const char *name = spk_json_str(entry, "dtype");

	for (gsize i = 0; name && i < G_N_ELEMENTS(type_names); i++)
		if (!strcmp(name, type_names[i])) {
			*ret = (WeightType)i;
			return TRUE;
		}
	return FALSE;
}

static gboolean read_entry(Weights *weights, const char *name, const json_t *entry,
			   guint64 values_at, GError **error)
{
	const json_t *shape = json_object_get(entry, "shape");
	const json_t *offsets = json_object_get(entry, "data_offsets");
	guint64 from = number_at(offsets, 0), to = number_at(offsets, 1);
	size_t dims = json_array_size(shape);
	Weight weight = { 0 };

	if (!find_type(entry, &weight.type) || dims < 1 || dims > 2)
		return TRUE;
	if (from > to || to > weights->size - values_at)
		return weights_refuse(weights, error,
				      "%s lies outside of the file: it is truncated",
				      name);
	weight.rows = dims == 2 ? number_at(shape, 0) : 1;
	weight.columns = number_at(shape, dims == 2 ? 1 : 0);
	weight.bytes = weights->start + values_at + from;
	return weights_add(weights, name, &weight, to - from, error);
}

gboolean weights_read_safetensors(Weights *weights, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(json_t) header = NULL;
	guint64 length;
	const char *name;
	json_t *entry;

	if (weights->size < sizeof(length))
		return weights_refuse(weights, error, "it is too short for a model");
	memcpy(&length, weights->start, sizeof(length));
	length = GUINT64_FROM_LE(length);
	if (length > HEADER_MAX || length > weights->size - sizeof(length))
		return weights_refuse(
			weights, error,
			"it is no safetensors file, or only the beginning of one");
	header = spk_json_parse(weights->start + sizeof(length), length, HEADER_MAX,
				&failure);
	if (!header || !json_is_object(header))
		return weights_refuse(weights, error, "its header can't be read: %s",
				      failure ? failure->message : "it is no object");
	json_object_foreach(header, name, entry) {
		if (!strcmp(name, "__metadata__"))
			weights->notes = json_incref(entry);
		else if (!read_entry(weights, name, entry, sizeof(length) + length,
				     error))
			return FALSE;
	}
	return TRUE;
}
