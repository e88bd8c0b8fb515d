/* Commands of `sandbox`: one file each. */
#ifndef SPK_CMD_SANDBOX_ALL_H
#define SPK_CMD_SANDBOX_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_sandbox_explain;
extern const SpkCmd spk_sandbox_probe;
extern const SpkCmd spk_sandbox_run;

#endif
