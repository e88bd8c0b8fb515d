/* What may be changed while a daemon runs; the table is conf/knob.h. */
#ifndef SPK_CORE_KNOBS_H
#define SPK_CORE_KNOBS_H

#include "core/core.h"

/* Sets a knob for the daemon that runs on this store, until that ends; keep: for whoever runs
 * tasks here, until it is reset. The daemon hears it at once; tasks that run already keep what
 * they began with. NOT_FOUND, BAD_INPUT, USAGE (a part that is not in this version; nobody
 * runs and it is not to be kept), CONFLICT (on the daemon's command line). */
gboolean spk_core_knob_set(SpkCore *core, const char *name, const char *value,
			   gboolean keep, GError **error);
/* Back to what is configured. */
gboolean spk_core_knob_reset(SpkCore *core, const char *name, gboolean *ret_was,
			     GError **error);
/* The configuration with the knobs of its store, which is not made when there is none. A new
 * reference. */
SpkConf *spk_core_peek(SpkConf *conf);

#endif
