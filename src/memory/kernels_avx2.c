#include <immintrin.h>

#include "memory/kernels_sets_priv.h"

#define WIDTH	8
#define VECTORS 2
#define TOKENS	6
#define TOKENS8 4
#define NAME	"avx2"
#define HERE	(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define KERNELS kernels_avx2

/* Sums of 16 bits would overflow with the instruction for bytes: even and odd ones apart. */
#define HAS_DOT4
static inline __attribute__((always_inline)) __m256i dot4_bytes(__m256i sums, gint32 in,
								__m256i w)
{
	__m256i low = _mm256_set1_epi32(in & 0xff00ff);
	__m256i high = _mm256_set1_epi32((gint32)((guint32)in >> 8) & 0xff00ff);
	__m256i w_low = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8);
	__m256i w_high = _mm256_srai_epi16(w, 8);

	sums = _mm256_add_epi32(sums, _mm256_madd_epi16(low, w_low));
	return _mm256_add_epi32(sums, _mm256_madd_epi16(high, w_high));
}
#define dot4(sums, in, w) ((vi)dot4_bytes((__m256i)(sums), in, (__m256i)(w)))

#include "memory/kernels_body_priv.h"
