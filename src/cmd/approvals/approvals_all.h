/* The sub-commands of `sparks approvals`, one file each: what cmd_approvals.c puts into its table. */
#ifndef SPK_CMD_APPROVALS_ALL_H
#define SPK_CMD_APPROVALS_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_approvals_allow;
extern const SpkCmd spk_approvals_deny;
extern const SpkCmd spk_approvals_list_cmd;
extern const SpkCmd spk_approvals_show;

#endif
