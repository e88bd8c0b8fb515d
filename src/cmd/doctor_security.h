/* `sparks doctor --security`: what holds for each spark, seen by trying it. */
#ifndef SPK_CMD_DOCTOR_SECURITY_H
#define SPK_CMD_DOCTOR_SECURITY_H

#include "cmd/cmd.h"

/* Prints the report. Returns an exit code; the numbers of checks by status (pass, warn, fail)
 * are in ret_counts when it is 0. */
int spk_doctor_security(const SpkArgs *args, const SpkConf *conf, SpkCancel *cancel,
			guint ret_counts[3]);

#endif
