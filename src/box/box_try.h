/*
 * Live probes of a box: it is started, and sparks-box in it tries what a hostile program
 * would, as far as that is safe. What a machine is said to wall off is seen this way, not
 * assumed. Any thread.
 */
#ifndef SPK_BOX_BOX_TRY_H
#define SPK_BOX_BOX_TRY_H

#include "box/box.h"

/* [{"attempt":"files.read","held":true,"detail":"No such file or directory"}…]; the names are
 * those of the table in box/helper/attempt.c. NULL: the box could not be started. */
json_t *spk_box_try(SpkBox *box, SpkCancel *cancel, GError **error);

/* "pids" or "memory": takes 512 processes, 512 MiB. To be asked of a box with less than that.
 * *ret_held: it did not get them. */
gboolean spk_box_try_limit(SpkBox *box, const char *limit, gboolean *ret_held,
			   SpkCancel *cancel, GError **error);

#endif
