/* 64-bit ARM, every one of them: floats as the compiler makes them, bytes by SMULL. */
#include <arm_neon.h>

#include "memory/kernels_sets_priv.h"

#define WIDTH	4
#define VECTORS 4
#define TOKENS	6
#define TOKENS8 4
#define NAME	"neon"
#define HERE	TRUE
#define KERNELS kernels_neon

/* The bytes less 90 are signed; then four products with weights of either sign fit 16 bits. */
#define BYTE_MOST (G_MAXINT16 / QUAD_MOST)
#define BYTE_ZERO (BYTE_MOST / 2)
#define HAS_DOT8
static inline __attribute__((always_inline)) int8x16_t bytes_at(gint32 in)
{
	return vreinterpretq_s8_u8(
		vsubq_u8(vreinterpretq_u8_s32(vdupq_n_s32(in)), vdupq_n_u8(BYTE_ZERO)));
}

static inline __attribute__((always_inline)) int32x4_t
dot8_bytes(int32x4_t sums, gint32 in, gint32 in_next, int8x16_t w, int8x16_t w_next)
{
	int8x16_t x = bytes_at(in), next = bytes_at(in_next);
	int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
	int16x8_t high = vmull_high_s8(w, x);

	low = vmlal_s8(low, vget_low_s8(w_next), vget_low_s8(next));
	high = vmlal_high_s8(high, w_next, next);
	return vpadalq_s16(sums, vpaddq_s16(low, high));
}
#define dot8(sums, in, in_next, w, w_next)                              \
	((vi)dot8_bytes((int32x4_t)(sums), in, in_next, (int8x16_t)(w), \
			(int8x16_t)(w_next)))

#include "memory/kernels_body_priv.h"
