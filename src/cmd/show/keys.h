/* Which hosts get a key that the box does not see ([box] credentials), for people. */
#ifndef SPK_CMD_SHOW_KEYS_H
#define SPK_CMD_SHOW_KEYS_H

#include "conf/conf.h"

/* "api.github.com (github.token), ..." with what is in the way of each: the host is allowed
 * neither by [box] allow nor by `allow` (NULL: nothing more), or there is no such key, which
 * *ret_missing tells. "none" without rows; NULL: CONFIG. */
char *spk_show_keys(SpkConf *conf, const char *const *allow, gboolean *ret_missing,
		    GError **error);

#endif
