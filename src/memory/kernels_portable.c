/* For any processor. */
#include "memory/kernels_sets_priv.h"

#define WIDTH	4
#define VECTORS 2
#define TOKENS	6
#define TOKENS8 4
#define NAME	"portable"
#define HERE	TRUE
#define KERNELS kernels_portable

#include "memory/kernels_body_priv.h"
