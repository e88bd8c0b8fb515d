/* config.json gives the shape, which every weight is checked against. */
#include "memory/bert_file_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "memory/prepared_priv.h"

#define CONFIG_MAX (1 << 20)
#define WORDS	   "embeddings.word_embeddings.weight"
#define POSITIONS  "embeddings.position_embeddings.weight"

void bert_file_clear(BertFile *file)
{
	g_clear_pointer(&file->vectors, g_ptr_array_unref);
	g_free(file->digest);
	g_free(file->layers);
	weights_free(file->prepared);
	weights_free(file->weights);
	*file = (BertFile){ 0 };
}

/* ---- shape ---- */

static gboolean refuse(GError **error, const char *path, const char *what)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "use a model of the BERT family: sparks memory model install",
		      "%s: %s", path, what);
	return FALSE;
}

typedef struct {
	const char *key;
	gsize at;
	guint max;
} Number;

#define NUMBER(key, field, max)                             \
	{                                                   \
		key, G_STRUCT_OFFSET(BertShape, field), max \
	}
static const Number numbers[] = {
	NUMBER("num_hidden_layers", layers, 64),
	NUMBER("num_attention_heads", heads, 128),
	NUMBER("hidden_size", hidden, 4096),
	NUMBER("intermediate_size", inner, 16384),
	NUMBER("max_position_embeddings", positions, 8192),
	NUMBER("vocab_size", words, 1 << 20),
};

static gboolean is_word(const json_t *config, const char *key, const char *word)
{
	const char *value = spk_json_str(config, key);

	return !value || !strcmp(value, word);
}

static gboolean check_shape(const BertShape *shape, const json_t *config,
			    const char *path, GError **error)
{
	if (!is_word(config, "model_type", "bert") ||
	    !is_word(config, "position_embedding_type", "absolute") ||
	    !is_word(config, "hidden_act", "gelu"))
		return refuse(
			error, path,
			"only models of type bert with absolute positions and gelu are "
			"known");
	if (shape->hidden % shape->heads)
		return refuse(
			error, path,
			"hidden_size is no multiple of the number of heads; without "
			"config.json, 12 of them are assumed");
	return TRUE;
}

static gboolean check_numbers(const BertShape *shape, const char *path, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		guint value = G_STRUCT_MEMBER(guint, shape, numbers[i].at);
		g_autofree char *what = NULL;

		if (value >= 1 && value <= numbers[i].max)
			continue;
		what = g_strdup_printf("%s has to be 1 to %u", numbers[i].key,
				       numbers[i].max);
		return refuse(error, path, what);
	}
	return TRUE;
}

static gboolean read_config(BertShape *shape, const char *path, GError **error)
{
	gsize n;
	g_autofree char *text = spk_fs_read(path, CONFIG_MAX, &n, error);
	g_autoptr(json_t) config = text ? spk_json_parse(text, n, CONFIG_MAX, error)
					: NULL;

	if (!config) {
		g_prefix_error(error, "%s: ", path);
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		G_STRUCT_MEMBER(guint, shape, numbers[i].at) = (guint)CLAMP(
			spk_json_int(config, numbers[i].key, 0), 0, G_MAXINT);
	shape->epsilon = (float)spk_json_real(config, "layer_norm_eps", 1e-12);
	return check_numbers(shape, path, error) &&
	       check_shape(shape, config, path, error);
}

static guint64 rows_of(const Weights *weights, const char *name, gboolean columns)
{
	const Weight *weight = weights_find(weights, name);

	return !weight ? 0 : columns ? weight->columns : weight->rows;
}

/* Without config.json: all but the heads is seen in the weights, and BERT has 12 of them up to
 * a width of 768, of 64 numbers each beyond. */
static gboolean guess_shape(BertShape *shape, const Weights *weights, GError **error)
{
	char name[64];
	guint64 hidden = rows_of(weights, WORDS, TRUE);

	*shape = (BertShape){ .hidden = (guint)MIN(hidden, 4096),
			      .heads = hidden > 768 ? (guint)(hidden / 64) : 12,
			      .words = (guint)rows_of(weights, WORDS, FALSE),
			      .positions = (guint)rows_of(weights, POSITIONS, FALSE),
			      .inner = (guint)rows_of(
				      weights, "encoder.layer.0.intermediate.dense.bias",
				      TRUE),
			      .epsilon = 1e-12F };
	do {
		g_snprintf(name, sizeof(name),
			   "encoder.layer.%u.attention.self.query.bias", shape->layers);
	} while (weights_find(weights, name) && shape->layers++ < 64);
	if (!shape->layers || !shape->inner || !shape->positions)
		return refuse(error, weights_name(weights), "it is no model of BERT");
	return check_numbers(shape, weights_name(weights), error) &&
	       check_shape(shape, NULL, weights_name(weights), error);
}

static gboolean read_shape(BertFile *file, const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "config.json", NULL);

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return read_config(&file->shape, path, error);
	return guess_shape(&file->shape, file->weights, error);
}

