#include <immintrin.h>

#include "memory/kernels_sets_priv.h"

#define WIDTH	16
#define VECTORS 2
#define TOKENS	12
#define TOKENS8 12
#define NAME	"avx512"
/* all that it is compiled for */
#define HERE                                                                         \
	(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&  \
	 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && \
	 __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma"))
#define KERNELS kernels_avx512

#define HAS_DOT4
#define dot4(sums, in, w) \
	((vi)_mm512_dpbusd_epi32((__m512i)(sums), _mm512_set1_epi32(in), (__m512i)(w)))

#include "memory/kernels_body_priv.h"
