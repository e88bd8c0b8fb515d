/* Finding what is due, apart from dropping it. */
#ifndef SPK_CORE_PRUNE_PRIV_H
#define SPK_CORE_PRUNE_PRIV_H

#include "core/prune.h"

/* What there is of one kind, and one task that has it. */
typedef struct {
	SpkTask *task; /* borrowed */
	SpkPruneWhat what;
	gint64 bytes;
	gboolean due;
	char *why; /* set when due */
} PruneItem;

/* PruneItem of finished tasks, oldest first; those that are due are marked. `tasks` holds
 * SpkTask, newest first, and must outlive it. */
GPtrArray *prune_find(SpkCore *core, const GPtrArray *tasks, const SpkPrune *how,
		      SpkCancel *cancel, GError **error);

#endif
