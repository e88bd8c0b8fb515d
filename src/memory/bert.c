/* Reads as the formula: embeddings, then for each layer attention and the feed-forward part,
 * each with its residual and its norm, then pooling. */
#include "memory/bert.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "memory/bert_file_priv.h"
#include "memory/kernels_priv.h"
#include "memory/wordpiece.h"

struct SpkBert {
	BertFile file;
	SpkWordpiece *words;
	SpkPooling pooling;
	const Kernels *kernels;
	guint max_tokens;
	char *digest;
};

/* Memory of one call: a row of `stride` (or `wide_stride`) floats a token. */
typedef struct {
	const SpkBert *bert;
	const BertShape *shape;
	gsize n, stride, wide_stride, score_stride;
	float *x, *query, *key, *value, *context, *wide;
	float *key_panels, *value_panels, *scores; /* of one head */
	Bytes bytes;
	GPtrArray *owned;
} Pass;

static char *digest_of(const SpkBert *bert, const SpkModelDir *model)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *rest =
		g_strdup_printf("%s %" G_GINT64_MODIFIER "x %s %zu:%s %zu:%s",
				bert->file.digest, spk_wordpiece_digest(bert->words),
				spk_pooling_name(model->pooling), strlen(model->query),
				model->query, strlen(model->passage), model->passage);

	g_checksum_update(sum, (const guchar *)rest, -1);
	return g_strndup(g_checksum_get_string(sum), 32);
}

static gboolean check_words(const SpkBert *bert, const SpkModelDir *model, GError **error)
{
	if (bert->file.shape.positions < 3) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "%s: the weights have places for %u tokens only",
			      model->dir, bert->file.shape.positions);
		return FALSE;
	}
	if (spk_wordpiece_size(bert->words) <= bert->file.shape.words)
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "put the files of one model there: sparks memory model install",
		      "%s: the tokenizer has %u words, the weights only %u", model->dir,
		      spk_wordpiece_size(bert->words), bert->file.shape.words);
	return FALSE;
}

SpkBert *spk_bert_open(const SpkModelDir *model, const SpkBertOptions *options,
		       GError **error)
{
	g_autoptr(SpkBert) bert = g_new0(SpkBert, 1);

	bert->pooling = model->pooling;
	bert->kernels = kernels_get(options->kernels);
	if (!bert->kernels) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "this processor has no kernels \"%s\"", options->kernels);
		return NULL;
	}
	bert->words = spk_wordpiece_open(model->dir, error);
	if (!bert->words ||
	    !bert_file_open(&bert->file, model, options->cache, options->int8, error))
		return NULL;
	if (!check_words(bert, model, error))
		return NULL;
	bert->max_tokens = MIN(model->max_tokens, bert->file.shape.positions);
	bert->digest = digest_of(bert, model);
	return g_steal_pointer(&bert);
}

void spk_bert_free(SpkBert *bert)
{
	if (!bert)
		return;
	bert_file_clear(&bert->file);
	spk_wordpiece_free(bert->words);
	g_free(bert->digest);
	g_free(bert);
}

guint spk_bert_dims(const SpkBert *bert)
{
	return bert->file.shape.hidden;
}

guint spk_bert_max_tokens(const SpkBert *bert)
{
	return bert->max_tokens;
}

const char *spk_bert_kernels(const SpkBert *bert)
{
	return bert->kernels->name;
}

const char *spk_bert_digest(const SpkBert *bert)
{
	return bert->digest;
}

/* ---- one call ---- */

static float *room(Pass *pass, gsize rows, gsize stride)
{
	float *block = g_aligned_alloc0(rows * stride, sizeof(float), KERNEL_ALIGN);

	g_ptr_array_add(pass->owned, block);
	return block;
}

