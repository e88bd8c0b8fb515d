/* What both forms of file have in common: everything is checked against the size of the file
 * before it is believed. */
#include "memory/weights_file_priv.h"

#include "base/error.h"
#include "base/json.h"

#define WEIGHTS_MAX 4096
#define SIDE_MAX    (1u << 24)

gboolean weights_refuse(const Weights *weights, GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "get the file anew: sparks memory model install", "%s: %s",
		      weights->name, text);
	return FALSE;
}

static guint64 size_of(WeightType type)
{
	return type == WEIGHT_I8 ? 1 : 4;
}

gboolean weights_add(Weights *weights, const char *name, const Weight *weight,
		     guint64 bytes, GError **error)
{
	if (g_hash_table_size(weights->by_name) == WEIGHTS_MAX)
		return weights_refuse(weights, error, "it has more than %d tensors",
				      WEIGHTS_MAX);
	if (!weight->rows || !weight->columns || weight->rows > SIDE_MAX ||
	    weight->columns > SIDE_MAX)
		return weights_refuse(weights, error, "%s has an odd shape", name);
	if (weight->rows * weight->columns * size_of(weight->type) != bytes)
		return weights_refuse(weights, error,
				      "%s has other values than its shape says", name);
	g_hash_table_replace(weights->by_name, g_strdup(name),
			     g_memdup2(weight, sizeof(*weight)));
	return TRUE;
}

void weights_free(Weights *weights)
{
	if (!weights)
		return;
	json_decref(weights->notes);
	g_clear_pointer(&weights->by_name, g_hash_table_unref);
	g_clear_pointer(&weights->file, g_bytes_unref);
	g_free(weights->name);
	g_free(weights);
}

const char *weights_name(const Weights *weights)
{
	return weights->name;
}

const char *weights_note(const Weights *weights, const char *name)
{
	return spk_json_str(weights->notes, name);
}

const Weight *weights_find(const Weights *weights, const char *name)
{
	const Weight *weight = g_hash_table_lookup(weights->by_name, name);
	g_autofree char *longer = weight ? NULL : g_strconcat("bert.", name, NULL);

	return weight ? weight : g_hash_table_lookup(weights->by_name, longer);
}

const Weight *weights_get(const Weights *weights, const char *name, WeightType type,
			  guint64 rows, guint64 columns, GError **error)
{
	const Weight *weight = weights_find(weights, name);

	if (!weight) {
		(void)weights_refuse(weights, error, "%s is missing: it is no BERT model",
				     name);
		return NULL;
	}
	if (weight->type != type) {
		(void)weights_refuse(weights, error,
				     "%s is not of the type that is needed", name);
		return NULL;
	}
	if ((rows && weight->rows != rows) || weight->columns != columns) {
		(void)weights_refuse(weights, error,
				     "%s is %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
				     ", but %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
				     " would fit the rest of the model",
				     name, weight->rows, weight->columns,
				     rows ? rows : weight->rows, columns);
		return NULL;
	}
	return weight;
}
