/*
 * A request that has a key goes up, and its answer comes down without it. The answer is taken
 * apart: its head is written anew, chunks are joined and cut again, and the key is looked for in
 * what is left, wherever the server cut it. Nothing waits but the few bytes at the end that could
 * be its beginning. A length that was told stays true: a star for a byte.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/proxy_priv.h"

#define PIECE	(32u << 10)
#define UP_MAX	(64u << 20)	/* bytes of a request */
#define IDLE_US (900 * SECONDS) /* a model may think for long */
#define ALL_US	(3600 * SECONDS)

/* ---- the answer ---- */

static void put_piece(Conn *conn, const GByteArray *data)
{
	char line[20];

	if (!data->len)
		return;
	if (conn->relay.head.chunked)
		flow_put(&conn->down, line,
			 (gsize)g_snprintf(line, sizeof(line), "%x\r\n", data->len));
	flow_put(&conn->down, data->data, data->len);
	if (conn->relay.head.chunked)
		flow_put(&conn->down, "\r\n", 2);
}

static void end_answer(Conn *conn)
{
	g_autoptr(GByteArray) last = g_byte_array_new();

	spk_strip_end(&conn->relay.strip, last);
	put_piece(conn, last);
	if (conn->relay.head.chunked)
		flow_put(&conn->down, "0\r\n\r\n", 5);
	conn->down.ended = TRUE;
}

static gboolean take_body(Conn *conn, const char *bytes, gsize len)
{
	Relay *relay = &conn->relay;
	g_autoptr(GByteArray) data = g_byte_array_new(), clean = g_byte_array_new();

	if (spk_body_take(&relay->body, bytes, len, data) < 0)
		return conn_cut(conn, g_strdup("cut off: the server's answer is not of "
					       "its form"));
	spk_strip_feed(&relay->strip, data->data, data->len, clean);
	put_piece(conn, clean);
	if (relay->body.ended)
		end_answer(conn);
	return TRUE;
}

/* TRUE: it is there, or more is needed; FALSE: the client has been answered otherwise. */
static gboolean take_head(Conn *conn)
{
	Relay *relay = &conn->relay;
	const SpkProxyAsked asked = { strcmp(conn->request.method, "HEAD") == 0,
				      conn->request.is_1_1 };
	const char *why = NULL;
	gsize len;

	while (!relay->has_head && !why) {
		len = spk_proxy_head_len((const char *)relay->raw->data, relay->raw->len);
		if (!len && relay->raw->len <= SPK_RESPONSE_HEAD_MAX)
			return TRUE;
		why = !len || len > SPK_RESPONSE_HEAD_MAX
			      ? "has a very long head"
			      : spk_proxy_response_parse((const char *)relay->raw->data,
							 len, &asked, &relay->head);
		if (why)
			break;
		g_byte_array_remove_range(relay->raw, 0, (guint)len);
		relay->has_head = relay->head.status >= 200;
		if (!relay->has_head)
			spk_proxy_response_clear(&relay->head);
	}
	if (why) {
		(void)conn_answer(conn, 502,
				  g_strdup_printf("the answer of %s:%u %s",
						  conn->request.to.name,
						  conn->request.to.port, why));
		return FALSE;
	}
	spk_strip_text(&relay->strip, relay->head.head->str, relay->head.head->len);
	flow_put(&conn->down, relay->head.head->str, relay->head.head->len);
	spk_body_init(&relay->body, relay->head.body, relay->head.length);
	relay->body.lenient = TRUE;
	return TRUE;
}

static gboolean take_bytes(Conn *conn, const char *bytes, gsize len)
{
	Relay *relay = &conn->relay;

	if (relay->has_head)
		return take_body(conn, bytes, len);
	g_byte_array_append(relay->raw, (const guint8 *)bytes, (guint)len);
	if (!take_head(conn))
		return FALSE;
	return !relay->has_head ||
	       take_body(conn, (const char *)relay->raw->data, relay->raw->len);
}

/* The server has said all it will. */
static gboolean take_end(Conn *conn)
{
	Relay *relay = &conn->relay;

	if (!relay->has_head) {
		(void)conn_answer(conn, 502,
				  g_strdup_printf("%s:%u ended the connection without an "
						  "answer",
						  conn->request.to.name,
						  conn->request.to.port));
		return FALSE;
	}
	if (relay->body.kind != SPK_BODY_CLOSE)
		return conn_cut(conn,
				g_strdup("cut off: the server's answer has no end"));
	end_answer(conn);
	return TRUE;
}

static gboolean over_limit(Conn *conn)
{
	(void)conn_cut(conn, g_steal_pointer(&conn->refused));
	return FALSE;
}

/* ---- to and fro ---- */

/* FALSE: it is not ours to go on. *ret_moved: something came. */
static gboolean relay_down(Conn *conn, gboolean *ret_moved)
{
	char piece[PIECE];
	Flow read = { .data = piece };
	gssize n;

	if (!flow_flush(&conn->down, &conn->client))
		return conn_cut(conn, g_strdup("the client went away"));
	if (flow_held(&conn->down) || conn->down.ended)
		return TRUE;
	n = link_read(&conn->server, piece, sizeof(piece));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TRUE;
	*ret_moved = TRUE;
	if (n < 0 && !conn->server.tls) /* TLS often ends without a word */
		return conn_cut(conn, g_strdup("cut off: the server went away"));
	if (n <= 0)
		return take_end(conn);
	read.end = (gsize)n;
	if (!conn_count(conn, &read, &conn->received))
		return over_limit(conn);
	if (!take_bytes(conn, piece, (gsize)n))
		return FALSE;
	if (flow_flush(&conn->down, &conn->client))
		return TRUE;
	return conn_cut(conn, g_strdup("the client went away"));
}

static gboolean relay_up(Conn *conn)
{
	if (!conn_carry_up(conn)) {
		conn->state = CONN_OVER;
		return FALSE;
	}
	if (conn->sent <= UP_MAX)
		return TRUE;
	if (conn->relay.has_head)
		return conn_cut(conn, g_strdup("cut off: the request is too long"));
	(void)conn_answer(conn, 413, g_strdup("the request is longer than 64 MiB"));
	return FALSE;
}

gboolean step_relay(Conn *conn)
{
	for (int turn = 0; turn < TURNS; turn++) {
		guint64 sent = conn->sent;
		gboolean moved = FALSE;

		if (!relay_up(conn) || !relay_down(conn, &moved))
			return conn->state != CONN_OVER;
		if (conn->down.ended && !flow_held(&conn->down)) {
			conn->down.shut = TRUE;
			(void)link_end(&conn->client);
			conn->head->len = 0;
			conn_set_state(conn, CONN_DRAIN, DRAIN_US);
			return TRUE;
		}
		if (!moved && conn->sent == sent)
			return FALSE;
		conn->deadline_us = MIN(spk_mono_us() + IDLE_US, conn->began_us + ALL_US);
	}
	/* what TLS has read already shows on no socket */
	conn->is_hungry = TRUE;
	return FALSE;
}
