/* Bytes to and fro, as they are. */
#include <sys/socket.h>

#include "base/clock.h"
#include "net/proxy_priv.h"

#define IDLE_US (300 * SECONDS)

/* FALSE: the sender broke its word about the body, or is gone. */
static gboolean read_up(Conn *conn)
{
	Flow *up = &conn->up;
	gssize of_body;

	if (!flow_fill(up, &conn->client))
		return FALSE;
	if (conn->request.is_connect)
		return TRUE;
	if (up->ended)
		return FALSE;
	of_body = spk_body_take(&conn->body, up->data, flow_held(up), NULL);
	if (of_body < 0)
		return FALSE;
	up->end = up->start + (gsize)of_body;
	up->ended = up->shut = conn->body.ended;
	return TRUE;
}

gboolean conn_carry_up(Conn *conn)
{
	Flow *up = &conn->up;

	if (!flow_held(up) && !up->ended &&
	    (!read_up(conn) || !conn_count(conn, up, &conn->sent)))
		return FALSE;
	if (!flow_flush(up, &conn->server)) {
		if (conn->request.is_connect)
			return FALSE;
		/* it has heard enough, and may have said why */
		up->start = up->end = 0;
		up->ended = up->shut = TRUE;
	}
	if (up->ended && !up->shut && !flow_held(up)) {
		up->shut = TRUE;
		return link_end(&conn->server);
	}
	return TRUE;
}

static gboolean carry_down(Conn *conn)
{
	Flow *down = &conn->down;

	if (!flow_held(down) && !down->ended &&
	    (!flow_fill(down, &conn->server) || !conn_count(conn, down, &conn->received)))
		return FALSE;
	if (!flow_flush(down, &conn->client))
		return FALSE;
	if (down->ended && !down->shut && !flow_held(down)) {
		down->shut = TRUE;
		return link_end(&conn->client);
	}
	return TRUE;
}

gboolean step_carry(Conn *conn)
{
	for (int turn = 0; turn < TURNS; turn++) {
		guint64 before = conn->sent + conn->received;

		if (!conn_carry_up(conn) || !carry_down(conn)) {
			conn->state = CONN_OVER;
			return FALSE;
		}
		if (conn->down.shut && !conn->request.is_connect) {
			conn->head->len = 0;
			conn_set_state(conn, CONN_DRAIN, DRAIN_US);
			return TRUE;
		}
		if (conn->down.shut && conn->up.shut) {
			conn->state = CONN_OVER;
			return FALSE;
		}
		if (conn->sent + conn->received == before)
			return FALSE;
		conn->deadline_us = spk_mono_us() + IDLE_US;
	}
	return FALSE;
}
