/*
 * One connection of the proxy: a request is read, judged, let through and carried. Each state
 * has a step that goes as far as it can without waiting.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "net/proxy_priv.h"

#define FLOW_SIZE (128u << 10)
#define TURNS	  8 /* of one connection before the others have theirs */
#define HEAD_STEP 4096
#define DRAIN_MAX (1u << 20)

#define SECONDS	   G_USEC_PER_SEC
#define HEAD_US	   (30 * SECONDS)
#define NAME_US	   (20 * SECONDS)
#define CONNECT_US (10 * SECONDS) /* each address */
#define IDLE_US	   (300 * SECONDS)
#define REPLY_US   (10 * SECONDS)
#define DRAIN_US   (1 * SECONDS)

static void set_state(Conn *conn, ConnState state, gint64 us)
{
	conn->state = state;
	conn->deadline_us = spk_mono_us() + us;
}

Conn *conn_new(ProxyShared *shared, int take_client)
{
	Conn *conn = g_new0(Conn, 1);

	conn->shared = shared;
	conn->client = take_client;
	conn->server = -1;
	conn->head = g_byte_array_new();
	conn->began_us = spk_mono_us();
	set_state(conn, CONN_HEAD, HEAD_US);
	return conn;
}

static gboolean tell(Conn *conn, gboolean ended)
{
	const SpkProxyRecord record = {
		.number = conn->number,
		.ended = ended,
		.method = conn->request.method,
		.host = conn->request.to.name,
		.port = conn->request.to.port,
		.path = conn->request.path,
		.address = *conn->address ? conn->address : NULL,
		.refused = conn->refused,
		.sent = conn->sent,
		.received = conn->received,
		.seconds = (double)(spk_mono_us() - conn->began_us) / G_USEC_PER_SEC,
	};
	const ProxyShared *shared = conn->shared;

	return !shared->record || shared->record(&record, shared->user);
}

void conn_free(Conn *conn)
{
	if (conn->is_recorded)
		(void)tell(conn, TRUE); /* it has happened, whoever hears of it */
	spk_fd_close(&conn->client);
	spk_fd_close(&conn->server);
	g_byte_array_unref(conn->head);
	spk_proxy_request_clear(&conn->request);
	g_free(conn->up.data);
	g_free(conn->down.data);
	g_free(conn->refused);
	g_free(conn);
}

/* ---- flows ---- */

static gsize held(const Flow *flow)
{
	return flow->end - flow->start;
}

static void flow_put(Flow *flow, const void *data, gsize len)
{
	gsize needed = flow->end + len;

	if (!flow->data || needed > flow->size) {
		flow->size = MAX(needed, FLOW_SIZE);
		flow->data = g_realloc(flow->data, flow->size);
	}
	if (len)
		memcpy(flow->data + flow->end, data, len);
	flow->end = needed;
}

