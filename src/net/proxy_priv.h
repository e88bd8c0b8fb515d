/* What the files of the proxy share: its object, and one connection as a small machine. */
#ifndef SPK_NET_PROXY_PRIV_H
#define SPK_NET_PROXY_PRIV_H

#include "net/allow.h"
#include "net/names.h"
#include "net/proxy.h"
#include "net/proxy_request.h"

typedef struct {
	SpkAllow *allow;
	SpkNames *names;
	guint64 bytes_left;
	guint requests_left;
	guint64 number; /* of the latest request */
	gboolean (*record)(const SpkProxyRecord *record, gpointer user);
	gpointer user;
} ProxyShared;

typedef enum {
	CONN_HEAD,    /* the request is not there yet */
	CONN_NAME,    /* its host is being looked up */
	CONN_CONNECT, /* an address is being tried */
	CONN_CARRY,
	CONN_REPLY, /* our own answer goes out */
	CONN_DRAIN, /* what the client still sends is thrown away, so that it reads to the end */
	CONN_OVER,
} ConnState;

/* Bytes on their way. */
typedef struct {
	char *data; /* FLOW_SIZE of them, or those that were there at first */
	gsize start, end, size;
	gboolean ended; /* nothing more will come */
	gboolean shut;	/* and the receiver knows */
} Flow;

typedef struct {
	ProxyShared *shared;
	ConnState state;
	int client, server; /* -1: none */
	GByteArray *head;
	SpkProxyRequest request;
	SpkBody body;
	Flow up, down; /* to the server, to the client */
	SpkAddress addresses[SPK_PROXY_ADDRESSES_MAX];
	guint n_addresses, next_address;
	char address[SPK_ENDPOINT_TEXT];
	char *refused;
	gboolean is_recorded; /* as let through */
	guint64 number, sent, received;
	gint64 began_us, deadline_us;
} Conn;

Conn *conn_new(ProxyShared *shared, int take_client);
/* Tells of the end of a request that had begun. */
void conn_free(Conn *conn);
/* What poll() is to wait for: of the client, of the server; 0: nothing. */
void conn_want(const Conn *conn, short *ret_client, short *ret_server);
/* Goes on as far as it can; `state` is CONN_OVER in the end. Called when poll() tells of one of
 * its descriptors, when a name may have been found, and when its time is up. */
void conn_go_on(Conn *conn);

#endif
