/*
 * For those who read a form of file.
 */
#ifndef SPK_MEMORY_WEIGHTS_FILE_PRIV_H
#define SPK_MEMORY_WEIGHTS_FILE_PRIV_H

#include <jansson.h>

#include "memory/weights_priv.h"

struct Weights {
	char *name; /* path of the file */
	GBytes *file;
	const char *start;
	guint64 size;
	GHashTable *by_name; /* char * to Weight * */
	json_t *notes;	     /* NULL: none */
};

/* FALSE and BAD_INPUT. */
gboolean weights_read_safetensors(Weights *weights, GError **error);
gboolean weights_read_onnx(Weights *weights, GError **error);

/* Always FALSE; sets BAD_INPUT with the name in front. */
gboolean weights_refuse(const Weights *weights, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
/* `weight` is copied; BAD_INPUT when its values don't lie in the file or it is out of bounds. */
gboolean weights_add(Weights *weights, const char *name, const Weight *weight,
		     guint64 bytes, GError **error);

#endif
