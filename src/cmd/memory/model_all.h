/* The sub-commands of `sparks memory model`, one file each. */
#ifndef SPK_CMD_MEMORY_MODEL_ALL_H
#define SPK_CMD_MEMORY_MODEL_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_memory_model_cmd_install;
extern const SpkCmd spk_memory_model_cmd_show;

#endif
