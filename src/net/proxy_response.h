/*
 * A server's answer to a request that had a key, read as strictly as a client's request: what
 * goes on to the client is written anew, and only when the key could be looked for in it. Pure
 * functions; any thread.
 */
#ifndef SPK_NET_PROXY_RESPONSE_H
#define SPK_NET_PROXY_RESPONSE_H

#include "net/body.h"

#define SPK_RESPONSE_HEAD_MAX (64u << 10) /* bytes */

typedef struct {
	int status;
	GString *head; /* for the client, blank line included */
	SpkBodyKind body;
	guint64 length;	  /* of SPK_BODY_LENGTH */
	gboolean chunked; /* the client is sent chunks */
} SpkProxyResponse;
void spk_proxy_response_clear(SpkProxyResponse *response);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkProxyResponse, spk_proxy_response_clear)

typedef struct {
	gboolean is_head; /* the method was HEAD */
	gboolean is_1_1;  /* the client can read chunks */
} SpkProxyAsked;

/* `len` as of spk_proxy_head_len(). NULL, or why it can't go on, after "the answer ". The head
 * of a 1xx answer is empty: another answer follows. */
const char *spk_proxy_response_parse(const char *head, gsize len,
				     const SpkProxyAsked *asked,
				     SpkProxyResponse *ret_response);

#endif
