/* 64-bit ARM with the dot product of bytes (from ARMv8.2 on, most since 2018). */
#include <arm_neon.h>
#include <sys/auxv.h>

#include "memory/kernels_sets_priv.h"

#define WIDTH	4
#define VECTORS 4
#define TOKENS	6
#define TOKENS8 4
#define NAME	"dotprod"
#define HERE	((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0)
#define KERNELS kernels_dotprod

/* SDOT wants both signed. */
#define BYTE_ZERO 128
#define HAS_DOT4
#define dot4(sums, in, w)                                 \
	((vi)vdotq_s32((int32x4_t)(sums), (int8x16_t)(w), \
		       vreinterpretq_s8_s32(vdupq_n_s32((in) ^ (gint32)0x80808080))))

#include "memory/kernels_body_priv.h"
