/* One line per command, defined in cmd_NAME.c: what cmd_all.c puts into the table. */
#ifndef SPK_CMD_CMD_ALL_H
#define SPK_CMD_CMD_ALL_H

#include "cmd/cmd.h"

extern const SpkProgram spk_program;

extern const SpkCmd spk_cmd_approvals;
extern const SpkCmd spk_cmd_autonomy;
extern const SpkCmd spk_cmd_chat;
extern const SpkCmd spk_cmd_completions;
extern const SpkCmd spk_cmd_config;
extern const SpkCmd spk_cmd_cost;
extern const SpkCmd spk_cmd_demo;
extern const SpkCmd spk_cmd_dispatch;
extern const SpkCmd spk_cmd_do;
extern const SpkCmd spk_cmd_doctor;
extern const SpkCmd spk_cmd_ghosts;
extern const SpkCmd spk_cmd_help;
extern const SpkCmd spk_cmd_init;
extern const SpkCmd spk_cmd_knobs;
extern const SpkCmd spk_cmd_memory;
extern const SpkCmd spk_cmd_policy;
extern const SpkCmd spk_cmd_sandbox;
extern const SpkCmd spk_cmd_scan;
extern const SpkCmd spk_cmd_secrets;
extern const SpkCmd spk_cmd_setup;
extern const SpkCmd spk_cmd_stop;
extern const SpkCmd spk_cmd_store;
extern const SpkCmd spk_cmd_tasks;
extern const SpkCmd spk_cmd_up;
extern const SpkCmd spk_cmd_version;

#endif
