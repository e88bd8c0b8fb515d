/* The sub-commands of `sparks memory`, one file each: what cmd_memory.c puts into its table. */
#ifndef SPK_CMD_MEMORY_ALL_H
#define SPK_CMD_MEMORY_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_memory_cmd_batch;
extern const SpkCmd spk_memory_cmd_model;
extern const SpkCmd spk_memory_cmd_undo;

#endif
