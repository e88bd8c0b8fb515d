/* Best first. */
#include "memory/kernels_sets_priv.h"

#include <string.h>

static const Kernels *const all[] = {
#ifdef __x86_64__
	&kernels_avx512,   &kernels_avxvnni, &kernels_avx2,
#endif
#ifdef __aarch64__
	&kernels_dotprod,  &kernels_neon,
#endif
	&kernels_portable,
};

const Kernels *kernels_get(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if ((!name || !strcmp(name, all[i]->name)) && all[i]->is_here())
			return all[i];
	return NULL;
}
