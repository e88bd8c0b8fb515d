#include "memory/model_pick.h"

#include <string.h>

#include "base/error.h"

#define KB (1ull << 10)
#define MB (1ull << 20)

enum { SAFETENSORS, ONNX };

const SpkModelFile spk_model_files[] = {
	[SAFETENSORS] = { "model.safetensors", 4095 * MB },
	[ONNX] = { "model.onnx", 4095 * MB },
	{ "vocab.txt", 32 * MB },
	{ "tokenizer.json", 64 * MB },
	{ "tokenizer_config.json", MB },
	{ "special_tokens_map.json", MB },
	{ "config.json", MB },
	{ "config_sentence_transformers.json", MB },
	{ "sentence_bert_config.json", MB },
	{ "modules.json", MB },
	{ "1_Pooling/config.json", MB },
	{ "sparks-model.json", 64 * KB },
	{ "sparks-install.json", 64 * KB },
	{ "LICENSE", MB },
	{ NULL },
};

/* Folder of the weights: where the other files lie. Exporters put model.onnx one deeper. */
static char *root_of(const char *weights)
{
	g_autofree char *dir = g_path_get_dirname(weights);
	g_autofree char *last = g_path_get_basename(dir);

	return !strcmp(last, "onnx") ? g_path_get_dirname(dir) : g_steal_pointer(&dir);
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* The one named `exact`, else the only one that ends like it. -1: none, -2: several. */
static int find_weights(const char *const *names, guint n, const char *exact,
			const char *end)
{
	int found = -1, exactly = -1;

	for (guint i = 0; i < n; i++) {
		if (!g_str_has_suffix(names[i], end))
			continue;
		if (!strcmp(base_of(names[i]), exact))
			exactly = exactly == -1 ? (int)i : -2;
		found = found == -1 ? (int)i : -2;
	}
	return exactly == -1 ? found : exactly;
}

/* Below `root`; NULL: it is elsewhere. */
static const char *below(const char *name, const char *root)
{
	gsize n = strlen(root);

	if (!strcmp(root, "."))
		return name;
	return !strncmp(name, root, n) && name[n] == '/' ? name + n + 1 : NULL;
}

/* "bge-small-tokenizer.json" stands for tokenizer.json beside "bge-small.onnx". */
static const SpkModelFile *file_of(const char *rest, const char *stem)
{
	gsize n = stem ? strlen(stem) : 0;

	if (stem && !strncmp(rest, stem, n) && rest[n] == '-')
		rest += n + 1;
	for (const SpkModelFile *file = spk_model_files + ONNX + 1; file->to; file++)
		if (!strcmp(file->to, rest))
			return file;
	return NULL;
}

static void add(GArray *picks, guint index, const SpkModelFile *file)
{
	SpkModelPick pick = { index, file };

	for (guint i = 0; i < picks->len; i++)
		if (g_array_index(picks, SpkModelPick, i).file == file)
			return; /* the first one counts */
	g_array_append_val(picks, pick);
}

static int choose(const char *const *names, guint n, int *ret_kind, GError **error)
{
	int at = find_weights(names, n, "model.safetensors", ".safetensors");

	*ret_kind = SAFETENSORS;
	if (at == -1) {
		*ret_kind = ONNX;
		at = find_weights(names, n, "model.onnx", ".onnx");
	}
	if (at >= 0)
		return at;
	spk_error_set(error, at == -1 ? SPK_ERR_NOT_FOUND : SPK_ERR_BAD_INPUT,
		      "a model has one model.safetensors or model.onnx, and vocab.txt or "
		      "tokenizer.json beside it",
		      at == -1 ? "there are no weights of a model in it"
			       : "there are weights of several models in it");
	return -1;
}

GArray *spk_model_pick(const char *const *names, guint n, char **ret_name, GError **error)
{
	g_autoptr(GArray) picks = g_array_new(FALSE, FALSE, sizeof(SpkModelPick));
	g_autofree char *root = NULL, *stem = NULL;
	int kind, at = choose(names, n, &kind, error);

	if (at < 0)
		return NULL;
	root = root_of(names[at]);
	stem = g_strdup(base_of(names[at]));
	*strrchr(stem, '.') = '\0';
	if (!strcmp(stem, "model"))
		g_clear_pointer(&stem, g_free);
	add(picks, (guint)at, &spk_model_files[kind]);
	for (guint i = 0; i < n; i++) {
		const char *rest = below(names[i], root);
		const SpkModelFile *file = rest ? file_of(rest, stem) : NULL;

		if (file)
			add(picks, i, file);
	}
	*ret_name = g_steal_pointer(&stem);
	return g_steal_pointer(&picks);
}
