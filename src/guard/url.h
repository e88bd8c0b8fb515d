/*
 * May this URL be asked for? Judged on its text before a call is made, by the address rules of
 * net/address.h. The parser is our own and strict: what two clients would read differently
 * (a user name in front, a backslash, a number in another spelling, letters beyond ASCII in
 * the host) is refused, with the address that it really is. The proxy of the box looks again,
 * at the addresses that a name leads to. Pure functions; any thread.
 */
#ifndef SPK_GUARD_URL_H
#define SPK_GUARD_URL_H

#include "guard/decision.h"
#include "net/allow.h"

#define SPK_URL_MAX 8192 /* bytes */

/* Rules: "url.scheme", "url.form", "url.userinfo", "url.spelling" and "url.private" refuse;
 * "operator.allow" when `allow` names host and port; "url.host" asks. `allow`: NULL, nothing
 * is allowed. *ret is replaced; it holds no byte of path, query or user name. */
void spk_url_judge(const char *url, const SpkAllow *allow, SpkDecision *ret);
/* The same of "HOST" or "HOST:PORT", as commands other than browsers take it. `port`: the one
 * that is meant when none is written. */
void spk_host_judge(const char *host, guint16 port, const SpkAllow *allow,
		    SpkDecision *ret);
/* TRUE when the judge takes the URL for well-formed, whatever it then says of the host: which
 * host and port it is for. */
gboolean spk_url_endpoint(const char *url, SpkEndpoint *ret);

#endif
