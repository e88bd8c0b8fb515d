#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HEAD (256 << 10)
#define MAX_BODY (64 << 20)

struct Wire {
	int fd;
	guint16 port;
	WireHandler handler;
	gpointer user;
	GThread *acceptor;
	GMutex lock;
	GCond stopped;
	gboolean stop; /* all below: guarded by lock */
	GPtrArray *threads;
	GArray *fds;
	guint n_connections, n_requests;
};

typedef struct {
	Wire *wire;
	int fd;
} Connection;

static void request_clear(WireRequest *request)
{
	g_free(request->method);
	g_free(request->path);
	g_free(request->head);
	g_string_free(request->body, TRUE);
}

/* Reads until `body` holds `want` bytes. */
static gboolean read_to(int fd, GString *body, gsize want)
{
	char buffer[16384];

	while (body->len < want) {
		ssize_t n = recv(fd, buffer, MIN(sizeof(buffer), want - body->len), 0);

		if (n <= 0)
			return FALSE;
		g_string_append_len(body, buffer, n);
	}
	return TRUE;
}

static gboolean read_head(int fd, GString *head)
{
	char c;

	while (head->len < MAX_HEAD && recv(fd, &c, 1, 0) == 1) {
		g_string_append_c(head, c);
		if (head->len >= 4 &&
		    memcmp(head->str + head->len - 4, "\r\n\r\n", 4) == 0)
			return TRUE;
	}
	return FALSE;
}

static gsize content_length(const char *head)
{
	g_autofree char *lower = g_ascii_strdown(head, -1);
	const char *at = strstr(lower, "\r\ncontent-length:");

	return at ? MIN(g_ascii_strtoull(at + 17, NULL, 10), MAX_BODY) : 0;
}

static gboolean read_request(Connection *connection, WireRequest *request)
{
	GString *head = g_string_new(NULL);
	g_auto(GStrv) words = NULL;
	gboolean ok = read_head(connection->fd, head);

	request->wire = connection->wire;
	request->fd = connection->fd;
	request->body = g_string_new(NULL);
	request->head = g_string_free(head, FALSE);
	if (!ok)
		return FALSE;
	words = g_strsplit(request->head, " ", 3);
	if (g_strv_length(words) < 3)
		return FALSE;
	request->method = g_strdup(words[0]);
	request->path = g_strndup(words[1], strcspn(words[1], "?"));
	return read_to(connection->fd, request->body, content_length(request->head));
}

static gboolean serve_one(Connection *connection)
{
	Wire *wire = connection->wire;
	WireRequest request = { 0 };
	gboolean keep = read_request(connection, &request);

	if (keep) {
		g_mutex_lock(&wire->lock);
		request.number = wire->n_requests++;
		g_mutex_unlock(&wire->lock);
		keep = wire->handler(&request, wire->user);
	}
	request_clear(&request);
	return keep;
}

static gpointer serve(gpointer data)
{
	Connection *connection = data;
	Wire *wire = connection->wire;

	while (serve_one(connection))
		;
	g_mutex_lock(&wire->lock);
	for (guint i = 0; i < wire->fds->len; i++) {
		if (g_array_index(wire->fds, int, i) == connection->fd) {
			g_array_remove_index_fast(wire->fds, i);
			break;
		}
	}
	g_mutex_unlock(&wire->lock);
	close(connection->fd);
	g_free(connection);
	return NULL;
}

static gpointer accept_all(gpointer data)
{
	Wire *wire = data;
	int fd;

	while ((fd = accept4(wire->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		Connection *connection = g_new0(Connection, 1);
		int one = 1;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		connection->wire = wire;
		connection->fd = fd;
		g_mutex_lock(&wire->lock);
		if (wire->stop)
			shutdown(fd, SHUT_RDWR);
		g_array_append_val(wire->fds, fd);
		wire->n_connections++;
		g_ptr_array_add(wire->threads, g_thread_new("wire", serve, connection));
		g_mutex_unlock(&wire->lock);
	}
	return NULL;
}

Wire *wire_start(guint16 port, WireHandler handler, gpointer user)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	Wire *wire;

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		close(fd);
		return NULL;
	}
	wire = g_new0(Wire, 1);
	wire->fd = fd;
	wire->port = ntohs(address.sin_port);
	wire->handler = handler;
	wire->user = user;
	g_mutex_init(&wire->lock);
	g_cond_init(&wire->stopped);
	wire->threads = g_ptr_array_new();
	wire->fds = g_array_new(FALSE, FALSE, sizeof(int));
	wire->acceptor = g_thread_new("wire-accept", accept_all, wire);
	return wire;
}

void wire_stop(Wire *wire)
{
	if (!wire)
		return;
	g_mutex_lock(&wire->lock);
	wire->stop = TRUE;
	g_cond_broadcast(&wire->stopped);
	for (guint i = 0; i < wire->fds->len; i++)
		shutdown(g_array_index(wire->fds, int, i), SHUT_RDWR);
	g_mutex_unlock(&wire->lock);
	shutdown(wire->fd, SHUT_RDWR);
	g_thread_join(wire->acceptor);
	for (guint i = 0; i < wire->threads->len; i++)
		g_thread_join(wire->threads->pdata[i]);
	close(wire->fd);
	g_ptr_array_unref(wire->threads);
	g_array_unref(wire->fds);
	g_mutex_clear(&wire->lock);
	g_cond_clear(&wire->stopped);
	g_free(wire);
}

guint16 wire_port(const Wire *wire)
{
	return wire->port;
}

guint wire_connections(Wire *wire)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&wire->lock);

	return wire->n_connections;
}

guint wire_requests(Wire *wire)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&wire->lock);

	return wire->n_requests;
}

gboolean wire_send(const WireRequest *request, const char *data, gsize len)
{
	while (len) {
		ssize_t n = send(request->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return FALSE;
		data += n;
		len -= n;
	}
	return TRUE;
}

gboolean wire_puts(const WireRequest *request, const char *text)
{
	return wire_send(request, text, strlen(text));
}

gboolean wire_pause(const WireRequest *request, gint64 ms)
{
	Wire *wire = request->wire;
	gint64 end = g_get_monotonic_time() + ms * 1000;
	gboolean stop;

	g_mutex_lock(&wire->lock);
	while (!wire->stop) {
		if (ms < 0)
			g_cond_wait(&wire->stopped, &wire->lock);
		else if (!g_cond_wait_until(&wire->stopped, &wire->lock, end))
			break;
	}
	stop = wire->stop;
	g_mutex_unlock(&wire->lock);
	return !stop;
}

void wire_set_reset(const WireRequest *request)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(request->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
