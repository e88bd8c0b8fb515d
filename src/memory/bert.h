/*
 * The engine: a forward pass of the BERT family (Devlin et al. 2019), text or token numbers to
 * one vector of length 1. Layers, heads and widths come from config.json of the model's folder
 * or, without it, from the weights. Opened once, then used by any thread at a time; a call takes
 * its own memory (about 15 kB a token) and one thread.
 */
#ifndef SPK_MEMORY_BERT_H
#define SPK_MEMORY_BERT_H

#include <glib.h>

#include "memory/model_dir.h"

typedef struct SpkBert SpkBert;

typedef struct {
	gboolean
		int8; /* weights of 8 bits: a quarter of the memory, faster, less exact */
	const char
		*cache; /* folder for the matrices in the form that the kernels read, made
			      * when it is missing; NULL, or not writable: they are made at each
			      * opening and held in memory */
	const char *
		kernels; /* "portable", "avx2", "avxvnni", "avx512"; NULL: the best of this processor */
} SpkBertOptions;

/* The folder's tokenizer and weights, model.safetensors before model.onnx. BAD_INPUT: a file or
 * tensor that is missing, truncated or not of its shape, and which; or the graph of the .onnx
 * file is not one of BERT; or the processor has no such kernels. */
SpkBert *spk_bert_open(const SpkModelDir *model, const SpkBertOptions *options,
		       GError **error);
void spk_bert_free(SpkBert *bert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkBert, spk_bert_free)

guint spk_bert_dims(const SpkBert *bert);
guint spk_bert_max_tokens(
	const SpkBert *bert); /* the folder's, or as many places as there are */
const char *spk_bert_kernels(const SpkBert *bert);
/* 32 hexadecimal digits over what decides a vector (shape, pooling, prefixes, vocabulary, weights
 * by sample). The same for both forms of weights file, and for 8-bit weights: their vectors are
 * near enough to be compared. */
const char *spk_bert_digest(const SpkBert *bert);

/* Token numbers of `prefix` (NULL: none) and text, any bytes; cut off at spk_bert_max_tokens().
 * `ret_ids` has room for that many. Returns how many. */
gsize spk_bert_tokens(const SpkBert *bert, const char *prefix, const char *text,
		      gsize size, guint32 *ret_ids);
/* spk_bert_dims() floats. CORRUPT: the weights give no finite numbers. */
gboolean spk_bert_embed(const SpkBert *bert, const char *prefix, const char *text,
			gsize size, float *ret, GError **error);
/* `n` numbers, 1 to spk_bert_max_tokens(), each below the model's number of words. */
gboolean spk_bert_embed_tokens(const SpkBert *bert, const guint32 *ids, gsize n,
			       float *ret, GError **error);

#endif