static void pass_init(Pass *pass, const SpkBert *bert, gsize n)
{
	const BertShape *shape = &bert->file.shape;
	gsize width = shape->hidden / shape->heads;

	*pass = (Pass){ .bert = bert, .shape = shape, .n = n };
	pass->owned = g_ptr_array_new_with_free_func(g_aligned_free);
	/* a panel more: the last head's is written whole, wherever it starts */
	pass->stride = ROUND_UP(shape->hidden, PANEL) + PANEL;
	pass->wide_stride = ROUND_UP(shape->inner, PANEL);
	pass->score_stride = ROUND_UP(n, PANEL);
	pass->x = room(pass, n, pass->stride);
	pass->query = room(pass, n, pass->stride);
	pass->key = room(pass, n, pass->stride);
	pass->value = room(pass, n, pass->stride);
	pass->context = room(pass, n, pass->stride);
	pass->wide = room(pass, n, pass->wide_stride);
	pass->scores = room(pass, n, pass->score_stride);
	pass->key_panels = room(pass, width, pass->score_stride);
	pass->value_panels = room(pass, n, ROUND_UP(width, PANEL));
	if (bert->file.is_int8) {
		gsize groups = GROUPS_OF(MAX(shape->hidden, shape->inner));

		pass->bytes.bytes =
			(guint8 *)room(pass, n, MAX(pass->stride, pass->wide_stride) / 4);
		pass->bytes.step = room(pass, n, groups);
		pass->bytes.low = room(pass, n, groups);
	}
}

static void pass_clear(Pass *pass)
{
	g_ptr_array_unref(pass->owned);
}

static void norm(const Pass *pass, const BertNorm *by)
{
	pass->bert->kernels->norm(pass->x, pass->n, pass->stride, pass->shape->hidden,
				  by->gain, by->bias, pass->shape->epsilon);
}

static void look_up(const Pass *pass, const guint32 *ids)
{
	const BertFile *file = &pass->bert->file;
	gsize hidden = pass->shape->hidden, size = hidden * sizeof(float);
	float *place = pass->query; /* which is free yet */

	for (gsize t = 0; t < pass->n; t++) {
		float *x = pass->x + t * pass->stride;

		memcpy(x, file->word + ids[t] * size, size);
		memcpy(place, file->position + t * size, size);
		for (gsize r = 0; r < hidden; r++)
			x[r] += place[r] + file->type[r];
	}
	norm(pass, &file->norm);
}

/* out = dense(in), plus `add` */
static void dense(const Pass *pass, const BertDense *by, const float *in, gsize in_stride,
		  const float *add, float *out, gsize out_stride)
{
	const Product product = { .w = &by->w,
				  .bias = by->bias,
				  .in = in,
				  .bytes = &pass->bytes,
				  .add = add,
				  .out = out,
				  .n = pass->n,
				  .in_stride = in_stride,
				  .out_stride = out_stride };

	pass->bert->kernels->product(&product);
}

/* What dense() with weights of 8 bits reads. */
static void prepare(Pass *pass, const float *in, gsize stride, gsize depth)
{
	if (!pass->bytes.bytes)
		return;
	pass->bytes.n = pass->n;
	pass->bytes.depth = depth;
	pass->bert->kernels->quantise(in, stride, &pass->bytes);
}

/* Keys of one head as panels of a matrix w[token][feature], values as w[feature][token]. */
static void make_panels(const Pass *pass, gsize at, gsize width)
{
	for (gsize t = 0; t < pass->n; t++) {
		const float *key = pass->key + t * pass->stride + at;
		const float *value = pass->value + t * pass->stride + at;
		float *to = pass->key_panels + t / PANEL * width * PANEL + t % PANEL;

		for (gsize k = 0; k < width; k++)
			to[k * PANEL] = key[k];
		for (gsize k = 0; k < width; k += PANEL)
			memcpy(pass->value_panels + (k / PANEL * pass->n + t) * PANEL,
			       value + k, MIN(PANEL, width - k) * sizeof(float));
	}
}

/* softmax(query key^T / sqrt(width)) value */
static void attend_head(const Pass *pass, gsize at, gsize width)
{
	const Kernels *kernels = pass->bert->kernels;
	const Panels keys = { .w = pass->key_panels, .rows = pass->n, .depth = width };
	const Panels values = { .w = pass->value_panels,
				.rows = width,
				.depth = pass->n };
	const Product match = { .w = &keys,
				.in = pass->query + at,
				.out = pass->scores,
				.n = pass->n,
				.in_stride = pass->stride,
				.out_stride = pass->score_stride };
	const Product mix = { .w = &values,
			      .in = pass->scores,
			      .out = pass->context + at,
			      .n = pass->n,
			      .in_stride = pass->score_stride,
			      .out_stride = pass->stride };

	make_panels(pass, at, width);
	kernels->product(&match);
	kernels->softmax(pass->scores, pass->n, pass->score_stride, pass->n,
			 1 / sqrtf((float)width));
	kernels->product(&mix);
}

