#include <immintrin.h>

#include "memory/kernels_256_priv.h"
#include "memory/kernels_sets_priv.h"

#define WIDTH	8
#define VECTORS 2
#define TOKENS	6
#define TOKENS8 5
#define NAME	"avx2"
#define HERE	(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define KERNELS kernels_avx2

/* The sums of four products have 16 bits: smaller bytes, so that they never overflow. */
#define BYTE_MOST (G_MAXINT16 / QUAD_MOST)
#define HAS_DOT8
static inline __attribute__((always_inline)) __m256i
dot8_bytes(__m256i sums, gint32 in, gint32 in_next, __m256i w, __m256i w_next)
{
	__m256i quads = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_set1_epi32(in), w),
					 _mm256_maddubs_epi16(_mm256_set1_epi32(in_next),
							      w_next));

	return _mm256_add_epi32(sums, _mm256_madd_epi16(quads, _mm256_set1_epi16(1)));
}
#define dot8(sums, in, in_next, w, w_next) \
	((vi)dot8_bytes((__m256i)(sums), in, in_next, (__m256i)(w), (__m256i)(w_next)))

#include "memory/kernels_body_priv.h"
