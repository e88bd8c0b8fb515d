/* Commands of `config` that have a file of their own. */
#ifndef SPK_CMD_CONFIG_ALL_H
#define SPK_CMD_CONFIG_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_cmd_config_explain;
extern const SpkCmd spk_cmd_config_path;
extern const SpkCmd spk_cmd_config_sample;

/* The value in force, as a clean line. */
char *spk_config_value_text(const SpkConf *conf, const SpkOpt *opt);

#endif
