/*
 * What the folder of a model says of it, whoever computes: where its weights are, how the vectors
 * of its tokens become one, what stands before a question and before a passage, how much it
 * reads. The first of these that says it counts:
 *   sparks-model.json   {"name","pooling":"mean"|"cls","query_prefix","passage_prefix",
 *                       "max_tokens"}, each optional, and nothing else
 *   Sentence Transformers' files: 1_Pooling/config.json, config_sentence_transformers.json
 *                       ("prompts": "query", "passage" or "document"), sentence_bert_config.json
 *   the folder's name, for models that are often kept without those files (model_dir.c)
 *   else: mean, no prefixes, 256 tokens
 */
#ifndef SPK_MEMORY_MODEL_DIR_H
#define SPK_MEMORY_MODEL_DIR_H

#include <glib.h>

/* Bytes of a prefix at most. */
#define SPK_MODEL_PREFIX_MAX 1024

typedef enum { SPK_POOL_MEAN, SPK_POOL_CLS } SpkPooling;

typedef struct {
	char *dir;
	char *name;		  /* the manifest's, else the folder's */
	char *safetensors, *onnx; /* paths; NULL: there is none; one of them is there */
	SpkPooling pooling;
	char *query, *passage; /* prefixes, "" for none */
	guint max_tokens; /* with [CLS] and [SEP]; the weights may have fewer places */
} SpkModelDir;

/* NOT_FOUND: no such folder, or no weights in it; BAD_INPUT: a file of it is not of its form, or
 * asks for a pooling that isn't known here. *model is empty after an error. */
gboolean spk_model_dir_read(SpkModelDir *model, const char *dir, GError **error);
void spk_model_dir_clear(SpkModelDir *model);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkModelDir, spk_model_dir_clear)

const char *spk_pooling_name(SpkPooling pooling); /* "mean", "cls" */

#endif
