/* The proxy's thread: one poll() over its connections. */
#include "net/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "net/proxy_priv.h"

#define MAX_CONNS	 128 /* more wait until one ends */
#define BACKLOG		 128
#define DEFAULT_REQUESTS 10000
#define FULL_US		 20000

struct SpkProxy {
	ProxyShared shared;
	char *socket;
	int listener, wake; /* an eventfd: a name was found, or the end */
	gint stopping;
	GThread *thread;
	GPtrArray *conns; /* Conn */
};

/* ---- the thread ---- */

static int wait_ms(const SpkProxy *proxy)
{
	gint64 nearest = G_MAXINT64, left;

	for (guint i = 0; i < proxy->conns->len; i++)
		nearest = MIN(nearest, ((Conn *)proxy->conns->pdata[i])->deadline_us);
	if (nearest == G_MAXINT64)
		return -1;
	left = nearest - spk_mono_us();
	return left <= 0 ? 0 : (int)MIN(left / 1000 + 1, G_MAXINT);
}

static void accept_one(SpkProxy *proxy)
{
	int fd = accept4(proxy->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		g_ptr_array_add(proxy->conns, conn_new(&proxy->shared, fd));
	else if (errno == EMFILE || errno == ENFILE)
		g_usleep(FULL_US); /* poll() would wake us at once */
}

static void fill(const SpkProxy *proxy, struct pollfd *fds)
{
	gboolean full = proxy->conns->len == MAX_CONNS;

	fds[0] = (struct pollfd){ .fd = proxy->wake, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = full ? -1 : proxy->listener, .events = POLLIN };
	for (guint i = 0; i < proxy->conns->len; i++) {
		const Conn *conn = proxy->conns->pdata[i];
		struct pollfd *pair = &fds[2 + 2 * i];
		short client, server;

		conn_want(conn, &client, &server);
		/* what nothing is wanted of is left out, or its end would keep us awake;
		 * but a client that is gone altogether shows, whatever we wait for */
		pair[0] = (struct pollfd){ client || !conn->down.shut ? conn->client : -1,
					   client, 0 };
		pair[1] = (struct pollfd){ server ? conn->server : -1, server, 0 };
	}
}

static gboolean is_due(const Conn *conn, const struct pollfd *pair, gboolean woken)
{
	return pair[0].revents || pair[1].revents ||
	       (woken && conn->state == CONN_NAME) || spk_mono_us() >= conn->deadline_us;
}

static void serve(SpkProxy *proxy, const struct pollfd *fds)
{
	guint n = proxy->conns->len;
	guint64 count;
	gboolean woken = fds[0].revents && read(proxy->wake, &count, sizeof(count)) > 0;

	/* from the last: the one that takes the place of one that went was served */
	for (guint i = n; i-- > 0;) {
		Conn *conn = proxy->conns->pdata[i];

		if (!fds[2 + 2 * i].events && fds[2 + 2 * i].revents)
			conn->state = CONN_OVER;
		else if (is_due(conn, &fds[2 + 2 * i], woken))
			conn_go_on(conn);
		if (conn->state == CONN_OVER)
			g_ptr_array_remove_index_fast(proxy->conns, i);
	}
	if (fds[1].revents)
		accept_one(proxy);
}

static gpointer run(gpointer data)
{
	SpkProxy *proxy = data;
	struct pollfd fds[2 + 2 * MAX_CONNS];

	while (!g_atomic_int_get(&proxy->stopping)) {
		fill(proxy, fds);
		if (poll(fds, 2 + 2 * proxy->conns->len, wait_ms(proxy)) >= 0)
			serve(proxy, fds);
	}
	g_ptr_array_set_size(proxy->conns, 0);
	return NULL;
}

/* ---- start and end ---- */

static gboolean fail(GError **error, const char *path)
{
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
			    "cannot listen for the sandbox at %s", path);
	return FALSE;
}

/* By the folder's descriptor: the path of a socket may have 107 bytes and no more. */
static gboolean listen_at(SpkProxy *proxy, const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	spk_autofd int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	if (dir < 0 || (unlinkat(dir, name, 0) < 0 && errno != ENOENT))
		return fail(error, path);
	if (g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
		       dir, name) >= (int)sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(error, path);
	}
	proxy->listener = socket(AF_UNIX, type, 0);
	/* the mode of the socket becomes that of its file */
	if (proxy->listener < 0 || fchmod(proxy->listener, 0600) < 0 ||
	    bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail(error, path);
	proxy->socket = g_strdup(path);
	return listen(proxy->listener, BACKLOG) == 0 || fail(error, path);
}

SpkProxy *spk_proxy_start(const SpkProxySpec *spec, GError **error)
{
	g_autoptr(SpkProxy) proxy = g_new0(SpkProxy, 1);
	ProxyShared *shared = &proxy->shared;

	proxy->listener = -1;
	proxy->conns = g_ptr_array_new_with_free_func((GDestroyNotify)conn_free);
	proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	shared->allow = spk_allow_new(spec->allow, spec->allow_private, error);
	if (!shared->allow)
		return NULL;
	if (proxy->wake < 0) {
		(void)fail(error, spec->socket);
		return NULL;
	}
	shared->names = spk_names_new(spec->resolve, proxy->wake);
	shared->bytes_left = spec->max_bytes ? spec->max_bytes : G_MAXUINT64;
	shared->requests_left = spec->max_requests ? spec->max_requests
						   : DEFAULT_REQUESTS;
	shared->record = spec->record;
	shared->user = spec->user;
	if (!listen_at(proxy, spec->socket, error))
		return NULL;
	proxy->thread = g_thread_new("proxy", run, proxy);
	return g_steal_pointer(&proxy);
}

void spk_proxy_stop(SpkProxy *proxy)
{
	guint64 one = 1;

	if (!proxy)
		return;
	if (proxy->thread) {
		g_atomic_int_set(&proxy->stopping, 1);
		/* only fails when the thread is about to wake anyway */
		(void)!write(proxy->wake, &one, sizeof(one));
		g_thread_join(proxy->thread);
	}
	g_ptr_array_unref(proxy->conns);
	if (proxy->socket)
		(void)unlink(proxy->socket); /* else the next one replaces it */
	spk_fd_close(&proxy->listener);
	spk_names_free(proxy->shared.names);
	spk_fd_close(&proxy->wake);
	spk_allow_free(proxy->shared.allow);
	g_free(proxy->socket);
	g_free(proxy);
}
