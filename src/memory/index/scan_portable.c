/* For any processor; the compiler makes of it what it can (NEON on ARM). */
#include "memory/index/scan_priv.h"

static gboolean is_here(void)
{
	return TRUE;
}

static void rows(const guint8 *at, gsize width, gsize n, const gint8 *query, gint32 *ret)
{
	for (gsize i = 0; i < n; i++, at += width) {
		gint32 sum = 0;

		for (gsize d = 0; d < width; d++)
			sum += (gint16)at[d] * (gint16)query[d];
		ret[i] = sum;
	}
}

static gint32 pair(const guint8 *a, const guint8 *b, gsize width)
{
	gint32 sum = 0;

	for (gsize d = 0; d < width; d++)
		sum += (gint16)a[d] * (gint16)(b[d] - 128);
	return sum;
}

static float fine(const guint8 *high, const gint8 *low, const float *query, gsize n)
{
	float sums[8] = { 0 };
	gsize d = 0;

	for (; d + 8 <= n; d += 8)
		for (gsize i = 0; i < 8; i++)
			sums[i] += (float)(256 * (high[d + i] - 128) + low[d + i]) *
				   query[d + i];
	for (; d < n; d++)
		sums[0] += (float)(256 * (high[d] - 128) + low[d]) * query[d];
	return (sums[0] + sums[1] + sums[2] + sums[3]) +
	       (sums[4] + sums[5] + sums[6] + sums[7]);
}

const ScanKernels scan_portable = { "portable", is_here, 1, rows, pair, fine };
