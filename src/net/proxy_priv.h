/*
 * What the files of the proxy share: its object, and one connection as a small machine. From the
 * lowest: proxy_flow.c (bytes on their way), proxy_answer.c (our own answers, and what is told of
 * a request), proxy_judge.c (what a request asks for, and whether it may), proxy_connect.c,
 * proxy_carry.c (bytes to and fro), proxy_relay.c (likewise, where a key was added),
 * proxy_conn.c (the machine).
 */
#ifndef SPK_NET_PROXY_PRIV_H
#define SPK_NET_PROXY_PRIV_H

#include "net/allow.h"
#include "net/authority.h"
#include "net/names.h"
#include "net/proxy.h"
#include "net/proxy_request.h"
#include "net/proxy_response.h"
#include "net/strip.h"

typedef struct {
	SpkAllow *allow;
	SpkNames *names;
	guint64 bytes_left;
	guint requests_left;
	guint64 number; /* of the latest request */
	gboolean (*record)(const SpkProxyRecord *record, gpointer user);
	gpointer user;
	GPtrArray *credentials;	 /* SpkRoute, by their hosts */
	GPtrArray *bases;	 /* SpkRoute, whose hosts are asked by them alone */
	SpkAuthority *authority; /* NULL: there are none */
	GMutex lock;		 /* of those that follow */
	GHashTable *routes;	 /* token -> SpkRoute */
	SpkTlsContext *tls;	 /* NULL: nobody has needed it */
} ProxyShared;

typedef enum {
	CONN_HEAD,    /* the request is not there yet */
	CONN_ACCEPT,  /* the client is greeted in the name of a host that has a key */
	CONN_NAME,    /* its host is being looked up */
	CONN_CONNECT, /* an address is being tried */
	CONN_SECURE,  /* TLS with the server is being set up */
	CONN_CARRY,
	CONN_RELAY, /* the same, and the answer is searched for the key */
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
	int fd;	     /* -1: none */
	SpkTls *tls; /* NULL: plain */
} Link;

/* An answer on its way to a client, of a request that a key was added to. */
typedef struct {
	GByteArray *raw; /* its head, until it is whole */
	SpkProxyResponse head;
	gboolean has_head;
	SpkBody body;
	SpkStrip strip;
} Relay;

typedef struct {
	ProxyShared *shared;
	ConnState state;
	Link client, server;
	GByteArray *head;
	SpkProxyRequest request;
	SpkRoute *route; /* NULL: no key is added */
	SpkBody body;
	Relay relay;
	Flow up, down; /* to the server, to the client */
	SpkAddress addresses[SPK_PROXY_ADDRESSES_MAX];
	guint n_addresses, next_address;
	char address[SPK_ENDPOINT_TEXT];
	char *refused;
	gboolean is_inner;    /* within the tunnel of a CONNECT that ends here */
	gboolean is_recorded; /* as let through */
	gboolean is_known;    /* a tunnel: what its client says first has been seen */
	gboolean is_hungry;   /* it has not come to the end of what is there */
	guint64 number, sent, received;
	gint64 began_us, deadline_us;
} Conn;

#define SECONDS	 ((gint64)G_USEC_PER_SEC)
#define DRAIN_US (1 * SECONDS)
#define TURNS	 8 /* of one connection before the others have theirs */

/* ---- proxy_flow.c ---- */
/* As read() and write(). */
gssize link_read(Link *link, void *bytes, gsize len);
gssize link_write(Link *link, const void *bytes, gsize len);
void link_close(Link *link);
/* Tells the other side that no more will come. */
gboolean link_end(Link *link);
gsize flow_held(const Flow *flow);
void flow_put(Flow *flow, const void *data, gsize len);
/* Reads into an empty flow. FALSE: the sender is gone otherwise than by ending. */
gboolean flow_fill(Flow *flow, Link *link);
/* FALSE: the receiver is gone. */
gboolean flow_flush(Flow *flow, Link *link);
void flow_clear(Flow *flow);

/* ---- proxy_answer.c; steps go as far as they can without waiting, and return whether there is
 * another one to go on with ---- */
void conn_set_state(Conn *conn, ConnState state, gint64 us);
gboolean conn_tell(Conn *conn, gboolean ended);
/* The request goes no further; always TRUE, as a step that has somewhere to go on. */
gboolean conn_answer(Conn *conn, int status, char *take_why);
/* The same, where nothing can be said to the client; always FALSE. */
gboolean conn_cut(Conn *conn, char *take_why);
/* Counts what was read; FALSE: the limit is passed. */
gboolean conn_count(Conn *conn, const Flow *flow, guint64 *total);
gboolean step_reply(Conn *conn);
gboolean step_drain(Conn *conn);

/* ---- proxy_judge.c ---- */
gboolean step_head(Conn *conn);
gboolean step_accept(Conn *conn);
gboolean step_name(Conn *conn);
#define HEAD_US	   (30 * SECONDS)
#define CONNECT_US (10 * SECONDS) /* each address */

/* ---- the rest ---- */
gboolean step_connect(Conn *conn);
gboolean step_secure(Conn *conn);
gboolean step_carry(Conn *conn);
/* FALSE: the client or the server broke its word, or is gone. */
gboolean conn_carry_up(Conn *conn);
gboolean step_relay(Conn *conn);

Conn *conn_new(ProxyShared *shared, int take_client);
/* Tells of the end of a request that had begun. */
void conn_free(Conn *conn);
/* What poll() is to wait for: of the client, of the server; 0: nothing. */
void conn_want(const Conn *conn, short *ret_client, short *ret_server);
/* Goes on as far as it can; `state` is CONN_OVER in the end. Called when poll() tells of one of
 * its descriptors, when a name may have been found or a route was closed, and when its time is
 * up. */
void conn_go_on(Conn *conn);

#endif
