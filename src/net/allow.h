/*
 * Which hosts may be reached. Nothing is, but what a rule names; and an address that does not
 * lead into the internet only when it is named itself, with its port. Immutable once made.
 */
#ifndef SPK_NET_ALLOW_H
#define SPK_NET_ALLOW_H

#include "net/address.h"

#define SPK_ALLOW_MAX 256 /* rules of each kind */

typedef struct SpkAllow SpkAllow;

/* `hosts`: "HOST", "HOST:PORT", "*.HOST[:PORT]" (all below HOST, not HOST itself); without a
 * port 80 and 443; or a set of hosts by its name: "@npm", "@pypi", "@crates", "@go", "@maven",
 * "@rubygems", "@debian", or all of these, "@registries". `addresses`: "ADDRESS:PORT" that may be private. Each list ends with NULL,
 * or is NULL. BAD_INPUT naming the rule; LIMIT. */
SpkAllow *spk_allow_new(const char *const *hosts, const char *const *addresses,
			GError **error);
void spk_allow_free(SpkAllow *allow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkAllow, spk_allow_free)

/* TRUE when a rule names the host with its port. */
gboolean spk_allow_host(const SpkAllow *allow, const SpkEndpoint *endpoint);
/* Whether any rule of hosts names it, whatever the port. */
gboolean spk_allow_knows(const SpkAllow *allow, const char *name);
/* NULL: may be connected to. Else why not; static. */
const char *spk_allow_refuses(const SpkAllow *allow, const SpkAddress *address,
			      guint16 port);
gboolean spk_allow_is_empty(const SpkAllow *allow);

#endif