/* Reads into an empty flow. FALSE: the sender is gone otherwise than by ending. */
static gboolean flow_fill(Flow *flow, int fd)
{
	ssize_t n;

	flow_put(flow, NULL, 0);
	n = read(fd, flow->data, flow->size);
	flow->start = 0;
	flow->end = n > 0 ? (gsize)n : 0;
	flow->ended = n == 0;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* FALSE: the receiver is gone. */
static gboolean flow_flush(Flow *flow, int fd)
{
	while (held(flow)) {
		ssize_t n = send(fd, flow->data + flow->start, held(flow), MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return TRUE;
		if (n < 0 && errno != EINTR)
			return FALSE;
		flow->start += (gsize)MAX(n, 0);
	}
	flow->start = flow->end = 0;
	return TRUE;
}

/* ---- our own answers ---- */

static const struct {
	int status;
	const char *words;
} statuses[] = {
	{ 400, "Bad Request" },		{ 403, "Forbidden" },
	{ 429, "Too Many Requests" },	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
};

static const char *words_of(int status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].words;
	return "Error";
}

/* The request goes no further; always TRUE, as a step that has somewhere to go on. */
static gboolean answer(Conn *conn, int status, char *take_why)
{
	g_autofree char *text = NULL;

	g_free(conn->refused);
	conn->refused = take_why;
	text = g_strdup_printf(
		"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\nsparks: %s\n",
		status, words_of(status), strlen("sparks: \n") + strlen(take_why),
		take_why);
	spk_fd_close(&conn->server);
	conn->down.start = conn->down.end = 0;
	flow_put(&conn->down, text, strlen(text));
	set_state(conn, CONN_REPLY, REPLY_US);
	/* one that was let through is told of when it ends */
	if (!conn->is_recorded)
		(void)tell(conn, TRUE);
	return TRUE;
}

static gboolean step_reply(Conn *conn)
{
	if (!flow_flush(&conn->down, conn->client)) {
		conn->state = CONN_OVER;
	} else if (!held(&conn->down)) {
		(void)shutdown(conn->client, SHUT_WR);
		conn->head->len = 0;
		set_state(conn, CONN_DRAIN, DRAIN_US);
	}
	return !held(&conn->down);
}

/* A socket that is closed with bytes unread makes its peer lose what we wrote last. */
static gboolean step_drain(Conn *conn)
{
	char nothing[HEAD_STEP];
	ssize_t n;

	while ((n = read(conn->client, nothing, sizeof(nothing))) > 0 &&
	       conn->head->len < DRAIN_MAX)
		conn->head->len += (guint)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	conn->state = CONN_OVER;
	return FALSE;
}

/* ---- judging ---- */

static gboolean judge_request(Conn *conn)
{
	ProxyShared *shared = conn->shared;
	const SpkEndpoint *to = &conn->request.to;

	if (!spk_allow_host(shared->allow, to))
		return answer(conn, 403,
			      g_strdup_printf("%s:%u is not among the allowed hosts",
					      to->name, to->port));
	if (!shared->bytes_left)
		return answer(conn, 403,
			      g_strdup("all bytes that [box] net_bytes allows are used"));
	set_state(conn, CONN_NAME, NAME_US);
	return TRUE;
}

static gboolean take_request(Conn *conn, gsize len)
{
	ProxyShared *shared = conn->shared;
	g_autoptr(GError) error = NULL;

	if (!shared->requests_left) {
		conn->state = CONN_OVER; /* told with the last one */
		return FALSE;
	}
	conn->number = ++shared->number;
	if (!--shared->requests_left)
		return answer(conn, 429,
			      g_strdup("too many requests in one task; no "
				       "further one is answered"));
	if (!spk_proxy_request_parse((const char *)conn->head->data, len, &conn->request,
				     &error))
		return answer(conn, 400, g_strdup(error->message));
	g_byte_array_remove_range(conn->head, 0, (guint)len);
	spk_body_init(&conn->body, &conn->request);
	return judge_request(conn);
}

static gboolean step_head(Conn *conn)
{
	guint before = conn->head->len;
	gsize len;
	ssize_t n;

	g_byte_array_set_size(conn->head, before + HEAD_STEP);
	n = read(conn->client, conn->head->data + before, HEAD_STEP);
	g_byte_array_set_size(conn->head, before + (guint)MAX(n, 0));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	if (n <= 0) {
		conn->state = CONN_OVER;
		return FALSE;
	}
	len = spk_proxy_head_len((const char *)conn->head->data, conn->head->len);
	if (len || conn->head->len > SPK_PROXY_HEAD_MAX)
		return take_request(conn, len ? len : conn->head->len);
	return TRUE;
}

/* Of all addresses only those stay that may be connected to. */
static const char *keep_allowed(Conn *conn, const SpkAddress *all, guint n)
{
	const char *why = NULL;

	for (guint i = 0; i < n; i++) {
		const char *refuses = spk_allow_refuses(conn->shared->allow, &all[i],
							conn->request.to.port);

		if (!refuses)
			conn->addresses[conn->n_addresses++] = all[i];
		else if (!why)
			why = refuses;
	}
	return why;
}

static gboolean let_through(Conn *conn)
{
	spk_address_print(&conn->addresses[0], conn->request.to.port, conn->address);
	if (!tell(conn, FALSE))
		return answer(conn, 503, g_strdup("it could not be put on record"));
	conn->is_recorded = TRUE;
	set_state(conn, CONN_CONNECT, CONNECT_US);
	return TRUE;
}

static gboolean step_name(Conn *conn)
{
	const SpkEndpoint *to = &conn->request.to;
	const SpkNamesAnswer literal = { .addresses = { to->address }, .n = 1 };
	const SpkNamesAnswer *found =
		to->is_address ? &literal : spk_names_ask(conn->shared->names, to->name);
	const char *why;

	if (!found)
		return FALSE;
	if (!found->n)
		return answer(conn, 502,
			      g_strdup_printf("%s was not found: %s", to->name,
					      found->fault));
	why = keep_allowed(conn, found->addresses, found->n);
	if (conn->n_addresses)
		return let_through(conn);
	spk_address_print(&found->addresses[0], to->port, conn->address);
	return answer(conn, 403,
		      g_strdup_printf("%s:%u leads to an address that is not of the "
				      "internet: %s",
				      to->name, to->port, why));
}

/* ---- connecting ---- */

static gboolean start_connect(Conn *conn)
{
	const SpkAddress *to = &conn->addresses[conn->next_address++];
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, on = 1;
	struct sockaddr_storage address;
	socklen_t len = spk_address_to_sockaddr(to, conn->request.to.port, &address);

	spk_address_print(to, conn->request.to.port, conn->address);
	set_state(conn, CONN_CONNECT, CONNECT_US);
	conn->server = socket(to->family, type, 0);
	if (conn->server < 0)
		return FALSE;
	(void)setsockopt(conn->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return connect(conn->server, (struct sockaddr *)&address, len) == 0 ||
	       errno == EINPROGRESS;
}

/* Counts what was read; FALSE: the limit is passed. */
static gboolean count(Conn *conn, Flow *flow, guint64 *total)
{
	ProxyShared *shared = conn->shared;
	guint64 n = held(flow);

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

static gboolean connected(Conn *conn)
{
	static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	gssize of_body;

	if (conn->request.is_connect) {
		flow_put(&conn->down, established, strlen(established));
		flow_put(&conn->up, conn->head->data, conn->head->len);
	} else {
		of_body = spk_body_take(&conn->body, (const char *)conn->head->data,
					conn->head->len);
		if (of_body < 0)
			return answer(
				conn, 400,
				g_strdup("the body of the request is not of its form"));
		flow_put(&conn->up, conn->request.head->str, conn->request.head->len);
		flow_put(&conn->up, conn->head->data, (gsize)of_body);
		conn->up.ended = conn->up.shut = conn->body.ended;
	}
	set_state(conn, count(conn, &conn->up, &conn->sent) ? CONN_CARRY : CONN_OVER,
		  IDLE_US);
	return TRUE;
}

/* Whether the attempt under way is over; *failed is its errno. */
static gboolean attempt_over(Conn *conn, int *ret_failed)
{
	struct pollfd fd = { .fd = conn->server, .events = POLLOUT };
	socklen_t len = sizeof(*ret_failed);

	if (poll(&fd, 1, 0) != 1)
		return FALSE;
	*ret_failed = 0;
	if (getsockopt(conn->server, SOL_SOCKET, SO_ERROR, ret_failed, &len) < 0)
		*ret_failed = errno;
	return TRUE;
}

static gboolean step_connect(Conn *conn)
{
	int failed = 0;

	if (conn->server >= 0) {
		if (!attempt_over(conn, &failed))
			return FALSE;
		if (!failed)
			return connected(conn);
		spk_fd_close(&conn->server);
	}
	while (conn->next_address < conn->n_addresses) {
		if (start_connect(conn))
			return TRUE;
		failed = errno;
		spk_fd_close(&conn->server);
	}
	return answer(conn, 502,
		      g_strdup_printf("%s:%u cannot be reached: %s",
				      conn->request.to.name, conn->request.to.port,
				      g_strerror(failed)));
}

/* ---- carrying ---- */

/* FALSE: the sender broke its word about the body, or is gone. */
static gboolean read_up(Conn *conn)
{
	Flow *up = &conn->up;
	gssize of_body;

	if (!flow_fill(up, conn->client))
		return FALSE;
	if (conn->request.is_connect)
		return TRUE;
	if (up->ended)
		return FALSE;
	of_body = spk_body_take(&conn->body, up->data, held(up));
	if (of_body < 0)
		return FALSE;
	up->end = up->start + (gsize)of_body;
	up->ended = up->shut = conn->body.ended;
	return TRUE;
}

static gboolean carry_up(Conn *conn)
{
	Flow *up = &conn->up;

	if (!held(up) && !up->ended && (!read_up(conn) || !count(conn, up, &conn->sent)))
		return FALSE;
	if (!flow_flush(up, conn->server)) {
		if (conn->request.is_connect)
			return FALSE;
		/* it has heard enough, and may have said why */
		up->start = up->end = 0;
		up->ended = up->shut = TRUE;
	}
	if (up->ended && !up->shut && !held(up)) {
		up->shut = TRUE;
		return shutdown(conn->server, SHUT_WR) == 0;
	}
	return TRUE;
}

static gboolean carry_down(Conn *conn)
{
	Flow *down = &conn->down;

	if (!held(down) && !down->ended &&
	    (!flow_fill(down, conn->server) || !count(conn, down, &conn->received)))
		return FALSE;
	if (!flow_flush(down, conn->client))
		return FALSE;
	if (down->ended && !down->shut && !held(down)) {
		down->shut = TRUE;
		return shutdown(conn->client, SHUT_WR) == 0;
	}
	return TRUE;
}

static gboolean step_carry(Conn *conn)
{
	for (int turn = 0; turn < TURNS; turn++) {
		guint64 before = conn->sent + conn->received;

		if (!carry_up(conn) || !carry_down(conn)) {
			conn->state = CONN_OVER;
			return FALSE;
		}
		if (conn->down.shut && !conn->request.is_connect) {
			conn->head->len = 0;
			set_state(conn, CONN_DRAIN, DRAIN_US);
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

/* ---- from outside ---- */

void conn_want(const Conn *conn, short *ret_client, short *ret_server)
{
	const Flow *up = &conn->up, *down = &conn->down;
	gboolean carry = conn->state == CONN_CARRY;

	*ret_client = *ret_server = 0;
	if (conn->state == CONN_HEAD || conn->state == CONN_DRAIN ||
	    (carry && !held(up) && !up->ended))
		*ret_client |= POLLIN;
	if (conn->state == CONN_REPLY || (carry && held(down)))
		*ret_client |= POLLOUT;
	if (carry && !held(down) && !down->ended)
		*ret_server |= POLLIN;
	if (conn->state == CONN_CONNECT || (carry && held(up)))
		*ret_server |= POLLOUT;
}

/* Time is up. */
static void give_up(Conn *conn)
{
	const SpkEndpoint *to = &conn->request.to;

	switch (conn->state) {
	case CONN_NAME:
		(void)answer(conn, 504,
			     g_strdup_printf("%s was not found in time", to->name));
		break;
	case CONN_CONNECT:
		if (conn->next_address < conn->n_addresses) {
			spk_fd_close(&conn->server);
			set_state(conn, CONN_CONNECT, CONNECT_US);
		} else {
			(void)answer(conn, 504,
				     g_strdup_printf("%s:%u does not answer", to->name,
						     to->port));
		}
		break;
	default:
		conn->state = CONN_OVER;
	}
}

static gboolean (*const steps[])(Conn *conn) = {
	[CONN_HEAD] = step_head,       [CONN_NAME] = step_name,
	[CONN_CONNECT] = step_connect, [CONN_CARRY] = step_carry,
	[CONN_REPLY] = step_reply,     [CONN_DRAIN] = step_drain,
};

void conn_go_on(Conn *conn)
{
	if (spk_mono_us() >= conn->deadline_us)
		give_up(conn);
	while (conn->state != CONN_OVER && steps[conn->state](conn))
		;
}
