/* Each source fills in what is still open. */
#include "memory/model_dir.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

#define JSON_MAX       (1 << 20)
#define MANIFEST       "sparks-model.json"
#define TOKENS_MAX     8192
#define TOKENS_DEFAULT 256

/* What is known so far. */
typedef struct {
	SpkModelDir *model;
	gboolean has_pooling;
} Reading;

static const char *const poolings[] = {
	[SPK_POOL_MEAN] = "mean", [SPK_POOL_CLS] = "cls"
};

/* Models that are kept as .onnx and tokenizer.json alone. */
#define BGE_QUERY "Represent this sentence for searching relevant passages: "
static const struct {
	const char *start; /* of the folder's name, in small letters */
	SpkPooling pooling;
	const char *query, *passage;
	guint max_tokens;
} known[] = {
	{ "all-minilm-l6-v2", SPK_POOL_MEAN, "", "", 256 },
	{ "all-minilm-l12-v2", SPK_POOL_MEAN, "", "", 128 },
	{ "bge-small-en-v1.5", SPK_POOL_CLS, BGE_QUERY, "", 512 },
	{ "bge-base-en-v1.5", SPK_POOL_CLS, BGE_QUERY, "", 512 },
	{ "bge-large-en-v1.5", SPK_POOL_CLS, BGE_QUERY, "", 512 },
	{ "e5-small-v2", SPK_POOL_MEAN, "query: ", "passage: ", 512 },
	{ "e5-base-v2", SPK_POOL_MEAN, "query: ", "passage: ", 512 },
	{ "e5-large-v2", SPK_POOL_MEAN, "query: ", "passage: ", 512 },
};

const char *spk_pooling_name(SpkPooling pooling)
{
	return poolings[pooling];
}

void spk_model_dir_clear(SpkModelDir *model)
{
	g_free(model->dir);
	g_free(model->name);
	g_free(model->safetensors);
	g_free(model->onnx);
	g_free(model->query);
	g_free(model->passage);
	*model = (SpkModelDir){ 0 };
}

static gboolean refuse(const SpkModelDir *model, GError **error, const char *file,
		       const char *what, const char *value)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "docs/embeddings.md says what a model's folder may hold",
		      "%s/%s: %s%s", model->dir, file, what, value);
	return FALSE;
}

/* The object in `file`; *ret NULL: there is no such file. */
static gboolean read_file(const SpkModelDir *model, const char *file, json_t **ret,
			  GError **error)
{
	g_autofree char *path = g_build_filename(model->dir, file, NULL);
	g_autofree char *text = NULL;
	gsize n;

	*ret = NULL;
	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	text = spk_fs_read(path, JSON_MAX, &n, error);
	if (!text)
		return FALSE;
	*ret = spk_json_parse(text, n, JSON_MAX, error);
	if (!*ret)
		g_prefix_error(error, "%s: ", path);
	return *ret != NULL;
}

static void set_text(char **place, const char *text)
{
	if (!*place && text)
		*place = g_strdup(text);
}

static gboolean set_prefix(const SpkModelDir *model, char **place, const char *text,
			   const char *file, GError **error)
{
	if (text && strlen(text) > SPK_MODEL_PREFIX_MAX)
		return refuse(model, error, file, "a prefix is longer than 1024 bytes",
			      "");
	set_text(place, text);
	return TRUE;
}

/* 0: not said. */
static gboolean set_tokens(SpkModelDir *model, gint64 n, const char *file, GError **error)
{
	if (n && (n < 3 || n > TOKENS_MAX))
		return refuse(model, error, file,
			      "a model reads 3 to 8192 tokens, not what is said there",
			      "");
	if (!model->max_tokens)
		model->max_tokens = (guint)n;
	return TRUE;
}

/* ---- sparks-model.json ---- */

static gboolean read_pooling(Reading *reading, const char *name, GError **error)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(poolings); i++)
		if (!strcmp(name, poolings[i])) {
			reading->model->pooling = (SpkPooling)i;
			reading->has_pooling = TRUE;
			return TRUE;
		}
	return !name || refuse(reading->model, error, MANIFEST,
			       "\"pooling\" is \"mean\" or \"cls\", not ", name);
}

static gboolean check_keys(const SpkModelDir *model, const json_t *manifest,
			   GError **error)
{
	static const struct {
		const char *name;
		json_type type;
	} keys[] = {
		{ "name", JSON_STRING },	 { "pooling", JSON_STRING },
		{ "query_prefix", JSON_STRING }, { "passage_prefix", JSON_STRING },
		{ "max_tokens", JSON_INTEGER },
	};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)manifest, key, value) {
		gsize i = 0;

		while (i < G_N_ELEMENTS(keys) && strcmp(keys[i].name, key) != 0)
			i++;
		if (i == G_N_ELEMENTS(keys))
			return refuse(model, error, MANIFEST, "unknown key ", key);
		if (json_typeof(value) != keys[i].type)
			return refuse(model, error, MANIFEST, "wrong type of ", key);
	}
	return TRUE;
}

