/*
 * A command's input: the engine is asked to turn the connection of the request into a plain
 * stream both ways ("Upgrade: tcp", Docker Engine API, "Attach to a container"), which libcurl
 * has no form for. So this one request is made by hand: what goes up is the input, what comes
 * down is the same stream as of spk_engine_stream().
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/docker_engine_priv.h"

#define HEAD_MAX   (16u << 10)
#define REFUSE_MAX (64u << 10) /* of an answer that says no */
#define REFUSE_MS  1000
#define PIECE	   (64u << 10)
#define CONNECT_MS 3000

typedef struct {
	SpkEngine *engine;
	SpkCancel *cancel;
	int fd;
	int input; /* -1: it has ended */
	guint8 up[PIECE];
	gsize up_at, up_len;
	gboolean shut; /* the engine knows that nothing more goes up */
} Attach;

static gboolean broken(const Attach *attach, const char *what, GError **error)
{
	spk_error_set(error, SPK_ERR_ENGINE,
		      "is it running? `systemctl status docker` says what happened to it",
		      "the container engine at %s %s: %s",
		      spk_engine_socket(attach->engine), what,
		      errno ? g_strerror(errno) : "the connection ended");
	return FALSE;
}

static gboolean connect_to(Attach *attach, GError **error)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	g_autoptr(SpkCancel) patience = spk_cancel_new(attach->cancel);

	spk_cancel_set_deadline(patience, CONNECT_MS);
	errno = ENAMETOOLONG;
	if (g_strlcpy(to.sun_path, spk_engine_socket(attach->engine),
		      sizeof(to.sun_path)) >= sizeof(to.sun_path))
		return broken(attach, "cannot be reached", error);
	attach->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	while (attach->fd >= 0 &&
	       connect(attach->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		if (errno != EAGAIN || !spk_cancel_check(patience, NULL))
			return spk_cancel_check(attach->cancel, error) &&
			       broken(attach, "does not answer", error);
		spk_sleep_ms(10, patience); /* many are asking it */
	}
	return attach->fd >= 0 || broken(attach, "cannot be reached", error);
}

/* Waits for one of the events on the connection, or for input when it is wanted. FALSE:
 * cancelled, or the deadline passed. */
static gboolean wait_for(Attach *attach, short events, gboolean want_input,
			 struct pollfd *fds, GError **error)
{
	fds[0] = (struct pollfd){ .fd = attach->fd, .events = events };
	fds[1] = (struct pollfd){ .fd = want_input ? attach->input : -1,
				  .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = spk_cancel_fd(attach->cancel), .events = POLLIN };
	if (poll(fds, 3, (int)spk_cancel_left_ms(attach->cancel, G_MAXINT)) < 0)
		fds[0].revents = fds[1].revents = 0;
	return spk_cancel_check(attach->cancel, error);
}

