/* What sparks-box says of a run (the lines of box/box_plan.h), and a result made of it. */
#ifndef SPK_BOX_BOX_STATUS_PRIV_H
#define SPK_BOX_BOX_STATUS_PRIV_H

#include "box/box.h"

#define SPK_BOX_STATUS_MAX 8192 /* bytes */

typedef struct {
	gboolean exited;
	int exit_code, signal;
	glong rss_max_kib; /* 0: not told */
	json_t *blocked, *refused;
	char *untold;
	char *step, *text; /* of what failed; NULL */
} SpkBoxStatus;

void spk_box_status_clear(SpkBoxStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkBoxStatus, spk_box_status_clear)

void spk_box_status_read(SpkBoxStatus *status, const char *text);
/* Whether the last line is among them. */
gboolean spk_box_status_says_end(const char *text);
/* FALSE and BOX_FAILED when the walls did not stand. */
gboolean spk_box_status_built(const SpkBoxStatus *status, GError **error);
/* Signal, memory, what was blocked and refused, of the status (which loses it) and of what `result` has
 * already: timed_out, truncated by `flooded`. */
void spk_box_status_tell(SpkBoxStatus *status, gboolean flooded, SpkBoxResult *result);

#endif
