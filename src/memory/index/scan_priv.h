/*
 * The arithmetic of the index, once for each kind of processor, chosen at run time. A row is a
 * vector in whole numbers of 8 bits, -127 to 127, each with 128 added so that it has no sign
 * (the instruction for sums of products of bytes wants one side without), filled up with 128
 * to a multiple of SCAN_ALIGN. A query is such a vector as it is, filled up with 0.
 */
#ifndef SPK_MEMORY_INDEX_SCAN_PRIV_H
#define SPK_MEMORY_INDEX_SCAN_PRIV_H

#include <glib.h>

#define SCAN_ALIGN 64

typedef struct {
	const char *name;
	gboolean (*is_here)(void); /* the processor has what it needs */
	guint step; /* as many rows one after the other take as long as one in a graph */
	/* ret[i] = the sum of row i times query, for n rows one after the other; 128 times the sum
	 * of the query is still in it. `width` is a multiple of SCAN_ALIGN. */
	void (*rows)(const guint8 *rows, gsize width, gsize n, const gint8 *query,
		     gint32 *ret);
	/* The same for two rows; 128 times the sum of b's numbers is still in it. */
	gint32 (*pair)(const guint8 *a, const guint8 *b, gsize width);
	/* The sum of query * (256 * (high - 128) + low) over n numbers. */
	float (*fine)(const guint8 *high, const gint8 *low, const float *query, gsize n);
} ScanKernels;

/* The best of this processor; "portable", "avx2" or "avx512", or NULL to choose. NULL: it isn't
 * here. */
const ScanKernels *scan_kernels(const char *name);

extern const ScanKernels scan_portable;
#ifdef __x86_64__
extern const ScanKernels scan_avx2, scan_avx512;
#endif

#endif
