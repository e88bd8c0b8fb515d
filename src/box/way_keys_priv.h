/* The keys of [box] credentials for hosts that a way out allows, as the proxy takes them. */
#ifndef SPK_BOX_WAY_KEYS_PRIV_H
#define SPK_BOX_WAY_KEYS_PRIV_H

#include "conf/conf.h"
#include "net/route.h"

typedef struct {
	GPtrArray *hosts, *bases; /* SpkRoute, NULL behind them */
	char **variables;	  /* "K=V" for the box: where the bases are */
} SpkWayKeys;

void spk_way_keys_clear(SpkWayKeys *keys);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkWayKeys, spk_way_keys_clear)
/* CONFIG. */
gboolean spk_way_keys_read(SpkConf *conf, const char *const *hosts, SpkWayKeys *ret_keys,
			   GError **error);
/* Base URL of a route inside the box. */
char *spk_way_keys_url(const SpkRoute *route);

#endif
