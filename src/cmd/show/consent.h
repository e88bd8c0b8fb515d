/* Before files that run code elsewhere (CI, hooks, build scripts) reach the user's folder. */
#ifndef SPK_CMD_CONSENT_H
#define SPK_CMD_CONSENT_H

#include "store/store.h"

/* Names on stderr the files the task changed that run code elsewhere; returns how many. For who
 * asks about the whole change anyway. */
guint spk_consent_name_risky(const SpkTask *task);

/* FALSE, POLICY: a critic objects, so that nobody's files change unless they say so after that. */
gboolean spk_consent_unasked(const SpkTask *task, GError **error);

/* TRUE when the task changed no such file, `yes` was given, or the person says yes. Names the
 * files on stderr. POLICY otherwise. */
gboolean spk_consent_to_apply(const SpkTask *task, gboolean yes, GError **error);

#endif
