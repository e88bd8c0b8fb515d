/* The sub-commands of `sparks memory`: what cmd_memory.c puts into its table. */
#ifndef SPK_CMD_MEMORY_ALL_H
#define SPK_CMD_MEMORY_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_memory_cmd_add;
extern const SpkCmd spk_memory_cmd_batch;
extern const SpkCmd spk_memory_cmd_doctor;
extern const SpkCmd spk_memory_cmd_duplicates;
extern const SpkCmd spk_memory_cmd_edit;
extern const SpkCmd spk_memory_cmd_export;
extern const SpkCmd spk_memory_cmd_forget;
extern const SpkCmd spk_memory_cmd_import;
extern const SpkCmd spk_memory_cmd_list;
extern const SpkCmd spk_memory_cmd_model;
extern const SpkCmd spk_memory_cmd_prune;
extern const SpkCmd spk_memory_cmd_reindex;
extern const SpkCmd spk_memory_cmd_retire;
extern const SpkCmd spk_memory_cmd_revive;
extern const SpkCmd spk_memory_cmd_search;
extern const SpkCmd spk_memory_cmd_show;
extern const SpkCmd spk_memory_cmd_stats;
extern const SpkCmd spk_memory_cmd_undo;
extern const SpkCmd spk_memory_cmd_why;

#endif