/* ---- weights ---- */

/* The matrices of a layer. */
typedef struct {
	const char *name;
	gsize at;
	gboolean rows_inner, columns_inner; /* else hidden */
} Part;

#define PART(name, field, rows, columns)                               \
	{                                                              \
		name, G_STRUCT_OFFSET(BertLayer, field), rows, columns \
	}
static const Part parts[] = {
	PART("attention.self.query", query, FALSE, FALSE),
	PART("attention.self.key", key, FALSE, FALSE),
	PART("attention.self.value", value, FALSE, FALSE),
	PART("attention.output.dense", after, FALSE, FALSE),
	PART("intermediate.dense", widen, TRUE, FALSE),
	PART("output.dense", narrow, FALSE, TRUE),
};

static guint64 side(const BertFile *file, gboolean inner)
{
	return inner ? file->shape.inner : file->shape.hidden;
}

static char *name_of(guint layer, const char *part, const char *what)
{
	return g_strdup_printf("encoder.layer.%u.%s.%s", layer, part, what);
}

/* A copy with zeros up to a multiple of PANEL. */
static const float *vector(BertFile *file, const char *name, guint64 rows, guint64 n,
			   GError **error)
{
	const Weight *weight =
		weights_get(file->weights, name, WEIGHT_F32, rows, n, error);
	float *copy;

	if (!weight)
		return NULL;
	copy = g_new0(float, ROUND_UP(n, PANEL));
	memcpy(copy, weight->bytes, n * sizeof(float));
	g_ptr_array_add(file->vectors, copy);
	return copy;
}

static gboolean read_norm(BertFile *file, const char *gain, const char *bias,
			  BertNorm *ret, GError **error)
{
	guint64 n = file->shape.hidden;

	ret->gain = vector(file, gain, 1, n, error);
	ret->bias = ret->gain ? vector(file, bias, 1, n, error) : NULL;
	return ret->bias != NULL;
}

static gboolean read_layer_norm(BertFile *file, guint layer, const char *part,
				BertNorm *ret, GError **error)
{
	g_autofree char *gain = name_of(layer, part, "weight");
	g_autofree char *bias = name_of(layer, part, "bias");

	return read_norm(file, gain, bias, ret, error);
}

static gboolean read_layer(BertFile *file, guint layer, GError **error)
{
	BertLayer *ret = &file->layers[layer];

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *name = name_of(layer, parts[i].name, "bias");
		BertDense *dense = &G_STRUCT_MEMBER(BertDense, ret, parts[i].at);

		dense->bias =
			vector(file, name, 1, side(file, parts[i].rows_inner), error);
		if (!dense->bias)
			return FALSE;
	}
	return read_layer_norm(file, layer, "attention.output.LayerNorm",
			       &ret->after_norm, error) &&
	       read_layer_norm(file, layer, "output.LayerNorm", &ret->narrow_norm, error);
}

static gboolean read_embeddings(BertFile *file, GError **error)
{
	const BertShape *shape = &file->shape;
	const Weight *word = weights_get(file->weights, WORDS, WEIGHT_F32, shape->words,
					 shape->hidden, error);
	const Weight *position = word ? weights_get(file->weights, POSITIONS, WEIGHT_F32,
						    shape->positions, shape->hidden,
						    error)
				      : NULL;

	if (!position)
		return FALSE;
	file->word = word->bytes;
	file->position = position->bytes;
	file->type = vector(file, "embeddings.token_type_embeddings.weight", 0,
			    shape->hidden, error);
	return file->type && read_norm(file, "embeddings.LayerNorm.weight",
				       "embeddings.LayerNorm.bias", &file->norm, error);
}

/* ---- digest ---- */

#define ROW_SAMPLES 64
/* Few: each brings its surroundings of the file into memory. */
#define MATRIX_SAMPLES 4

