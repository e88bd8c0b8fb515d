/* AVX2 with the product of bytes that later processors without AVX-512 have. */
#include <cpuid.h>
#include <immintrin.h>

#include "memory/kernels_256_priv.h"
#include "memory/kernels_sets_priv.h"

#define WIDTH	8
#define VECTORS 2
#define TOKENS	6
#define TOKENS8 5
#define NAME	"avxvnni"
#define HERE	has_all()
#define KERNELS kernels_avxvnni

/* not every compiler's __builtin_cpu_supports() knows "avxvnni" */
static gboolean has_all(void)
{
	guint a, b, c, d;

	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & bit_AVXVNNI);
}

#define HAS_DOT4
#define dot4(sums, in, w)                                                    \
	((vi)_mm256_dpbusd_avx_epi32((__m256i)(sums), _mm256_set1_epi32(in), \
				     (__m256i)(w)))

#include "memory/kernels_body_priv.h"
