/* The systemd user unit of `sparks up`. */
#ifndef SPK_CMD_UNIT_H
#define SPK_CMD_UNIT_H

#include "cmd/cmd.h"

/* `up --install [--no-start]` and `up --uninstall`; returns the exit code. */
int spk_unit_run(const SpkArgs *args);

/* Tells the service manager that started us, if one did, "READY=1" or "STOPPING=1"
 * (sd_notify(3)): only then does it count the unit as started. */
void spk_unit_notify(const char *state);

#endif
