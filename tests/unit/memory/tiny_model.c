#include "tiny_model.h"

#include <math.h>
#include <string.h>

static void tensor_free(gpointer data)
{
	TinyTensor *tensor = data;

	g_free(tensor->name);
	g_free(tensor->values);
	g_free(tensor);
}

/* Anything, but the same everywhere: -0.5 to 0.5. */
static float value_of(guint32 seed)
{
	seed = (seed ^ 61) ^ (seed >> 16);
	seed *= 9;
	seed ^= seed >> 4;
	seed *= 0x27d4eb2d;
	seed ^= seed >> 15;
	return (float)(seed % 10007) / 10007 - 0.5F;
}

static void add(GPtrArray *tensors, char *take_name, guint rows, guint columns)
{
	TinyTensor *tensor = g_new0(TinyTensor, 1);
	gboolean is_gain = g_str_has_suffix(take_name, "LayerNorm.weight");

	*tensor = (TinyTensor){ take_name, rows, columns, g_new(float, rows *columns) };
	for (guint i = 0; i < rows * columns; i++)
		tensor->values[i] =
			value_of(tensors->len * 65537 + i) + (is_gain ? 1 : 0);
	g_ptr_array_add(tensors, tensor);
}

static void add_dense(GPtrArray *tensors, guint layer, const char *part, guint rows,
		      guint columns)
{
	add(tensors, g_strdup_printf("encoder.layer.%u.%s.weight", layer, part), rows,
	    columns);
	add(tensors, g_strdup_printf("encoder.layer.%u.%s.bias", layer, part), 1, rows);
}

static void add_norm(GPtrArray *tensors, const char *prefix)
{
	add(tensors, g_strconcat(prefix, "LayerNorm.weight", NULL), 1, TINY_HIDDEN);
	add(tensors, g_strconcat(prefix, "LayerNorm.bias", NULL), 1, TINY_HIDDEN);
}

GPtrArray *tiny_tensors(void)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(tensor_free);

	add(all, g_strdup("embeddings.word_embeddings.weight"), TINY_WORDS, TINY_HIDDEN);
	add(all, g_strdup("embeddings.position_embeddings.weight"), TINY_POSITIONS,
	    TINY_HIDDEN);
	add(all, g_strdup("embeddings.token_type_embeddings.weight"), 2, TINY_HIDDEN);
	add_norm(all, "embeddings.");
	for (guint i = 0; i < TINY_LAYERS; i++) {
		g_autofree char *after =
			g_strdup_printf("encoder.layer.%u.attention.output.", i);
		g_autofree char *last = g_strdup_printf("encoder.layer.%u.output.", i);

		add_dense(all, i, "attention.self.query", TINY_HIDDEN, TINY_HIDDEN);
		add_dense(all, i, "attention.self.key", TINY_HIDDEN, TINY_HIDDEN);
		add_dense(all, i, "attention.self.value", TINY_HIDDEN, TINY_HIDDEN);
		add_dense(all, i, "attention.output.dense", TINY_HIDDEN, TINY_HIDDEN);
		add_norm(all, after);
		add_dense(all, i, "intermediate.dense", TINY_INNER, TINY_HIDDEN);
		add_dense(all, i, "output.dense", TINY_HIDDEN, TINY_INNER);
		add_norm(all, last);
	}
	return all;
}

TinyTensor *tiny_find(GPtrArray *tensors, const char *name)
{
	for (guint i = 0; i < tensors->len; i++) {
		TinyTensor *tensor = tensors->pdata[i];

		if (!strcmp(tensor->name, name))
			return tensor;
	}
	g_assert_not_reached();
}

/* ---- files ---- */

