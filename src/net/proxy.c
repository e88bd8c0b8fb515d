/* The proxy's thread: one poll() over its connections. */
#include "net/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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
#define MAX_ROUTES	 128

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

	for (guint i = 0; i < proxy->conns->len; i++) {
		const Conn *conn = proxy->conns->pdata[i];

		nearest = MIN(nearest, conn->is_hungry ? 0 : conn->deadline_us);
	}
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
		pair[0] = (struct pollfd){ client || !conn->down.shut ? conn->client.fd
								      : -1,
					   client, 0 };
		pair[1] = (struct pollfd){ server ? conn->server.fd : -1, server, 0 };
	}
}

static gboolean is_due(const Conn *conn, const struct pollfd *pair, gboolean woken)
{
	return pair[0].revents || pair[1].revents ||
	       (woken && (conn->state == CONN_NAME || conn->route)) || conn->is_hungry ||
	       spk_mono_us() >= conn->deadline_us;
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
	sigset_t broken_pipe;

	/* TLS writes as it likes; a receiver that is gone is an error of the call */
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
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

static void wake(const SpkProxy *proxy)
{
	guint64 one = 1;

	/* only fails when the thread is about to wake anyway */
	(void)!write(proxy->wake, &one, sizeof(one));
}

static gboolean need_tls(ProxyShared *shared, GError **error)
{
	if (!shared->tls)
		shared->tls = spk_tls_client(error);
	return shared->tls != NULL;
}

static gboolean take_credentials(ProxyShared *shared, SpkRoute *const *credentials,
				 GError **error)
{
	for (; credentials && *credentials; credentials++)
		g_ptr_array_add(shared->credentials, spk_route_ref(*credentials));
	if (!shared->credentials->len)
		return TRUE;
	shared->authority = spk_authority_new(error);
	return shared->authority && need_tls(shared, error);
}

static gboolean take_bases(SpkProxy *proxy, SpkRoute *const *bases, GError **error)
{
	for (; bases && *bases; bases++) {
		g_ptr_array_add(proxy->shared.bases, spk_route_ref(*bases));
		if (!spk_proxy_add_route(proxy, *bases, error))
			return FALSE;
	}
	return TRUE;
}

SpkProxy *spk_proxy_start(const SpkProxySpec *spec, GError **error)
{
	g_autoptr(SpkProxy) proxy = g_new0(SpkProxy, 1);
	ProxyShared *shared = &proxy->shared;

	proxy->listener = -1;
	proxy->conns = g_ptr_array_new_with_free_func((GDestroyNotify)conn_free);
	proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_mutex_init(&shared->lock);
	shared->routes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					       (GDestroyNotify)spk_route_unref);
	shared->credentials =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_route_unref);
	shared->allow = spk_allow_new(spec->allow, spec->allow_private, error);
	shared->bases = g_ptr_array_new_with_free_func((GDestroyNotify)spk_route_unref);
	if (!shared->allow || !take_credentials(shared, spec->credentials, error) ||
	    !take_bases(proxy, spec->bases, error))
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
	ProxyShared *shared;

	if (!proxy)
		return;
	shared = &proxy->shared;
	if (proxy->thread) {
		g_atomic_int_set(&proxy->stopping, 1);
		wake(proxy);
		g_thread_join(proxy->thread);
	}
	g_ptr_array_unref(proxy->conns);
	if (proxy->socket)
		(void)unlink(proxy->socket); /* else the next one replaces it */
	spk_fd_close(&proxy->listener);
	spk_names_free(shared->names);
	spk_fd_close(&proxy->wake);
	spk_allow_free(shared->allow);
	spk_authority_free(shared->authority);
	spk_tls_context_free(shared->tls);
	g_hash_table_unref(shared->routes);
	g_ptr_array_unref(shared->credentials);
	g_ptr_array_unref(shared->bases);
	g_mutex_clear(&shared->lock);
	g_free(proxy->socket);
	g_free(proxy);
}

const char *spk_proxy_authority(const SpkProxy *proxy)
{
	const SpkAuthority *authority = proxy->shared.authority;

	return authority ? spk_authority_pem(authority) : NULL;
}

/* ---- routes ---- */

gboolean spk_proxy_add_route(SpkProxy *proxy, SpkRoute *route, GError **error)
{
	ProxyShared *shared = &proxy->shared;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shared->lock);

	if (g_hash_table_size(shared->routes) == MAX_ROUTES) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "more than %d ways to servers at once", MAX_ROUTES);
		return FALSE;
	}
	if (route->is_tls && !need_tls(shared, error))
		return FALSE;
	g_hash_table_replace(shared->routes, route->token, spk_route_ref(route));
	return TRUE;
}

void spk_proxy_drop_route(SpkProxy *proxy, SpkRoute *route)
{
	ProxyShared *shared = &proxy->shared;

	spk_route_close(route);
	g_mutex_lock(&shared->lock);
	g_hash_table_remove(shared->routes, route->token);
	g_mutex_unlock(&shared->lock);
	wake(proxy);
}

guint spk_proxy_n_routes(SpkProxy *proxy)
{
	ProxyShared *shared = &proxy->shared;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shared->lock);

	return g_hash_table_size(shared->routes);
}
