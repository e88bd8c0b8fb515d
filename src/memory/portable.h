/*
 * A memory as a JSON object, and back: what the commands print, and what an export holds, one
 * object a line. The text of one that comes in is treated like any that is kept: secrets are taken
 * out, and what a terminal would act on.
 */
#ifndef SPK_MEMORY_PORTABLE_H
#define SPK_MEMORY_PORTABLE_H

#include <jansson.h>

#include "store/memories.h"

/* Of an export: its first line is {"memories": SPK_PORTABLE_VERSION, …}. */
#define SPK_PORTABLE_VERSION 1
/* Bytes of a line of an import; a vector of SPK_MEMORY_DIMS_MAX numbers fits. */
#define SPK_PORTABLE_LINE_MAX (1u << 20)

/* {"id","text","kind","scope","state","source","task","entry","untrusted","time","stored",
 * "updated","confidence","speaker","supersedes","superseded_by","merged","model"}; what doesn't
 * apply is null. */
json_t *spk_portable_row(const SpkMemoryRow *row);

typedef struct {
	SpkMemoryRow *row; /* num and change are 0; a new id where it has none */
	float *vector;	   /* `embedding`, of row->model, of length 1; NULL: none */
	guint dims;
} SpkPortable;
void spk_portable_free(SpkPortable *portable);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkPortable, spk_portable_free)

/* One line of an import. Only text must be there; `source` is whose word it is where it names
 * nobody. *ret NULL and TRUE: a first line that says what follows, or an empty one. BAD_INPUT:
 * no JSON object, a key that is none of ours, a value of another type or out of its range. */
gboolean spk_portable_read(const char *line, gsize len, const char *source,
			   SpkPortable **ret, GError **error);

#endif
