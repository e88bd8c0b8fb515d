/* What the law said of a task's calls, in sentences. */
#ifndef SPK_CMD_EXPLAIN_LAW_H
#define SPK_CMD_EXPLAIN_LAW_H

#include "cmd/show/trail.h"

/* The level, what the model has read, each call that was asked for or refused (the first
 * EXPLAIN_LAW_MAX), who answered, and how to change that. */
#define EXPLAIN_LAW_MAX 20
void spk_explain_law(GString *out, const SpkTask *task, const SpkTrail *trail);

#endif
