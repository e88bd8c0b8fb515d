/*
 * The sets of kernels that were built.
 */
#ifndef SPK_MEMORY_KERNELS_SETS_PRIV_H
#define SPK_MEMORY_KERNELS_SETS_PRIV_H

#include "memory/kernels_priv.h"

extern const Kernels kernels_portable;
#ifdef __x86_64__
extern const Kernels kernels_avx2, kernels_avxvnni, kernels_avx512;
#endif
#ifdef __aarch64__
extern const Kernels kernels_dotprod, kernels_neon;
#endif

#endif
