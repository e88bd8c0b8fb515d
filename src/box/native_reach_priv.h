/* What the native backend reaches on this machine, and the words for it. */
#ifndef SPK_BOX_NATIVE_REACH_PRIV_H
#define SPK_BOX_NATIVE_REACH_PRIV_H

#include "box/box_priv.h"

typedef struct {
	const SpkBoxProbe *probe;
	const SpkBoxSettings *settings; /* with the tier, but for the first function */
	const SpkCgroups *groups;	/* NULL: rlimits and meters hold the caps */
	const char *no_groups;		/* why */
} SpkNativeFound;

SpkTier spk_native_strongest(const SpkNativeFound *found);
/* Why the tier is not a stronger one; NULL when nothing stronger is built. */
char *spk_native_why_weaker(const SpkNativeFound *found, SpkTier possible);
/* For spk_box_describe(); `why` may be NULL. */
char *spk_native_describe(const SpkNativeFound *found, const char *why);

#endif
