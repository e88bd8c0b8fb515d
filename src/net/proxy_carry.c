/* Bytes to and fro, as they are; but the first of a tunnel tell whom it is for. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/hello.h"
#include "net/proxy_priv.h"

#define IDLE_US	   (300 * SECONDS)
#define HELLO_STEP 4096

/* ---- the first bytes of a tunnel ---- */

static gboolean refuse_hello(Conn *conn, const char *name)
{
	const char *to = conn->request.to.name;

	return conn_cut(conn,
			name ? g_strdup_printf("the tunnel is to %s, and TLS in it asks "
					       "for %s",
					       to, name)
			     : g_strdup_printf("what TLS asks for in the tunnel to %s is "
					       "not of its form",
					       to));
}

/* FALSE: this is for somebody else. Goes on to wait while that can't be said. */
static gboolean judge_hello(Conn *conn)
{
	g_autofree char *name = NULL;
	SpkHello hello = spk_hello_read(conn->head->data, conn->head->len, &name);

	if (hello == SPK_HELLO_BROKEN ||
	    (hello == SPK_HELLO_NAME && strcmp(name, conn->request.to.name) != 0))
		return refuse_hello(conn, name);
	conn->is_known = hello != SPK_HELLO_MORE || conn->up.ended;
	if (conn->is_known)
		flow_put(&conn->up, conn->head->data, conn->head->len);
	return TRUE;
}

/* The head's place takes what comes until it is known; some may have come with CONNECT. */
static gboolean read_hello(Conn *conn)
{
	guint before = conn->head->len;
	ssize_t n;

	if (before && !judge_hello(conn))
		return FALSE;
	if (conn->is_known)
		return TRUE;
	g_byte_array_set_size(conn->head, before + HELLO_STEP);
	n = link_read(&conn->client, conn->head->data + before, HELLO_STEP);
	g_byte_array_set_size(conn->head, before + (guint)MAX(n, 0));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	conn->up.ended = n == 0;
	return judge_hello(conn);
}

/* ---- to and fro ---- */

/* FALSE: the sender broke its word about the body, or is gone. */
static gboolean read_up(Conn *conn)
{
	Flow *up = &conn->up;
	gssize of_body;

	if (conn->request.is_connect && !conn->is_known)
		return read_hello(conn);
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
