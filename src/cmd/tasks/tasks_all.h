/* The sub-commands of `sparks tasks`, one file each: what cmd_tasks.c puts into its table. */
#ifndef SPK_CMD_TASKS_ALL_H
#define SPK_CMD_TASKS_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_tasks_apply;
extern const SpkCmd spk_tasks_cancel;
extern const SpkCmd spk_tasks_diff;
extern const SpkCmd spk_tasks_explain;
extern const SpkCmd spk_tasks_export;
extern const SpkCmd spk_tasks_list;
extern const SpkCmd spk_tasks_log;
extern const SpkCmd spk_tasks_pause;
extern const SpkCmd spk_tasks_prune;
extern const SpkCmd spk_tasks_replay;
extern const SpkCmd spk_tasks_resume;
extern const SpkCmd spk_tasks_show;
extern const SpkCmd spk_tasks_undo;

#endif