static gboolean send_all(Attach *attach, const char *data, gsize len, GError **error)
{
	struct pollfd fds[3];

	while (len) {
		ssize_t n = send(attach->fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return broken(attach, "took no request", error);
		if (n < 0 && !wait_for(attach, POLLOUT, FALSE, fds, error))
			return FALSE;
		data += MAX(n, 0);
		len -= (gsize)MAX(n, 0);
	}
	return TRUE;
}

/* Appends what comes; 0 at the end, -1 with *error. */
static ssize_t receive(Attach *attach, GString *into, GError **error)
{
	char buffer[PIECE];
	struct pollfd fds[3];

	for (;;) {
		ssize_t n = recv(attach->fd, buffer, sizeof(buffer), 0);

		if (n > 0)
			g_string_append_len(into, buffer, n);
		if (n >= 0)
			return n;
		if (errno == ECONNRESET) /* what we sent last was read by nobody */
			return 0;
		if (errno != EAGAIN && errno != EINTR) {
			(void)broken(attach, "broke off", error);
			return -1;
		}
		if (!wait_for(attach, POLLIN, FALSE, fds, error))
			return -1;
	}
}

/* ---- the request and its head ---- */

static gboolean ask(Attach *attach, const SpkEngineCall *call, GError **error)
{
	g_autofree char *body = spk_json_dump(call->body);
	g_autofree char *request = g_strdup_printf(
		"%s %s%s HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
		"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n%s",
		call->method, spk_engine_version(attach->engine), call->path,
		strlen(body), body);

	return send_all(attach, request, strlen(request), error);
}

/* What the engine has against it; it may not close the connection afterwards. */
static gboolean refused(Attach *attach, long status, GString *text, GError **error)
{
	g_autoptr(SpkCancel) outer = spk_cancel_new(attach->cancel);
	const char *begin, *end;

	spk_cancel_set_deadline(outer, REFUSE_MS);
	attach->cancel = outer;
	while (text->len < REFUSE_MAX && !strchr(text->str, '}') &&
	       receive(attach, text, NULL) > 0)
		;
	begin = strchr(text->str, '{');
	end = strrchr(text->str, '}');
	spk_engine_set_refused(status, begin && end > begin ? begin : "",
			       begin && end > begin ? (gsize)(end - begin) + 1 : 0,
			       error);
	return FALSE;
}

/* Leaves in `text` what came after the head. */
static gboolean read_head(Attach *attach, GString *text, GError **error)
{
	const char *end;
	long status;

	while (!(end = strstr(text->str, "\r\n\r\n")) && text->len < HEAD_MAX) {
		ssize_t n = receive(attach, text, error);

		errno = 0;
		if (n <= 0)
			return n == 0 ? broken(attach, "did not answer", error) : FALSE;
	}
	if (!end || !g_str_has_prefix(text->str, "HTTP/1.")) {
		spk_error_set(error, SPK_ERR_ENGINE,
			      "is [docker] socket_path the socket of a container engine?",
			      "%s answers as no container engine would",
			      spk_engine_socket(attach->engine));
		return FALSE;
	}
	status = strtol(text->str + strlen("HTTP/1.x "), NULL, 10);
	g_string_erase(text, 0, end + 4 - text->str);
	return status == 101 || status / 100 == 2 || refused(attach, status, text, error);
}

/* ---- the stream ---- */

static void take_input(Attach *attach)
{
	ssize_t n = read(attach->input, attach->up, sizeof(attach->up));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	attach->up_at = 0;
	attach->up_len = (gsize)MAX(n, 0);
	if (n <= 0)
		attach->input = -1;
}

/* A command that doesn't read its input to the end is no error. */
static void send_input(Attach *attach)
{
	while (attach->up_at < attach->up_len) {
		ssize_t n = send(attach->fd, attach->up + attach->up_at,
				 attach->up_len - attach->up_at, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			attach->input = -1;
			attach->up_at = attach->up_len;
			return;
		}
		attach->up_at += (gsize)n;
	}
	if (attach->input < 0 && !attach->shut) {
		(void)shutdown(attach->fd, SHUT_WR); /* the other end may be gone */
		attach->shut = TRUE;
	}
}

static gboolean carry(Attach *attach, GString *down, SpkHttpSink sink, gpointer user,
		      GError **error)
{
	for (;;) {
		gboolean full = attach->up_at < attach->up_len;
		struct pollfd fds[3];
		g_autoptr(GError) why = NULL;
		ssize_t n = 1;

		if (down->len && !sink(down->str, down->len, user, &why)) {
			if (why)
				g_propagate_error(error, g_steal_pointer(&why));
			return why == NULL;
		}
		g_string_truncate(down, 0);
		if (!wait_for(attach, full ? POLLIN | POLLOUT : POLLIN,
			      !full && attach->input >= 0, fds, error))
			return FALSE;
		if (fds[1].revents)
			take_input(attach);
		send_input(attach);
		if (fds[0].revents & ~POLLOUT)
			n = receive(attach, down, error);
		if (n <= 0)
			return n == 0;
	}
}

gboolean spk_engine_attach(SpkEngine *engine, const SpkEngineCall *call, int input,
			   SpkHttpSink sink, gpointer user, SpkCancel *cancel,
			   GError **error)
{
	g_autoptr(GString) down = g_string_new(NULL);
	g_autofree Attach *attach = g_new0(Attach, 1);
	gboolean ok;

	*attach =
		(Attach){ .engine = engine, .cancel = cancel, .fd = -1, .input = input };
	ok = connect_to(attach, error) && ask(attach, call, error) &&
	     read_head(attach, down, error);
	attach->cancel = cancel;
	ok = ok && carry(attach, down, sink, user, error);
	spk_fd_close(&attach->fd);
	return ok;
}
