/* Commands of `ghosts` that have a file of their own, and what they share. */
#ifndef SPK_CMD_GHOSTS_ALL_H
#define SPK_CMD_GHOSTS_ALL_H

#include "agent/agent.h"
#include "cmd/cmd.h"

extern const SpkCmd spk_cmd_ghosts_show;

/* {"name","description","role","strategy","read_only","tools","origin"} */
json_t *spk_ghosts_to_json(const SpkSpark *spark);

#endif
