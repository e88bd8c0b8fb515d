/* What we say ourselves: to the client when a request goes no further, and on record. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/proxy_priv.h"

#define PIECE	  4096
#define DRAIN_MAX (1u << 20)
#define REPLY_US  (10 * SECONDS)

void conn_set_state(Conn *conn, ConnState state, gint64 us)
{
	conn->state = state;
	conn->deadline_us = spk_mono_us() + us;
}

gboolean conn_tell(Conn *conn, gboolean ended)
{
	gboolean added = conn->route && conn->route->header &&
			 (!ended || conn->is_recorded);
	const SpkProxyRecord record = {
		.number = conn->number,
		.ended = ended,
		.method = conn->request.method,
		.host = conn->request.to.name,
		.port = conn->request.to.port,
		.path = conn->request.path,
		.address = *conn->address ? conn->address : NULL,
		.credential = added ? conn->route->credential : NULL,
		.refused = conn->refused,
		.sent = conn->sent,
		.received = conn->received,
		.seconds = (double)(spk_mono_us() - conn->began_us) / G_USEC_PER_SEC,
	};
	const ProxyShared *shared = conn->shared;

	return !shared->record || shared->record(&record, shared->user);
}

static const struct {
	int status;
	const char *words;
} statuses[] = {
	{ 400, "Bad Request" },	      { 403, "Forbidden" },
	{ 413, "Content Too Large" }, { 429, "Too Many Requests" },
	{ 502, "Bad Gateway" },	      { 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *words_of(int status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].words;
	return "Error";
}

gboolean conn_answer(Conn *conn, int status, char *take_why)
{
	g_autofree char *text = NULL;

	g_free(conn->refused);
	conn->refused = take_why;
	text = g_strdup_printf(
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\nsparks: %s\n",
		status, words_of(status), strlen("sparks: \n") + strlen(take_why),
		take_why);
	link_close(&conn->server);
	conn->down.start = conn->down.end = 0;
	flow_put(&conn->down, text, strlen(text));
	conn_set_state(conn, CONN_REPLY, REPLY_US);
	/* one that was let through is told of when it ends */
	if (!conn->is_recorded)
		(void)conn_tell(conn, TRUE);
	return TRUE;
}

gboolean conn_cut(Conn *conn, char *take_why)
{
	g_free(conn->refused);
	conn->refused = take_why;
	conn->state = CONN_OVER;
	if (!conn->is_recorded)
		(void)conn_tell(conn, TRUE);
	return FALSE;
}

gboolean conn_count(Conn *conn, const Flow *flow, guint64 *total)
{
	ProxyShared *shared = conn->shared;
	guint64 n = flow_held(flow);

	*total += n;
	if (n <= shared->bytes_left) {
		shared->bytes_left -= n;
		return TRUE;
	}
	shared->bytes_left = 0;
	g_free(conn->refused);
	conn->refused =
		g_strdup("cut off: all bytes that [box] net_bytes allows are used");
	return FALSE;
}

gboolean step_reply(Conn *conn)
{
	if (!flow_flush(&conn->down, &conn->client)) {
		conn->state = CONN_OVER;
	} else if (!flow_held(&conn->down)) {
		(void)link_end(&conn->client);
		conn->head->len = 0;
		conn_set_state(conn, CONN_DRAIN, DRAIN_US);
	}
	return !flow_held(&conn->down);
}

/* A socket that is closed with bytes unread makes its peer lose what we wrote last. */
gboolean step_drain(Conn *conn)
{
	char nothing[PIECE];
	ssize_t n;

	while ((n = read(conn->client.fd, nothing, sizeof(nothing))) > 0 &&
	       conn->head->len < DRAIN_MAX)
		conn->head->len += (guint)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	conn->state = CONN_OVER;
	return FALSE;
}
