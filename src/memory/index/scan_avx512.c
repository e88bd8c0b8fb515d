/* With the instruction for sums of products of bytes (VNNI). */
#include <immintrin.h>

#include "memory/index/scan_priv.h"

static gboolean is_here(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vnni");
}

static inline __m512i at_64(const void *at)
{
	return _mm512_loadu_si512(at);
}

/* Four rows beside each other, so that their sums don't wait for each other. */
static void four(const guint8 *at, gsize width, const gint8 *query, gint32 *ret)
{
	__m512i a = _mm512_setzero_si512(), b = a, c = a, e = a;

	for (gsize d = 0; d < width; d += 64) {
		__m512i q = at_64(query + d);

		a = _mm512_dpbusd_epi32(a, at_64(at + d), q);
		b = _mm512_dpbusd_epi32(b, at_64(at + width + d), q);
		c = _mm512_dpbusd_epi32(c, at_64(at + 2 * width + d), q);
		e = _mm512_dpbusd_epi32(e, at_64(at + 3 * width + d), q);
	}
	ret[0] = _mm512_reduce_add_epi32(a);
	ret[1] = _mm512_reduce_add_epi32(b);
	ret[2] = _mm512_reduce_add_epi32(c);
	ret[3] = _mm512_reduce_add_epi32(e);
}

static void rows(const guint8 *at, gsize width, gsize n, const gint8 *query, gint32 *ret)
{
	gsize i = 0;

	for (; i + 4 <= n; i += 4)
		four(at + i * width, width, query, ret + i);
	for (; i < n; i++) {
		__m512i sums = _mm512_setzero_si512();

		for (gsize d = 0; d < width; d += 64)
			sums = _mm512_dpbusd_epi32(sums, at_64(at + i * width + d),
						   at_64(query + d));
		ret[i] = _mm512_reduce_add_epi32(sums);
	}
}

static gint32 pair(const guint8 *a, const guint8 *b, gsize width)
{
	__m512i sums = _mm512_setzero_si512(), sign = _mm512_set1_epi8(-128);

	for (gsize d = 0; d < width; d += 64)
		sums = _mm512_dpbusd_epi32(sums, at_64(a + d),
					   _mm512_xor_si512(at_64(b + d), sign));
	return _mm512_reduce_add_epi32(sums);
}

static inline __m512 numbers(const guint8 *high, const gint8 *low)
{
	__m512i h = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)high));
	__m512i l = _mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)low));

	h = _mm512_slli_epi32(_mm512_sub_epi32(h, _mm512_set1_epi32(128)), 8);
	return _mm512_cvtepi32_ps(_mm512_add_epi32(h, l));
}

static float fine(const guint8 *high, const gint8 *low, const float *query, gsize n)
{
	__m512 sums = _mm512_setzero_ps();
	float rest = 0;
	gsize d = 0;

	for (; d + 16 <= n; d += 16)
		sums = _mm512_fmadd_ps(numbers(high + d, low + d),
				       _mm512_loadu_ps(query + d), sums);
	for (; d < n; d++)
		rest += (float)(256 * (high[d] - 128) + low[d]) * query[d];
	return rest + _mm512_reduce_add_ps(sums);
}

const ScanKernels scan_avx512 = { "avx512", is_here, 4, rows, pair, fine };
