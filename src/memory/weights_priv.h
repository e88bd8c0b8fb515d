/*
 * The weights of a model as they lie in its file: mapped, not read. Two forms of file are known,
 * .safetensors (Hugging Face) and .onnx (a graph of BERT). Made once, then used by any thread.
 */
#ifndef SPK_MEMORY_WEIGHTS_PRIV_H
#define SPK_MEMORY_WEIGHTS_PRIV_H

#include <glib.h>

typedef enum { WEIGHT_F32, WEIGHT_I8, WEIGHT_I32 } WeightType;

typedef struct {
	WeightType type;
	const char *bytes;     /* little endian, row after row; at any address */
	guint64 rows, columns; /* a vector has one row */
	gboolean turned;       /* lies column after column: [columns][rows] */
} Weight;

typedef struct Weights Weights;

/* Which form it is, the first bytes tell. `name` is for errors. BAD_INPUT: neither form, truncated,
 * values outside of the file or in files apart, shapes that don't fit the values. */
Weights *weights_new(GBytes *file, const char *name, GError **error);
/* Mapped. NOT_FOUND, and as above. */
Weights *weights_open(const char *path, GError **error);
void weights_free(Weights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Weights, weights_free)
const char *weights_name(const Weights *weights);
/* What the file says of itself under this name (.safetensors); NULL. */
const char *weights_note(const Weights *weights, const char *name);

/* By its name in BERT ("encoder.layer.0.output.dense.weight"), with or without "bert." before
 * it. NULL: there is none of that name. */
const Weight *weights_find(const Weights *weights, const char *name);
/* The same, of a type and shape; rows 0: any number. BAD_INPUT names the file and what is wrong. */
const Weight *weights_get(const Weights *weights, const char *name, WeightType type,
			  guint64 rows, guint64 columns, GError **error);

#endif
