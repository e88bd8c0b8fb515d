/* The systemd user unit of `sparks up`. */
#ifndef SPK_CMD_UNIT_H
#define SPK_CMD_UNIT_H

#include "cmd/cmd.h"

/* `up --install [--no-start]` and `up --uninstall`; returns the exit code. */
int spk_unit_run(const SpkArgs *args);

#endif
