/*
 * Which files of a folder or an archive make a model, and what they are called in the model's own
 * folder. Names come from outside; what is written is only ever a name of the table here.
 */
#ifndef SPK_MEMORY_MODEL_PICK_H
#define SPK_MEMORY_MODEL_PICK_H

#include <glib.h>

typedef struct {
	const char *
		to; /* name in the model's folder: "model.onnx", "1_Pooling/config.json" */
	guint64 max; /* bytes */
} SpkModelFile;

/* All files that a model's folder may hold; ends with a NULL name. */
extern const SpkModelFile spk_model_files[];

typedef struct {
	guint index; /* in the names that were given */
	const SpkModelFile *file;
} SpkModelPick;

/* The model among `names` (relative paths with "/"): its weights, safetensors before .onnx, and
 * what lies beside them. *ret_name: what the weights are called, when that says something
 * ("bge-small-en-v1.5" of bge-small-en-v1.5.onnx), else NULL. NULL: NOT_FOUND, there are no
 * weights; BAD_INPUT: there are several. */
GArray *spk_model_pick(const char *const *names, guint n, char **ret_name,
		       GError **error);

#endif
