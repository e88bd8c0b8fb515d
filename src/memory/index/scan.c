/* Best first. */
#include "memory/index/scan_priv.h"

#include <string.h>

static const ScanKernels *const all[] = {
#ifdef __x86_64__
	&scan_avx512,
	&scan_avx2,
#endif
	&scan_portable,
};

const ScanKernels *scan_kernels(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if ((!name || strcmp(name, all[i]->name) == 0) && all[i]->is_here())
			return all[i];
	return NULL;
}
