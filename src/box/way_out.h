/*
 * The way out of the box, as the configuration and a task allow it: a proxy (net/proxy.h) from
 * the first host that is allowed, or the first route, and what a run needs to know of it.
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
	/* As of SpkProxySpec; it may be called until the object is freed. */
	gboolean (*record)(const SpkProxyRecord *record, gpointer user);
	gpointer user;
} SpkWayOutSpec;

/* `box` must live as long. USAGE: a rule of `allow` is none; CONFIG: one of [box] is none; POLICY:
 * hosts are allowed, and the sandbox has no way out. */
gboolean spk_way_out_open(SpkBox *box, const SpkWayOutSpec *spec, SpkWayOut **ret_way,
			  GError **error);
void spk_way_out_free(SpkWayOut *way);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkWayOut, spk_way_out_free)
/* Sets what the run needs (borrowed from `way`; of NULL nothing, nor without hosts and routes). */
void spk_way_out_use(SpkWayOut *way, SpkBoxRun *run);
/* Adds to `blocked` of a result what was refused since the last call, each request once. */
void spk_way_out_note(SpkWayOut *way, SpkBoxResult *result);
/* Requests of commands that were let through since it was opened, those by a route of ours not
 * counted; *ret_host is where the last one went, allocated. */
guint64 spk_way_out_reached(SpkWayOut *way, char **ret_host);
/* The hosts that are allowed. */
const char *const *spk_way_out_hosts(const SpkWayOut *way);

/* A way to one server with a key that only we have (net/route.h), for one call of a program. The
 * program is told the URL, and the placeholder where it wants a key; both are worthless once the
 * route is closed. Any thread. BAD_INPUT: the spec; POLICY: the sandbox has no way out, or `way` is
 * NULL, as of a replay; PROVIDER: no TLS here; LIMIT; IO. */
typedef struct SpkWayOutRoute SpkWayOutRoute;
SpkWayOutRoute *spk_way_out_route_open(SpkWayOut *way, const SpkRouteSpec *spec,
				       GError **error);
/* Ends its connections. To be called before the way is freed. */
void spk_way_out_route_close(SpkWayOutRoute *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkWayOutRoute, spk_way_out_route_close)
/* Base URL inside the box, without a slash at its end: what is behind it goes behind the path of
 * the spec's origin. */
const char *spk_way_out_route_url(const SpkWayOutRoute *route);
const char *spk_way_out_route_placeholder(const SpkWayOutRoute *route);

/* Only whether the rules are rules: USAGE. */
gboolean spk_way_out_check(const char *const *allow, GError **error);
/* {"number","method","host","port","path","address","credential","refused","sent","received",
 * "seconds"}; of one that is let through only what is known then, "credential" only where a key
 * was added. */
json_t *spk_way_out_to_json(const SpkProxyRecord *record);

#endif
