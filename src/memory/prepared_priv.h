/*
 * The matrices of a model in the form that the kernels read (kernels_priv.h: panels). Made once
 * and kept as a .safetensors file that is mapped from then on; a cache, which may be thrown away
 * at any time.
 */
#ifndef SPK_MEMORY_PREPARED_PRIV_H
#define SPK_MEMORY_PREPARED_PRIV_H

#include "memory/kernels_priv.h"
#include "memory/weights_priv.h"

typedef struct {
	const char *name; /* of a matrix of the model, "….weight" */
	gsize rows, depth;
	Panels *ret; /* filled in; points into what prepared_open() returns */
} PreparedMatrix;

/* `digest`: of what is in `source`, as far as it is quickly seen. `dir`: the folder where the cache is or shall be; where it can't be written (or NULL), they are
 * in memory. BAD_INPUT: a matrix is not in `source`, or of another shape; IO. */
Weights *prepared_open(const Weights *source, const char *digest, const char *dir,
		       const PreparedMatrix *matrices, gsize n, gboolean int8,
		       GError **error);

#endif
