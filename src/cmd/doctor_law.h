/* `sparks doctor --security`: rules that never decided anything, tools that no task ever called,
 * levels that none needed. */
#ifndef SPK_CMD_DOCTOR_LAW_H
#define SPK_CMD_DOCTOR_LAW_H

#include "conf/conf.h"

/* {"tasks","rules_unused":[…],"patterns_unused":[…],"sparks":[{"name","tools_unused","tasks",
 * "level","level_needed"}]}, from the latest DOCTOR_LAW_TASKS tasks; null when there is no store.
 * Of `sparks` (SpkSpark) those are told that have worked and could do more. "level" is the highest
 * that holds now where its tasks worked, "level_needed" the least with which those `tasks` would
 * have gone as they went, both null when their journals don't say. */
#define DOCTOR_LAW_TASKS 200
json_t *spk_doctor_law(const SpkConf *conf, const GPtrArray *sparks);
void spk_doctor_law_print(const json_t *law);

#endif
