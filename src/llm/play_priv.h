#ifndef SPK_LLM_PLAY_PRIV_H
#define SPK_LLM_PLAY_PRIV_H

#include "llm/play.h"

struct SpkPlay {
	char *name;
	json_t *header, *end;
	GPtrArray *says;    /* json_t */
	GPtrArray *expects; /* json_t or NULL, one for each say */
	GMutex lock;
	char *prefix; /* of the first request of the task; guarded by lock */
};

#endif
