/*
 * What both sets with vectors of 32 bytes bring along (x86).
 */
#ifndef SPK_MEMORY_KERNELS_256_PRIV_H
#define SPK_MEMORY_KERNELS_256_PRIV_H

#include <immintrin.h>

/* Eight numbers of 0 to 255 as bytes; compilers would take the vector apart lane by lane. */
#define HAS_BYTES_OF
typedef unsigned char EightBytes __attribute__((vector_size(8)));

static inline __attribute__((always_inline)) EightBytes eight_bytes(__m256i whole)
{
	__m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole),
					 _mm256_extracti128_si256(whole, 1));

	return (EightBytes)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
}
#define bytes_of(whole) eight_bytes((__m256i)(whole))

#endif