GByteArray *tiny_safetensors(GPtrArray *tensors)
{
	GByteArray *file = g_byte_array_new();
	GString *header = g_string_new("{\"__metadata__\":{\"format\":\"pt\"}");
	guint64 at = 0, length;

	for (guint i = 0; i < tensors->len; i++) {
		const TinyTensor *t = tensors->pdata[i];
		guint64 size = 4 * t->rows * t->columns;

		g_string_append_printf(header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[",
				       t->name);
		if (t->rows > 1)
			g_string_append_printf(header, "%u,", t->rows);
		g_string_append_printf(header,
				       "%u],\"data_offsets\":[%" G_GUINT64_FORMAT
				       ",%" G_GUINT64_FORMAT "]}",
				       t->columns, at, at + size);
		at += size;
	}
	g_string_append_c(header, '}');
	length = GUINT64_TO_LE(header->len);
	g_byte_array_append(file, (guint8 *)&length, 8);
	g_byte_array_append(file, (guint8 *)header->str, (guint)header->len);
	g_string_free(header, TRUE);
	for (guint i = 0; i < tensors->len; i++) {
		const TinyTensor *t = tensors->pdata[i];

		g_byte_array_append(file, (guint8 *)t->values, 4 * t->rows * t->columns);
	}
	return file;
}

static void put_varint(GByteArray *to, guint64 value)
{
	do {
		guint8 byte = (value & 127) | (value > 127 ? 128 : 0);

		g_byte_array_append(to, &byte, 1);
		value >>= 7;
	} while (value);
}

static void put_number(GByteArray *to, guint field, guint64 value)
{
	put_varint(to, field << 3);
	put_varint(to, value);
}

static void put_bytes(GByteArray *to, guint field, const void *bytes, gsize n)
{
	put_varint(to, field << 3 | 2);
	put_varint(to, n);
	g_byte_array_append(to, bytes, (guint)n);
}

static void put_text(GByteArray *to, guint field, const char *text)
{
	put_bytes(to, field, text, strlen(text));
}

static void put_message(GByteArray *to, guint field, GByteArray *take)
{
	put_bytes(to, field, take->data, take->len);
	g_byte_array_unref(take);
}

static void put_tensor(GByteArray *graph, const char *name, guint rows, guint columns,
		       const float *values)
{
	GByteArray *tensor = g_byte_array_new();

	if (rows > 1)
		put_number(tensor, 1, rows);
	put_number(tensor, 1, columns);
	put_number(tensor, 2, 1); /* floats */
	put_text(tensor, 8, name);
	put_bytes(tensor, 9, values, 4 * rows * columns);
	put_message(graph, 5, tensor);
}

static void put_node(GByteArray *graph, const char *op, const char *a, const char *b,
		     const char *out)
{
	GByteArray *node = g_byte_array_new();

	put_text(node, 1, a);
	put_text(node, 1, b);
	put_text(node, 2, out);
	put_text(node, 4, op);
	put_message(graph, 1, node);
}

/* As exporters do: matrices turned, under a number; only biases keep their names. */
static void put_matrix(GByteArray *graph, const TinyTensor *t, guint number)
{
	g_autofree char *name = g_strdup_printf("onnx::MatMul_%u", number);
	g_autofree char *product = g_strdup_printf("product_%u", number);
	g_autofree char *sum = g_strdup_printf("sum_%u", number);
	g_autofree char *bias =
		g_strdup_printf("%.*s.bias", (int)(strlen(t->name) - 7), t->name);
	g_autofree float *turned = g_new(float, t->rows * t->columns);

	for (guint r = 0; r < t->rows; r++)
		for (guint k = 0; k < t->columns; k++)
			turned[k * t->rows + r] = t->values[r * t->columns + k];
	put_tensor(graph, name, t->columns, t->rows, turned);
	put_node(graph, "MatMul", "in", name, product);
	put_node(graph, "Add", bias, product, sum);
}

GByteArray *tiny_onnx(GPtrArray *tensors)
{
	GByteArray *model = g_byte_array_new(), *graph = g_byte_array_new();

	put_number(model, 1, 8);
	for (guint i = 0; i < tensors->len; i++) {
		const TinyTensor *t = tensors->pdata[i];

		if (t->rows > 1 && g_str_has_prefix(t->name, "encoder."))
			put_matrix(graph, t, i);
		else
			put_tensor(graph, t->name, t->rows, t->columns, t->values);
	}
	put_message(model, 7, graph);
	return model;
}

static void put_file(const char *dir, const char *name, const void *bytes, gsize n)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	g_assert(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

char *tiny_folder(GPtrArray *tensors, gboolean onnx)
{
	static const char vocab[] = "[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\ng\nh\ni\n";
	g_autofree char *config = g_strdup_printf(
		"{\"model_type\":\"bert\",\"num_hidden_layers\":%d,"
		"\"num_attention_heads\":%d,\"hidden_size\":%d,\"intermediate_size\":%d,"
		"\"max_position_embeddings\":%d,\"vocab_size\":%d}",
		TINY_LAYERS, TINY_HEADS, TINY_HIDDEN, TINY_INNER, TINY_POSITIONS,
		TINY_WORDS);
	char *dir = g_dir_make_tmp("sparks-tiny-XXXXXX", NULL);
	g_autoptr(GByteArray) file = onnx ? tiny_onnx(tensors)
					  : tiny_safetensors(tensors);

	put_file(dir, "vocab.txt", vocab, strlen(vocab));
	put_file(dir, "config.json", config, strlen(config));
	put_file(dir, onnx ? "model.onnx" : "model.safetensors", file->data, file->len);
	return dir;
}

/* ---- the formula ---- */

typedef double Row[TINY_INNER > TINY_HIDDEN ? TINY_INNER : TINY_HIDDEN];

static const float *values_of(GPtrArray *tensors, guint layer, const char *part,
			      const char *what)
{
	g_autofree char *name =
		g_strdup_printf("encoder.layer.%u.%s.%s", layer, part, what);

	return tiny_find(tensors, name)->values;
}

static void dense(GPtrArray *tensors, guint layer, const char *part, guint rows,
		  guint columns, const double *in, double *out)
{
	const float *w = values_of(tensors, layer, part, "weight");
	const float *bias = values_of(tensors, layer, part, "bias");

	for (guint r = 0; r < rows; r++) {
		out[r] = (double)bias[r];
		for (guint k = 0; k < columns; k++)
			out[r] += (double)w[r * columns + k] * in[k];
	}
}

static void norm(double *x, const float *gain, const float *bias)
{
	double mean = 0, spread = 0;

	for (guint i = 0; i < TINY_HIDDEN; i++)
		mean += x[i] / TINY_HIDDEN;
	for (guint i = 0; i < TINY_HIDDEN; i++)
		spread += (x[i] - mean) * (x[i] - mean) / TINY_HIDDEN;
	for (guint i = 0; i < TINY_HIDDEN; i++)
		x[i] = (x[i] - mean) / sqrt(spread + 1e-12) * (double)gain[i] +
		       (double)bias[i];
}

static void attend(const Row *query, const Row *key, const Row *value, gsize n, gsize t,
		   double *ret)
{
	enum { WIDTH = TINY_HIDDEN / TINY_HEADS };
	g_autofree double *part = g_new(double, n);

	for (guint at = 0; at < TINY_HIDDEN; at += WIDTH) {
		double sum = 0;

		for (gsize j = 0; j < n; j++) {
			part[j] = 0;
			for (guint k = at; k < at + WIDTH; k++)
				part[j] += query[t][k] * key[j][k] / sqrt(WIDTH);
			part[j] = exp(part[j]);
			sum += part[j];
		}
		for (guint k = at; k < at + WIDTH; k++) {
			ret[k] = 0;
			for (gsize j = 0; j < n; j++)
				ret[k] += part[j] / sum * value[j][k];
		}
	}
}

static void run_layer(GPtrArray *tensors, guint layer, Row *x, gsize n)
{
	g_autofree Row *query = g_new(Row, n);
	g_autofree Row *key = g_new(Row, n);
	g_autofree Row *value = g_new(Row, n);
	Row mixed, out, wide;

	for (gsize t = 0; t < n; t++) {
		dense(tensors, layer, "attention.self.query", TINY_HIDDEN, TINY_HIDDEN,
		      x[t], query[t]);
		dense(tensors, layer, "attention.self.key", TINY_HIDDEN, TINY_HIDDEN,
		      x[t], key[t]);
		dense(tensors, layer, "attention.self.value", TINY_HIDDEN, TINY_HIDDEN,
		      x[t], value[t]);
	}
	for (gsize t = 0; t < n; t++) {
		attend(query, key, value, n, t, mixed);
		dense(tensors, layer, "attention.output.dense", TINY_HIDDEN, TINY_HIDDEN,
		      mixed, out);
		for (guint i = 0; i < TINY_HIDDEN; i++)
			x[t][i] += out[i];
		norm(x[t],
		     values_of(tensors, layer, "attention.output.LayerNorm", "weight"),
		     values_of(tensors, layer, "attention.output.LayerNorm", "bias"));
		dense(tensors, layer, "intermediate.dense", TINY_INNER, TINY_HIDDEN, x[t],
		      wide);
		for (guint i = 0; i < TINY_INNER; i++)
			wide[i] *= 0.5 * (1 + erf(wide[i] / sqrt(2)));
		dense(tensors, layer, "output.dense", TINY_HIDDEN, TINY_INNER, wide, out);
		for (guint i = 0; i < TINY_HIDDEN; i++)
			x[t][i] += out[i];
		norm(x[t], values_of(tensors, layer, "output.LayerNorm", "weight"),
		     values_of(tensors, layer, "output.LayerNorm", "bias"));
	}
}

void tiny_embed(GPtrArray *tensors, const guint32 *ids, gsize n, gboolean cls,
		double *ret)
{
	const float *word =
		tiny_find(tensors, "embeddings.word_embeddings.weight")->values;
	const float *place =
		tiny_find(tensors, "embeddings.position_embeddings.weight")->values;
	const float *type =
		tiny_find(tensors, "embeddings.token_type_embeddings.weight")->values;
	g_autofree Row *x = g_new0(Row, n);
	double length = 0;

	for (gsize t = 0; t < n; t++) {
		for (guint i = 0; i < TINY_HIDDEN; i++)
			x[t][i] = (double)word[ids[t] * TINY_HIDDEN + i] +
				  (double)place[t * TINY_HIDDEN + i] + (double)type[i];
		norm(x[t], tiny_find(tensors, "embeddings.LayerNorm.weight")->values,
		     tiny_find(tensors, "embeddings.LayerNorm.bias")->values);
	}
	for (guint i = 0; i < TINY_LAYERS; i++)
		run_layer(tensors, i, x, n);
	for (guint i = 0; i < TINY_HIDDEN; i++) {
		ret[i] = 0;
		for (gsize t = 0; t < (cls ? 1 : n); t++)
			ret[i] += x[t][i] / (double)(cls ? 1 : n);
		length += ret[i] * ret[i];
	}
	for (guint i = 0; i < TINY_HIDDEN; i++)
		ret[i] /= sqrt(length);
}
