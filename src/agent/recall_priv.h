/* What a run keeps for the memory: recall_state.c, and on top of it recall.c. */
#ifndef SPK_AGENT_RECALL_PRIV_H
#define SPK_AGENT_RECALL_PRIV_H

#include "agent/agent.h"

#define RECALL_KIND "recall"
#define RECALL_KEY  "0"

struct RunMemory {
	char *repo, *spark, *who;
	const char *scopes[4];
	guint kept; /* notes of the spark so far */
};

const json_t *recall_recorded(SpkRun *run);
/* The same, or of a replay what the play has. */
const json_t *recall_known(SpkRun *run);
gboolean recall_is_offline(SpkRun *run);
/* It was begun by a version that had none, or where there was none. */
gboolean recall_has_begun(SpkRun *run);
/* One small question where there never was a memory. */
gboolean recall_holds_any(SpkRun *run, gboolean *ret_any, GError **error);

#endif
