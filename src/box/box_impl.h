/*
 * For those who implement a backend of the sandbox; the list of them is in box.c. A backend
 * finds out once, when it is opened, how strong its walls are here. Its run() and the others
 * may be called by many threads at once.
 */
#ifndef SPK_BOX_BOX_IMPL_H
#define SPK_BOX_BOX_IMPL_H

#include "box/box.h"

/* What a backend reaches on this machine. */
typedef struct {
	SpkTier tier;	    /* NONE: nothing can run, and `why` says it */
	char *describe;	    /* for spk_box_describe() */
	char *why;	    /* why the tier isn't stronger; NULL: it can't be */
	const char *remedy; /* static: what to do about that */
	json_t *controls;   /* for spk_box_controls() */
} SpkBoxReach;

void spk_box_reach_clear(SpkBoxReach *reach);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkBoxReach, spk_box_reach_clear)

typedef struct {
	const char *name; /* as [box] backend has it */

	/* Mandatory: the backend's own object, and what it reaches. NULL and an error when
	 * what it needs is not there. */
	gpointer (*open)(SpkConf *conf, SpkBoxReach *ret_reach, GError **error);
	/* Mandatory. Nothing of it is left behind, neither processes nor containers. */
	void (*free)(gpointer self);
	/* Mandatory: spk_box_run(), for a run that was checked. */
	gboolean (*run)(gpointer self, const SpkBoxRun *run, SpkCancel *cancel,
			SpkBoxResult *ret_result, GError **error);
	/* Mandatory: spk_box_end_stale(). */
	guint (*end_stale)(gpointer self, const char *work);
	/* Optional: spk_box_has_way_out(); NULL: it has none, and no run asks for one. */
	gboolean (*has_way_out)(gpointer self);
	/* Optional: spk_box_tools(). */
	const SpkToolchains *(*tools)(gpointer self);
	/* Optional: spk_box_leave(). */
	void (*leave)(gpointer self, const char *work);
} SpkBoxBackend;

extern const SpkBoxBackend spk_box_native, spk_box_docker;

#endif
