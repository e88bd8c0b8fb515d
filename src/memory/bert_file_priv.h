/*
 * The weights of a model of the BERT family by their use, as its folder has them.
 */
#ifndef SPK_MEMORY_BERT_FILE_PRIV_H
#define SPK_MEMORY_BERT_FILE_PRIV_H

#include <glib.h>

#include "memory/kernels_priv.h"
#include "memory/model_dir.h"
#include "memory/weights_priv.h"

typedef struct {
	guint layers, heads, hidden, inner; /* hidden is a multiple of heads */
	guint positions, words;
	float epsilon; /* of the norms */
} BertShape;

/* All vectors have zeros up to a multiple of PANEL. */
typedef struct {
	const float *gain, *bias;
} BertNorm;

typedef struct {
	Panels w;
	const float *bias;
} BertDense;

typedef struct {
	BertDense query, key, value, after, widen, narrow;
	BertNorm after_norm, narrow_norm;
} BertLayer;

typedef struct {
	BertShape shape;
	gboolean is_int8;
	const char *word, *position; /* floats, at any address, `hidden` a row */
	const float *type;
	BertNorm norm;
	BertLayer *layers;
	Weights *weights, *prepared;
	GPtrArray *vectors;
	char *digest; /* of the weights by sample, hexadecimal */
} BertFile;

/* `cache`: see prepared_priv.h. Errors: see spk_bert_open(). *file is empty after one. */
gboolean bert_file_open(BertFile *file, const SpkModelDir *model, const char *cache,
			gboolean int8, GError **error);
void bert_file_clear(BertFile *file);

#endif
