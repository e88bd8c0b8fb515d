/* What a task was given, before anything is done with it: looked through by the prompt scanner. */
#ifndef SPK_CORE_INTAKE_H
#define SPK_CORE_INTAKE_H

#include "core/machine_priv.h"

/* Goal (or message of a chat) and context. What is found is on record as `scan`; POLICY where it
 * is blocked. */
gboolean intake_scan(Machine *machine, GError **error);

#endif