/* Some values of a matrix, from corner to corner. */
static void add_matrix(GChecksum *sum, const BertFile *file, guint layer,
		       const Part *part)
{
	g_autofree char *name = name_of(layer, part->name, "weight");
	const Weight *w = weights_find(file->weights, name);

	for (guint64 i = 0; i < MATRIX_SAMPLES; i++) {
		guint64 row = i * (w->rows - 1) / (MATRIX_SAMPLES - 1);
		guint64 k = i * (w->columns - 1) / (MATRIX_SAMPLES - 1);
		guint64 at = w->turned ? k * w->rows + row : row * w->columns + k;

		g_checksum_update(sum, (const guchar *)w->bytes + at * sizeof(float),
				  sizeof(float));
	}
}

static void add_layer(GChecksum *sum, const BertFile *file, guint number)
{
	const BertLayer *layer = &file->layers[number];
	gssize row = (gssize)(file->shape.hidden * sizeof(float));

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		const BertDense *dense = &G_STRUCT_MEMBER(BertDense, layer, parts[i].at);

		g_checksum_update(
			sum, (const guchar *)dense->bias,
			(gssize)(side(file, parts[i].rows_inner) * sizeof(float)));
		add_matrix(sum, file, number, &parts[i]);
	}
	g_checksum_update(sum, (const guchar *)layer->after_norm.gain, row);
	g_checksum_update(sum, (const guchar *)layer->narrow_norm.gain, row);
}

/* Biases and gains, and a sample of the matrices and of the words: the same for both forms of file,
 * and quick. */
static char *digest_of(const BertFile *file)
{
	const BertShape *shape = &file->shape;
	const guint32 sizes[] = { shape->layers, shape->heads, shape->hidden,
				  shape->inner,	 shape->words, shape->positions };
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint64 row = shape->hidden * sizeof(float);

	g_checksum_update(sum, (const guchar *)sizes, sizeof(sizes));
	for (guint64 i = 0; i < ROW_SAMPLES; i++)
		g_checksum_update(sum,
				  (const guchar *)file->word + i * (shape->words - 1) /
								       (ROW_SAMPLES - 1) *
								       row,
				  (gssize)row);
	for (guint i = 0; i < shape->layers; i++)
		add_layer(sum, file, i);
	return g_strdup(g_checksum_get_string(sum));
}

/* ---- matrices ---- */

static gboolean prepare(BertFile *file, const char *cache, GError **error)
{
	gsize n = file->shape.layers * G_N_ELEMENTS(parts);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree PreparedMatrix *matrices = g_new(PreparedMatrix, n);

	for (gsize i = 0; i < n; i++) {
		guint layer = (guint)(i / G_N_ELEMENTS(parts));
		const Part *part = &parts[i % G_N_ELEMENTS(parts)];
		BertDense *dense =
			&G_STRUCT_MEMBER(BertDense, &file->layers[layer], part->at);
		char *name = name_of(layer, part->name, "weight");

		g_ptr_array_add(names, name);
		matrices[i] = (PreparedMatrix){ name, side(file, part->rows_inner),
						side(file, part->columns_inner),
						&dense->w };
		if (!weights_get(file->weights, name, WEIGHT_F32, matrices[i].rows,
				 matrices[i].depth, error))
			return FALSE;
	}
	file->digest = digest_of(file);
	file->prepared = prepared_open(file->weights, file->digest, cache, matrices, n,
				       file->is_int8, error);
	return file->prepared != NULL;
}

static gboolean read_weights(BertFile *file, const char *cache, GError **error)
{
	if (!read_embeddings(file, error))
		return FALSE;
	file->layers = g_new0(BertLayer, file->shape.layers);
	for (guint i = 0; i < file->shape.layers; i++)
		if (!read_layer(file, i, error))
			return FALSE;
	return prepare(file, cache, error);
}

gboolean bert_file_open(BertFile *file, const SpkModelDir *model, const char *cache,
			gboolean int8, GError **error)
{
	*file = (BertFile){ .is_int8 = int8,
			    .vectors = g_ptr_array_new_with_free_func(g_free) };
	file->weights = weights_open(
		model->safetensors ? model->safetensors : model->onnx, error);
	if (file->weights && read_shape(file, model->dir, error) &&
	    read_weights(file, cache, error))
		return TRUE;
	bert_file_clear(file);
	return FALSE;
}