static gboolean read_manifest(Reading *reading, GError **error)
{
	SpkModelDir *model = reading->model;
	g_autoptr(json_t) json = NULL;

	if (!read_file(model, MANIFEST, &json, error))
		return FALSE;
	if (json && !json_is_object(json))
		return refuse(model, error, MANIFEST, "it is no object", "");
	set_text(&model->name, spk_json_str(json, "name"));
	return check_keys(model, json, error) &&
	       read_pooling(reading, spk_json_str(json, "pooling"), error) &&
	       set_prefix(model, &model->query, spk_json_str(json, "query_prefix"),
			  MANIFEST, error) &&
	       set_prefix(model, &model->passage, spk_json_str(json, "passage_prefix"),
			  MANIFEST, error) &&
	       set_tokens(model, spk_json_int(json, "max_tokens", 0), MANIFEST, error);
}

/* ---- Sentence Transformers ---- */

#define POOLING "1_Pooling/config.json"
#define MODE	"pooling_mode_"

static gboolean read_st_pooling(Reading *reading, GError **error)
{
	g_autoptr(json_t) json = NULL;
	const char *key;
	json_t *value;

	if (reading->has_pooling)
		return TRUE;
	if (!read_file(reading->model, POOLING, &json, error))
		return FALSE;
	json_object_foreach(json, key, value) {
		if (!g_str_has_prefix(key, MODE) || !json_is_true(value))
			continue;
		if (!strcmp(key, MODE "cls_token") && !reading->has_pooling)
			reading->model->pooling = SPK_POOL_CLS;
		else if (strcmp(key, MODE "mean_tokens") != 0 || reading->has_pooling)
			return refuse(reading->model, error, POOLING,
				      "this pooling is not known: ", key);
		reading->has_pooling = TRUE;
	}
	return TRUE;
}

/* What is computed after the model itself. */
static gboolean check_modules(const SpkModelDir *model, GError **error)
{
	static const char file[] = "modules.json";
	static const char *const known_modules[] = { ".Transformer", ".Pooling",
						     ".Normalize" };
	g_autoptr(json_t) json = NULL;
	json_t *module;
	size_t at;

	if (!read_file(model, file, &json, error))
		return FALSE;
	json_array_foreach(json, at, module) {
		const char *type = spk_json_str(module, "type");
		gsize i = 0;

		while (type && i < G_N_ELEMENTS(known_modules) &&
		       !g_str_has_suffix(type, known_modules[i]))
			i++;
		if (!type || i == G_N_ELEMENTS(known_modules))
			return refuse(model, error, file, "this module is not known: ",
				      type ? type : "one without type");
	}
	return TRUE;
}

static gboolean read_st_rest(SpkModelDir *model, GError **error)
{
	static const char prompts_file[] = "config_sentence_transformers.json";
	static const char length_file[] = "sentence_bert_config.json";
	g_autoptr(json_t) length = NULL;
	g_autoptr(json_t) config = NULL;
	const json_t *prompts;
	const char *passage;

	if (!read_file(model, length_file, &length, error) ||
	    !read_file(model, prompts_file, &config, error))
		return FALSE;
	prompts = json_object_get(config, "prompts");
	passage = spk_json_str(prompts, "passage");
	if (!passage)
		passage = spk_json_str(prompts, "document");
	return set_prefix(model, &model->query, spk_json_str(prompts, "query"),
			  prompts_file, error) &&
	       set_prefix(model, &model->passage, passage, prompts_file, error) &&
	       set_tokens(model, spk_json_int(length, "max_seq_length", 0), length_file,
			  error);
}

/* ---- the rest ---- */

static void read_name(Reading *reading)
{
	SpkModelDir *model = reading->model;
	g_autofree char *path = g_canonicalize_filename(model->dir, NULL);
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *small = g_ascii_strdown(base, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		if (!g_str_has_prefix(small, known[i].start))
			continue;
		if (!reading->has_pooling)
			model->pooling = known[i].pooling;
		set_text(&model->query, known[i].query);
		set_text(&model->passage, known[i].passage);
		if (!model->max_tokens)
			model->max_tokens = known[i].max_tokens;
	}
	set_text(&model->name, base);
	set_text(&model->query, "");
	set_text(&model->passage, "");
	if (!model->max_tokens)
		model->max_tokens = TOKENS_DEFAULT;
}

static char *find(const char *dir, const char *file)
{
	g_autofree char *path = g_build_filename(dir, file, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

static gboolean find_weights(SpkModelDir *model, GError **error)
{
	model->safetensors = find(model->dir, "model.safetensors");
	model->onnx = find(model->dir, "model.onnx");
	if (!model->onnx)
		model->onnx = find(model->dir, "onnx/model.onnx");
	if (model->safetensors || model->onnx)
		return TRUE;
	spk_error_set(error, SPK_ERR_NOT_FOUND,
		      "install a model: sparks memory model install",
		      "there is no model in %s: neither model.safetensors nor model.onnx",
		      model->dir);
	return FALSE;
}

gboolean spk_model_dir_read(SpkModelDir *model, const char *dir, GError **error)
{
	Reading reading = { .model = model };

	*model = (SpkModelDir){ .dir = g_strdup(dir) };
	if (!find_weights(model, error) || !read_manifest(&reading, error) ||
	    !read_st_pooling(&reading, error) || !check_modules(model, error) ||
	    !read_st_rest(model, error)) {
		spk_model_dir_clear(model);
		return FALSE;
	}
	read_name(&reading);
	return TRUE;
}
