/*
 * [box] credentials: which keys are added to requests of commands, for which hosts. A row names a
 * key and never holds one: "api.github.com Authorization: Bearer {github.token}". Behind it may
 * stand "as VARIABLE [VARIABLE]": the host has a base URL then, which the first variable holds in
 * the box, and the second one holds what stands for the key there.
 */
#ifndef SPK_BOX_CREDENTIALS_H
#define SPK_BOX_CREDENTIALS_H

#include "conf/conf.h"
#include "conf/secret.h"
#include "net/address.h"
#include "net/route.h"

typedef struct {
	SpkEndpoint host;
	char *path; /* of the base URL outside: "" or "/api/v3" */
	char *header;
	char *prefix; /* "Bearer ", "" */
	char *user;   /* of "Basic USER:{...}"; NULL: none is given */
	const SpkSecret *secret;
	char *url_variable; /* NULL: it is asked by its own name */
	char *key_variable; /* NULL: none */
} SpkCredential;

/* SpkCredential of each row. CONFIG with the row: it is none, its secret has no such name, or a
 * host or a variable stands twice. Whether the keys are there is not looked at. */
GPtrArray *spk_credentials(const SpkConf *conf, GError **error);
/* What adds it. CONFIG: there is no such key, or it can't be one. */
SpkRoute *spk_credential_route(const SpkCredential *credential, SpkConf *conf,
			       GError **error);
char *spk_credential_host(const SpkCredential *credential); /* "HOST[:PORT]" */

#endif
