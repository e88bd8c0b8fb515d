/*
 * Names of hosts, each resolved once and remembered, without making anybody wait: a lookup is a
 * thread of its own. One thread uses an object.
 */
#ifndef SPK_NET_NAMES_H
#define SPK_NET_NAMES_H

#include "net/proxy.h"

typedef struct SpkNames SpkNames;

typedef struct {
	SpkAddress addresses[SPK_PROXY_ADDRESSES_MAX];
	guint n;
	const char *fault; /* why there is none */
} SpkNamesAnswer;

/* An eventfd that is written to when an answer has come. */
SpkNames *spk_names_new(SpkResolveFn resolve, int wake_fd);
/* Does not wait for lookups: whose answer comes later than this is forgotten. */
void spk_names_free(SpkNames *names);
/* NULL: not yet, ask again when the descriptor was written to. Good until the next call. An
 * answer stays for good; a failure is asked for again some seconds later. */
const SpkNamesAnswer *spk_names_ask(SpkNames *names, const char *name);

#endif
