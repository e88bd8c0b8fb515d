/* The embedder that computes itself: the engine of this room over a model's folder. */
#include <string.h>

#include "base/error.h"
#include "memory/bert.h"
#include "memory/embedder_all_priv.h"

static void no_model(GError **error, const char *dir)
{
	spk_error_set(error, SPK_ERR_NOT_FOUND,
		      "get one (84 MB): sparks memory model install",
		      "there is no model for embeddings in %s", dir);
}

/* Files of weights, together. */
static guint64 size_of(const SpkModelDir *model)
{
	const char *path = model->safetensors ? model->safetensors : model->onnx;
	g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, NULL);

	return map ? g_mapped_file_get_length(map) : 0;
}

static void tell(const SpkEmbedSetup *setup, const SpkModelDir *model, gboolean int8,
		 SpkBert *bert, SpkEmbedInfo *info)
{
	info->model = g_strdup(model->name);
	info->identity = g_strdup(spk_bert_digest(bert));
	info->engine = g_strdup("own engine");
	info->isa = g_strdup(spk_bert_kernels(bert));
	info->pooling = g_strdup(spk_pooling_name(model->pooling));
	info->precision = g_strdup(int8 ? "int8" : "f32");
	info->folder = g_strdup(setup->dir);
	info->query_prefix = g_strdup(model->query);
	info->passage_prefix = g_strdup(model->passage);
	info->dims = spk_bert_dims(bert);
	info->max_tokens = spk_bert_max_tokens(bert);
	info->bytes = size_of(model);
}

static gpointer engine_open(const SpkEmbedSetup *setup, SpkEmbedInfo *info,
			    GError **error)
{
	g_autofree char *cache =
		setup->home ? g_build_filename(setup->home, "models", ".prepared", NULL)
			    : NULL;
	SpkBertOptions options = {
		.int8 = g_str_equal(spk_conf_str(setup->conf, "embedding.precision"),
				    "int8"),
		.cache = cache,
	};
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(GError) why = NULL;
	SpkBert *bert;

	if (!spk_model_dir_read(&model, setup->dir, &why)) {
		if (spk_error_is(why, SPK_ERR_NOT_FOUND))
			no_model(error, setup->dir);
		else
			g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	bert = spk_bert_open(&model, &options, error);
	if (bert)
		tell(setup, &model, options.int8, bert, info);
	return bert;
}

static gboolean engine_embed(gpointer self, const char *const *texts, gsize n,
			     guint *dims, GArray *ret, SpkCancel *cancel, GError **error)
{
	guint width = spk_bert_dims(self), start = ret->len;

	g_array_set_size(ret, start + (guint)n * width);
	for (gsize i = 0; i < n; i++)
		if (!spk_cancel_check(cancel, error) ||
		    !spk_bert_embed(self, NULL, texts[i], strlen(texts[i]),
				    &g_array_index(ret, float, start + i * width), error))
			return FALSE;
	*dims = width;
	return TRUE;
}

static void engine_close(gpointer self)
{
	spk_bert_free(self);
}

const SpkEmbedImpl spk_embed_engine = { "engine", 64, engine_open, engine_embed,
					engine_close };
