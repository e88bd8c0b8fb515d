/* `sparks doctor --security`: rules that never decided anything, tools that no task ever called. */
#ifndef SPK_CMD_DOCTOR_LAW_H
#define SPK_CMD_DOCTOR_LAW_H

#include "conf/conf.h"

/* {"tasks","rules_unused":[…],"patterns_unused":[…],"sparks":[{"name","tools_unused"}]},
 * from the latest DOCTOR_LAW_TASKS tasks; null when there is no store. `sparks`: of SpkSpark. */
#define DOCTOR_LAW_TASKS 200
json_t *spk_doctor_law(const SpkConf *conf, const GPtrArray *sparks);
void spk_doctor_law_print(const json_t *law);

#endif
