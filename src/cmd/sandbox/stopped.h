/* What the journal of a task knows of walls its commands ran into. */
#ifndef SPK_CMD_SANDBOX_STOPPED_H
#define SPK_CMD_SANDBOX_STOPPED_H

#include <jansson.h>

#include "cmd/show/trail.h"

/* What the box told of the command of this entry (SpkBoxResult), NULL: it is of no command.
 * Borrowed. */
const json_t *spk_stopped_facts(const SpkJournalEntry *entry);
/* "shell", or "a check". Static or borrowed. */
const char *spk_stopped_by(const SpkJournalEntry *entry);

/* [{"call","times","seq","tool"}]: calls that seccomp refused, each once; `seq` and `tool` of the
 * first time. */
json_t *spk_stopped_calls(const SpkTrail *trail);
/* [{"line","seq","tool"}]: lines in the output of failed commands that read as if a wall had been
 * there, at most SPK_STOPPED_LINES. The command chose them, so they prove nothing. */
json_t *spk_stopped_lines(const SpkTrail *trail);
#define SPK_STOPPED_LINES 12
/* ["reason"]: why refused calls of some commands were not counted, each once. */
json_t *spk_stopped_untold(const SpkTrail *trail);

#endif
