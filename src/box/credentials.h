/*
 * [box] credentials: which keys are added to requests of commands, for which hosts. A row names a
 * key and never holds one: "api.github.com Authorization: Bearer {github.token}".
 */
#ifndef SPK_BOX_CREDENTIALS_H
#define SPK_BOX_CREDENTIALS_H

#include "conf/conf.h"
#include "conf/secret.h"
#include "net/address.h"
#include "net/route.h"

typedef struct {
	SpkEndpoint host;
	char *header;
	char *prefix; /* "Bearer ", "" */
	char *user;   /* of "Basic USER:{...}"; NULL: none is given */
	const SpkSecret *secret;
} SpkCredential;

/* SpkCredential of each row. CONFIG with the row: it is none, its secret has no such name, or a
 * host stands twice. Whether the keys are there is not looked at. */
GPtrArray *spk_credentials(const SpkConf *conf, GError **error);
/* What adds it. CONFIG: there is no such key, or it can't be one. */
SpkRoute *spk_credential_route(const SpkCredential *credential, SpkConf *conf,
			       GError **error);
char *spk_credential_host(const SpkCredential *credential); /* "HOST[:PORT]" */

#endif
