/* Without the instruction for bytes: its sums of 16 bits could overflow. */
#include <immintrin.h>

#include "memory/index/scan_priv.h"

static gboolean is_here(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static inline gint32 sum_of(__m256i v)
{
	__m128i half =
		_mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
}

static inline __m256i wide(const void *at)
{
	return _mm256_cvtepu8_epi16(_mm_loadu_si128(at));
}

static inline __m256i wide_signed(const void *at)
{
	return _mm256_cvtepi8_epi16(_mm_loadu_si128(at));
}

static void rows(const guint8 *at, gsize width, gsize n, const gint8 *query, gint32 *ret)
{
	for (gsize i = 0; i < n; i++, at += width) {
		__m256i sums = _mm256_setzero_si256(), more = sums;

		for (gsize d = 0; d < width; d += 32) {
			sums = _mm256_add_epi32(
				sums,
				_mm256_madd_epi16(wide(at + d), wide_signed(query + d)));
			more = _mm256_add_epi32(
				more, _mm256_madd_epi16(wide(at + d + 16),
							wide_signed(query + d + 16)));
		}
		ret[i] = sum_of(_mm256_add_epi32(sums, more));
	}
}

static gint32 pair(const guint8 *a, const guint8 *b, gsize width)
{
	__m256i sums = _mm256_setzero_si256(), half = _mm256_set1_epi16(128);

	for (gsize d = 0; d < width; d += 16)
		sums = _mm256_add_epi32(
			sums, _mm256_madd_epi16(wide(a + d),
						_mm256_sub_epi16(wide(b + d), half)));
	return sum_of(sums);
}

static inline __m256 numbers(const guint8 *high, const gint8 *low)
{
	__m256i h = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)high));
	__m256i l = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)low));

	h = _mm256_slli_epi32(_mm256_sub_epi32(h, _mm256_set1_epi32(128)), 8);
	return _mm256_cvtepi32_ps(_mm256_add_epi32(h, l));
}

static float fine(const guint8 *high, const gint8 *low, const float *query, gsize n)
{
	__m256 sums = _mm256_setzero_ps(), more = sums;
	float eight[8], sum = 0;
	gsize d = 0;

	for (; d + 16 <= n; d += 16) {
		sums = _mm256_fmadd_ps(numbers(high + d, low + d),
				       _mm256_loadu_ps(query + d), sums);
		more = _mm256_fmadd_ps(numbers(high + d + 8, low + d + 8),
				       _mm256_loadu_ps(query + d + 8), more);
	}
	_mm256_storeu_ps(eight, _mm256_add_ps(sums, more));
	for (; d < n; d++)
		sum += (float)(256 * (high[d] - 128) + low[d]) * query[d];
	return sum + (eight[0] + eight[1] + eight[2] + eight[3]) +
	       (eight[4] + eight[5] + eight[6] + eight[7]);
}

const ScanKernels scan_avx2 = { "avx2", is_here, 3, rows, pair, fine };
