/*
 * Where a model comes from: a folder, or an archive (.whl, .jar, .zip). Its files are put into an
 * empty folder of ours under the names of model_pick.h.
 */
#ifndef SPK_MEMORY_MODEL_SOURCE_H
#define SPK_MEMORY_MODEL_SOURCE_H

#include "base/cancel.h"

typedef void (*SpkModelProgress)(const char *what, guint64 done, guint64 total,
				 gpointer user);

typedef struct {
	const char *path;	   /* folder or archive */
	const char *into;	   /* an empty folder */
	SpkModelProgress progress; /* NULL: not wanted */
	gpointer user;
} SpkModelUnpack;

/* *ret_name as spk_model_pick(). NOT_FOUND, BAD_INPUT, LIMIT, IO, DISK_FULL, CANCELLED. */
gboolean spk_model_unpack(const SpkModelUnpack *unpack, char **ret_name,
			  SpkCancel *cancel, GError **error);

#endif
