/* For any processor; on 64-bit ARM these are NEON's vectors, which every one of them has. */
#include "memory/kernels_sets_priv.h"

#define WIDTH 4
#ifdef __aarch64__
#define VECTORS 4
#else
#define VECTORS 2
#endif
#define TOKENS	6
#define TOKENS8 4
#define NAME	"portable"
#define HERE	TRUE
#define KERNELS kernels_portable

#include "memory/kernels_body_priv.h"
