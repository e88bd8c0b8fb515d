/*
 * One connection of the proxy: a request is read, judged, let through and carried. Each state
 * has a step that goes as far as it can without waiting.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "net/proxy_priv.h"

Conn *conn_new(ProxyShared *shared, int take_client)
{
	Conn *conn = g_new0(Conn, 1);

	conn->shared = shared;
	conn->client.fd = take_client;
	conn->server.fd = -1;
	conn->head = g_byte_array_new();
	conn->began_us = spk_mono_us();
	conn_set_state(conn, CONN_HEAD, HEAD_US);
	return conn;
}

void conn_free(Conn *conn)
{
	if (conn->is_recorded)
		(void)conn_tell(conn, TRUE); /* it has happened, whoever hears of it */
	link_close(&conn->client);
	link_close(&conn->server);
	g_byte_array_unref(conn->head);
	spk_proxy_request_clear(&conn->request);
	g_clear_pointer(&conn->relay.raw, g_byte_array_unref);
	spk_proxy_response_clear(&conn->relay.head);
	spk_strip_clear(&conn->relay.strip);
	/* the key was in it */
	if (conn->route && conn->up.data)
		explicit_bzero(conn->up.data, conn->up.size);
	g_clear_pointer(&conn->route, spk_route_unref);
	flow_clear(&conn->up);
	flow_clear(&conn->down);
	g_free(conn->refused);
	g_free(conn);
}

/* What poll() waits for is not always the way bytes go, where there is TLS. */
static short wants(const Link *link, gboolean to_read, gboolean to_write)
{
	short events = 0;

	if (to_read)
		events |= link->tls ? spk_tls_wants(link->tls, FALSE) : POLLIN;
	if (to_write)
		events |= link->tls ? spk_tls_wants(link->tls, TRUE) : POLLOUT;
	return events;
}

void conn_want(const Conn *conn, short *ret_client, short *ret_server)
{
	const Flow *up = &conn->up, *down = &conn->down;
	gboolean carry = conn->state == CONN_CARRY || conn->state == CONN_RELAY;
	gboolean greeting = conn->state == CONN_ACCEPT;

	*ret_client = wants(&conn->client,
			    conn->state == CONN_HEAD || conn->state == CONN_DRAIN ||
				    (greeting && !flow_held(down)) ||
				    (carry && !flow_held(up) && !up->ended),
			    conn->state == CONN_REPLY ||
				    ((carry || greeting) && flow_held(down)));
	*ret_server = wants(&conn->server,
			    conn->state == CONN_SECURE ||
				    (carry && !flow_held(down) && !down->ended),
			    conn->state == CONN_CONNECT || (carry && flow_held(up)));
}

/* Time is up. */
static void give_up(Conn *conn)
{
	const SpkEndpoint *to = &conn->request.to;

	switch (conn->state) {
	case CONN_NAME:
		(void)conn_answer(conn, 504,
				  g_strdup_printf("%s was not found in time", to->name));
		break;
	case CONN_CONNECT:
		if (conn->next_address < conn->n_addresses) {
			link_close(&conn->server);
			conn_set_state(conn, CONN_CONNECT, CONNECT_US);
		} else {
			(void)conn_answer(conn, 504,
					  g_strdup_printf("%s:%u does not answer",
							  to->name, to->port));
		}
		break;
	case CONN_SECURE:
		(void)conn_answer(conn, 504,
				  g_strdup_printf("%s:%u does not answer", to->name,
						  to->port));
		break;
	case CONN_RELAY:
		(void)conn_cut(conn, g_strdup("cut off: it took too long"));
		break;
	default:
		conn->state = CONN_OVER;
	}
}

static gboolean (*const steps[])(Conn *conn) = {
	[CONN_HEAD] = step_head,     [CONN_ACCEPT] = step_accept,
	[CONN_NAME] = step_name,     [CONN_CONNECT] = step_connect,
	[CONN_SECURE] = step_secure, [CONN_CARRY] = step_carry,
	[CONN_RELAY] = step_relay,   [CONN_REPLY] = step_reply,
	[CONN_DRAIN] = step_drain,
};

void conn_go_on(Conn *conn)
{
	conn->is_hungry = FALSE;
	if (conn->route && spk_route_is_closed(conn->route) && conn->state < CONN_REPLY)
		(void)conn_cut(conn, g_strdup("cut off: the key is no longer given"));
	else if (spk_mono_us() >= conn->deadline_us)
		give_up(conn);
	while (conn->state != CONN_OVER && steps[conn->state](conn))
		;
}
