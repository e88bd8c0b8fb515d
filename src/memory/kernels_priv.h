/*
 * The arithmetic of the engine, once for each kind of processor, chosen at run time.
 *
 * Activations lie as [token][feature], rows of a multiple of PANEL floats. Matrices w[row][k] lie
 * in panels of PANEL rows each: a panel is [k][row of the panel] (as bytes: [k / 4][row][k % 4]), so
 * that it is read once from its first byte to its last, whatever the number of tokens. Missing
 * rows of the last panel are zeros, as are missing bytes at its end.
 */
#ifndef SPK_MEMORY_KERNELS_PRIV_H
#define SPK_MEMORY_KERNELS_PRIV_H

#include <glib.h>

#define PANEL 32
/* What vectors, panels and activations are aligned to, in bytes. */
#define KERNEL_ALIGN 64
/* Bytes have a scale for each row and each GROUP of k; a multiple of BYTES_AT_ONCE. */
#define GROUP 64

/* Steps of k that bytes are multiplied at once; missing ones at a panel's end are zeros. */
#define BYTES_AT_ONCE 8
/* Of each row's bytes at k, k + 1, k + 4 and k + 5 (k a multiple of 8, or 2 more) those of one sign
 * add up to no more, so that AVX2's sums of 16 bits hold 180 times that. */
#define QUAD_MOST 182

#define ROUND_UP(n, to)	 (((n) + (to)-1) / (to) * (to))
#define PANELS_OF(rows)	 (((rows) + PANEL - 1) / PANEL)
#define GROUPS_OF(depth) (((depth) + GROUP - 1) / GROUP)

typedef struct {
	gsize rows, depth;
	const float *w;		   /* NULL: q is there */
	const gint8 *q;		   /* w = scale * q */
	const float *scale, *sums; /* of q over k: [panel][group][PANEL] */
} Panels;

/* Activations as bytes: x[token][k] = low + step * bytes, for each group of k. */
typedef struct {
	guint8 *bytes;	   /* [token][depth rounded up to PANEL] */
	float *step, *low; /* [token][group] */
	gsize n, depth;
} Bytes;

/* out[t][r] = bias[r] + add[t][r] + sum over k of w[r][k] * in[t][k]; rows are written up to a
 * multiple of PANEL. */
typedef struct {
	const Panels *w;
	const float *bias; /* [rows rounded up]; NULL: none */
	const float *in;
	const Bytes *bytes; /* instead of `in`, for q */
	const float *add;   /* as out, which it may be; NULL: none */
	float *out;
	gsize n, in_stride, out_stride; /* tokens; floats between them */
} Product;

typedef struct {
	const char *name;
	gboolean (*is_here)(void); /* the processor has what it needs */
	void (*product)(const Product *product);
	/* Fills in `ret`, whose n, depth and places are set. */
	void (*quantise)(const float *x, gsize stride, const Bytes *ret);
	/* x * (1 + erf(x / sqrt(2))) / 2, in place; n a multiple of 16. */
	void (*gelu)(float *x, gsize n);
	/* Of each token: to mean 0 and variance 1, then times gain plus bias. What lies between
	 * `width` and the next multiple of 16 is zero, in all of them, and stays so. */
	void (*norm)(float *x, gsize n, gsize stride, gsize width, const float *gain,
		     const float *bias, float epsilon);
	/* Of each token, over `width` values: exp(scale * (x - max)) over its sum. */
	void (*softmax)(float *x, gsize n, gsize stride, gsize width, float scale);
} Kernels;

/* The best of this processor; "portable", "avx2", "avxvnni", "avx512", "neon", "dotprod", or NULL to
 * choose. NULL: it isn't here. */
const Kernels *kernels_get(const char *name);

#endif
