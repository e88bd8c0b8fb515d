/*
 * A made-up model of the BERT family, small and of odd sizes: its tensors, its folder in both
 * forms, and what its formula gives, computed plainly in double precision.
 */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include <glib.h>

enum {
	TINY_LAYERS = 2,
	TINY_HEADS = 3,
	TINY_HIDDEN = 36,
	TINY_INNER = 40,
	TINY_POSITIONS = 70,
	TINY_WORDS = 12, /* [UNK] 0, [CLS] 1, [SEP] 2, then a to i */
};

typedef struct {
	char *name;
	guint rows, columns; /* rows 1: a vector */
	float *values;
} TinyTensor;

/* TinyTensor; each may be changed before it is written. */
GPtrArray *tiny_tensors(void);
TinyTensor *tiny_find(GPtrArray *tensors, const char *name);
/* A folder with vocab.txt, config.json and model.safetensors or model.onnx, to be removed. */
char *tiny_folder(GPtrArray *tensors, gboolean onnx);
GByteArray *tiny_safetensors(GPtrArray *tensors);
GByteArray *tiny_onnx(GPtrArray *tensors);
/* TINY_HIDDEN values of length 1. */
void tiny_embed(GPtrArray *tensors, const guint32 *ids, gsize n, gboolean cls,
		double *ret);

#endif
