/* The sub-commands of `sparks policy`, one file each: what cmd_policy.c puts into its table. */
#ifndef SPK_CMD_POLICY_ALL_H
#define SPK_CMD_POLICY_ALL_H

#include "cmd/cmd.h"

extern const SpkCmd spk_policy_add;
extern const SpkCmd spk_policy_check;
extern const SpkCmd spk_policy_lex;
extern const SpkCmd spk_policy_remove;
extern const SpkCmd spk_policy_rules;

/* One word is a line of a shell; several are words, quoted for one. */
char *spk_policy_line(const char *const *words);
/* [{"line","way","at","read_only","does":[…],"decision":{…}}] of SpkCommandPart. */
json_t *spk_policy_parts_to_json(const GPtrArray *parts);

#endif
