/*
 * The lower half of the play server: a loopback HTTP/1.1 server on plain sockets, one
 * thread per connection, that lets a handler write whatever bytes it likes, wrong ones
 * too. For tests only.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <glib.h>

typedef struct Wire Wire;

typedef struct {
	Wire *wire;
	int fd;
	guint number; /* of this request on this server: 0, 1, ... */
	char *method, *path;
	char *head; /* request line and headers, as they came */
	GString *body;
} WireRequest;

/* TRUE: the connection stays open for the next request. */
typedef gboolean (*WireHandler)(const WireRequest *request, gpointer user);

/* Listens on 127.0.0.1; port 0: any free one. NULL when it can't. */
Wire *wire_start(guint16 port, WireHandler handler, gpointer user);
/* Ends all connections and waits for their threads. */
void wire_stop(Wire *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_stop)
guint16 wire_port(const Wire *wire);
guint wire_connections(Wire *wire); /* accepted so far */
guint wire_requests(Wire *wire);

/* FALSE when the peer is gone. */
gboolean wire_send(const WireRequest *request, const char *data, gsize len);
gboolean wire_puts(const WireRequest *request, const char *text);
/* Sleeps; FALSE at once when the server is stopped. ms < 0: until then. */
gboolean wire_pause(const WireRequest *request, gint64 ms);
/* The connection will end with a reset instead of a clean close. */
void wire_set_reset(const WireRequest *request);

#endif
