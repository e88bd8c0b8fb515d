/* The server: its addresses are tried, TLS is set up where a key is added, and off it goes. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "net/proxy_priv.h"

#define SECURE_US (15 * SECONDS)
#define IDLE_US	  (300 * SECONDS)

static gboolean start_connect(Conn *conn)
{
	const SpkAddress *to = &conn->addresses[conn->next_address++];
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, on = 1;
	struct sockaddr_storage address;
	socklen_t len = spk_address_to_sockaddr(to, conn->request.to.port, &address);
	int fd = socket(to->family, type, 0);

	spk_address_print(to, conn->request.to.port, conn->address);
	conn_set_state(conn, CONN_CONNECT, CONNECT_US);
	conn->server.fd = fd;
	if (fd < 0)
		return FALSE;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return connect(fd, (struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS;
}

/* ---- off it goes ---- */

static gboolean put_body(Conn *conn)
{
	gssize of_body = spk_body_take(&conn->body, (const char *)conn->head->data,
				       conn->head->len, NULL);

	if (of_body < 0)
		return FALSE;
	flow_put(&conn->up, conn->request.head->str, conn->request.head->len);
	flow_put(&conn->up, conn->head->data, (gsize)of_body);
	conn->up.ended = conn->up.shut = conn->body.ended;
	return TRUE;
}

static void begin_relay(Conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	conn->relay.raw = g_byte_array_new();
	spk_strip_init(&conn->relay.strip, conn->route->secrets);
	if (conn->request.expects && !conn->body.ended)
		flow_put(&conn->down, go_on, strlen(go_on));
}

static gboolean begin(Conn *conn)
{
	static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";

	if (conn->request.is_connect) {
		flow_put(&conn->down, established, strlen(established));
	} else if (!put_body(conn)) {
		return conn_answer(
			conn, 400,
			g_strdup("the body of the request is not of its form"));
	}
	if (conn->route)
		begin_relay(conn);
	if (!conn_count(conn, &conn->up, &conn->sent)) {
		conn->state = CONN_OVER;
		return FALSE;
	}
	conn_set_state(conn, conn->route ? CONN_RELAY : CONN_CARRY, IDLE_US);
	return TRUE;
}

gboolean step_secure(Conn *conn)
{
	const SpkEndpoint *to = &conn->request.to;
	const char *why = NULL;
	int done = spk_tls_handshake(conn->server.tls, &why);

	if (done >= 0)
		return done && begin(conn);
	return conn_answer(conn, 502,
			   g_strdup_printf("no TLS with %s:%u: %s", to->name, to->port,
					   why));
}

static gboolean connected(Conn *conn)
{
	if (!conn->route || !conn->route->is_tls)
		return begin(conn);
	/* set before there was a route that needs it, and for good */
	conn->server.tls =
		spk_tls_new(conn->shared->tls, conn->server.fd, &conn->route->origin);
	conn_set_state(conn, CONN_SECURE, SECURE_US);
	return TRUE;
}

/* Whether the attempt under way is over; *failed is its errno. */
static gboolean attempt_over(Conn *conn, int *ret_failed)
{
	struct pollfd fd = { .fd = conn->server.fd, .events = POLLOUT };
	socklen_t len = sizeof(*ret_failed);

	if (poll(&fd, 1, 0) != 1)
		return FALSE;
	*ret_failed = 0;
	if (getsockopt(conn->server.fd, SOL_SOCKET, SO_ERROR, ret_failed, &len) < 0)
		*ret_failed = errno;
	return TRUE;
}

gboolean step_connect(Conn *conn)
{
	int failed = 0;

	if (conn->server.fd >= 0) {
		if (!attempt_over(conn, &failed))
			return FALSE;
		if (!failed)
			return connected(conn);
		link_close(&conn->server);
	}
	while (conn->next_address < conn->n_addresses) {
		if (start_connect(conn))
			return TRUE;
		failed = errno;
		link_close(&conn->server);
	}
	return conn_answer(conn, 502,
			   g_strdup_printf("%s:%u cannot be reached: %s",
					   conn->request.to.name, conn->request.to.port,
					   g_strerror(failed)));
}
