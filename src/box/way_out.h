/*
 * The way out of the box, as the configuration and a task allow it: a proxy (net/proxy.h) while
 * the object lives, and what a run needs to know of it. Where nothing is allowed there is none.
 */
#ifndef SPK_BOX_WAY_OUT_H
#define SPK_BOX_WAY_OUT_H

#include "box/box.h"
#include "net/proxy.h"

typedef struct SpkWayOut SpkWayOut;

typedef struct {
	SpkConf *conf;		  /* [box] allow, allow_private, net_bytes */
	const char *const *allow; /* more hosts; NULL: none */
	const char *
		folder; /* where the socket is put, ours alone; NULL: a new one in TMPDIR */
	/* As of SpkProxySpec. */
	gboolean (*record)(const SpkProxyRecord *record, gpointer user);
	gpointer user;
} SpkWayOutSpec;

/* *ret_way is NULL when no host is allowed. USAGE: a rule of `allow` is none; CONFIG: one of
 * [box] is none; POLICY: the sandbox has no way out. */
gboolean spk_way_out_open(SpkBox *box, const SpkWayOutSpec *spec, SpkWayOut **ret_way,
			  GError **error);
void spk_way_out_free(SpkWayOut *way);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkWayOut, spk_way_out_free)
/* Sets what the run needs (borrowed from `way`; of NULL nothing). */
void spk_way_out_use(const SpkWayOut *way, SpkBoxRun *run);
/* Adds to `blocked` of a result what was refused since the last call, each request once. */
void spk_way_out_note(SpkWayOut *way, SpkBoxResult *result);
/* The hosts that are allowed. */
const char *const *spk_way_out_hosts(const SpkWayOut *way);

/* Only whether the rules are rules: USAGE. */
gboolean spk_way_out_check(const char *const *allow, GError **error);
/* {"number","method","host","port","path","address","refused","sent","received","seconds"}; of one
 * that is let through only what is known then. */
json_t *spk_way_out_to_json(const SpkProxyRecord *record);

#endif
