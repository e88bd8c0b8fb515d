/*
 * A task as a play (interface.md, Plays): what the model was asked and what it said, the
 * files it started from, and how it ended. Secrets redacted.
 */
#ifndef SPK_CMD_EXPORT_H
#define SPK_CMD_EXPORT_H

#include "guard/redact.h"
#include "cmd/show/trail.h"
#include "core/core.h"

/* The play's text. `repo` (borrowed): {"files":…,"git":…} or a path. redact NULL: for
 * a replay here, from the files as they are; the journal has no secrets. */
char *spk_export_play(const SpkTask *task, const SpkTrail *trail, json_t *repo,
		      const SpkRedact *redact);

/* The files the task started from as {"files":…,"git":…}, or, when they are more than 256 KiB
 * or 500 files, the path of the user's folder. NULL: the private copy can't be read. */
json_t *spk_export_repo(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			GError **error);

#endif