/* Heads in their order: what one writes beyond its own is the next one's. */
static void attend(const Pass *pass)
{
	gsize width = pass->shape->hidden / pass->shape->heads;

	for (gsize head = 0; head < pass->shape->heads; head++)
		attend_head(pass, head * width, width);
}

static void run_layer(Pass *pass, const BertLayer *layer)
{
	gsize hidden = pass->shape->hidden, inner = pass->shape->inner;
	gsize stride = pass->stride, wide = pass->wide_stride;

	prepare(pass, pass->x, stride, hidden);
	dense(pass, &layer->query, pass->x, stride, NULL, pass->query, stride);
	dense(pass, &layer->key, pass->x, stride, NULL, pass->key, stride);
	dense(pass, &layer->value, pass->x, stride, NULL, pass->value, stride);
	attend(pass);
	prepare(pass, pass->context, stride, hidden);
	dense(pass, &layer->after, pass->context, stride, pass->x, pass->x, stride);
	norm(pass, &layer->after_norm);
	prepare(pass, pass->x, stride, hidden);
	dense(pass, &layer->widen, pass->x, stride, NULL, pass->wide, wide);
	pass->bert->kernels->gelu(pass->wide, pass->n * wide);
	prepare(pass, pass->wide, wide, inner);
	dense(pass, &layer->narrow, pass->wide, wide, pass->x, pass->x, stride);
	norm(pass, &layer->narrow_norm);
}

/* One vector of length 1; FALSE: it is none. */
static gboolean pool(const Pass *pass, float *ret)
{
	gsize n = pass->bert->pooling == SPK_POOL_CLS ? 1 : pass->n;
	double length = 0;

	for (gsize r = 0; r < pass->shape->hidden; r++) {
		double sum = 0;

		for (gsize t = 0; t < n; t++)
			sum += (double)pass->x[t * pass->stride + r];
		ret[r] = (float)(sum / (double)n);
		length += (double)ret[r] * (double)ret[r];
	}
	length = sqrt(length);
	if (!isfinite(length) || length == 0)
		return FALSE;
	for (gsize r = 0; r < pass->shape->hidden; r++)
		ret[r] = (float)((double)ret[r] / length);
	return TRUE;
}

gboolean spk_bert_embed_tokens(const SpkBert *bert, const guint32 *ids, gsize n,
			       float *ret, GError **error)
{
	Pass pass;
	gboolean ok;

	g_assert(n >= 1 && n <= bert->max_tokens);
	pass_init(&pass, bert, n);
	look_up(&pass, ids);
	for (guint i = 0; i < bert->file.shape.layers; i++)
		run_layer(&pass, &bert->file.layers[i]);
	ok = pool(&pass, ret);
	pass_clear(&pass);
	if (!ok)
		spk_error_set(error, SPK_ERR_CORRUPT,
			      "get the file anew: sparks memory model install",
			      "%s: its weights give no finite numbers",
			      weights_name(bert->file.weights));
	return ok;
}

gsize spk_bert_tokens(const SpkBert *bert, const char *prefix, const char *text,
		      gsize size, guint32 *ret_ids)
{
	g_autoptr(GString) whole = NULL;

	if (!prefix || !*prefix)
		return spk_wordpiece_encode(bert->words, text, size, ret_ids,
					    bert->max_tokens);
	whole = g_string_new(prefix);
	g_string_append_len(whole, text, (gssize)size);
	return spk_wordpiece_encode(bert->words, whole->str, whole->len, ret_ids,
				    bert->max_tokens);
}

gboolean spk_bert_embed(const SpkBert *bert, const char *prefix, const char *text,
			gsize size, float *ret, GError **error)
{
	g_autofree guint32 *ids = g_new(guint32, bert->max_tokens);
	gsize n = spk_bert_tokens(bert, prefix, text, size, ids);

	return spk_bert_embed_tokens(bert, ids, n, ret, error);
}
