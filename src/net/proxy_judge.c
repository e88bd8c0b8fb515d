/* What a request asks for, and whether it may have it. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/proxy_priv.h"

#define HEAD_STEP 4096
#define NAME_US	  (20 * SECONDS)
#define ACCEPT_US (15 * SECONDS)

static gboolean look_up(Conn *conn)
{
	if (!conn->shared->bytes_left)
		return conn_answer(
			conn, 403,
			g_strdup("all bytes that [box] net_bytes allows are used"));
	conn_set_state(conn, CONN_NAME, NAME_US);
	return TRUE;
}

/* ---- by a path that nobody can guess ---- */

static gboolean is_here(const SpkEndpoint *to)
{
	return strcmp(to->name, "127.0.0.1") == 0 || strcmp(to->name, "localhost") == 0 ||
	       strcmp(to->name, "::1") == 0;
}

/* The first part of the path, which may be a route's token; sets how long it is, with what
 * stands before it. */
static SpkRoute *find_route(Conn *conn, gsize *ret_skip)
{
	const char *path = conn->request.path, *slash;
	ProxyShared *shared = conn->shared;
	g_autofree char *token = NULL;
	SpkRoute *route;

	if (!path || !is_here(&conn->request.to))
		return NULL;
	slash = strchr(path + 1, '/');
	token = slash ? g_strndup(path + 1, (gsize)(slash - path - 1))
		      : g_strdup(path + 1);
	g_mutex_lock(&shared->lock);
	route = g_hash_table_lookup(shared->routes, token);
	if (route)
		spk_route_ref(route);
	g_mutex_unlock(&shared->lock);
	*ret_skip = 1 + strlen(token);
	return route;
}

/* The key is added, and the request goes on to the route's server. */
static gboolean take_route(Conn *conn, gsize skip)
{
	g_autoptr(GError) error = NULL;
	char *path = conn->request.path;

	if (spk_proxy_request_inject(&conn->request, conn->route, skip, &error))
		return look_up(conn);
	conn->request.path = g_strdup(path + skip); /* a token is not for the record */
	g_free(path);
	return conn_answer(conn, 400, g_strdup(error->message));
}

/* ---- in the tunnel of a host that has a key ---- */

/* Of `routes` the one whose server that is, borrowed. */
static SpkRoute *find_server(const GPtrArray *routes, const SpkEndpoint *to)
{
	for (guint i = 0; i < routes->len; i++) {
		SpkRoute *route = routes->pdata[i];

		if (route->origin.port == to->port &&
		    strcmp(route->origin.name, to->name) == 0)
			return route;
	}
	return NULL;
}

static gboolean greet(Conn *conn)
{
	static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	g_autoptr(GError) error = NULL;

	if (conn->head->len)
		return conn_answer(conn, 400,
				   g_strdup("the client did not wait for the tunnel"));
	if (!spk_authority_context(conn->shared->authority, &conn->request.to, &error))
		return conn_answer(conn, 502, g_strdup(error->message));
	flow_put(&conn->down, established, strlen(established));
	conn_set_state(conn, CONN_ACCEPT, ACCEPT_US);
	return TRUE;
}

gboolean step_accept(Conn *conn)
{
	const char *why = NULL;
	SpkTlsContext *context;
	int done;

	if (!flow_flush(&conn->down, &conn->client))
		return conn_cut(conn, g_strdup("the client went away"));
	if (flow_held(&conn->down))
		return FALSE;
	if (!conn->client.tls) {
		context = spk_authority_context(conn->shared->authority,
						&conn->request.to, NULL);
		g_assert(context); /* greet() had it made */
		conn->client.tls = spk_tls_new(context, conn->client.fd, NULL);
	}
	done = spk_tls_handshake(conn->client.tls, &why);
	if (done < 0)
		return conn_cut(conn,
				g_strdup_printf("TLS with the program in the sandbox "
						"failed, which must trust the task's "
						"authority (SSL_CERT_FILE): %s",
						why));
	if (done)
		conn_set_state(conn, CONN_HEAD, HEAD_US);
	conn->is_inner = done > 0;
	return done > 0;
}

static gboolean take_inner(Conn *conn, SpkEndpoint *through)
{
	const SpkEndpoint *named = &conn->request.to;
	gboolean same = strcmp(named->name, through->name) == 0 &&
			(named->port ? named->port : 443) == through->port;
	const char *asked = spk_tls_asked_for(conn->client.tls);

	if (!conn->request.is_origin || !same ||
	    (asked && g_ascii_strcasecmp(asked, through->name) != 0)) {
		conn->request.to = *through; /* for the record */
		return conn_answer(conn, 400,
				   g_strdup("the request in the tunnel is for another "
					    "host than the tunnel"));
	}
	return take_route(conn, 0);
}

/* ---- a request ---- */

static gboolean judge_request(Conn *conn)
{
	ProxyShared *shared = conn->shared;
	const SpkEndpoint *to = &conn->request.to;
	SpkRoute *with_key;
	gsize skip;

	conn->route = find_route(conn, &skip);
	if (conn->route)
		return take_route(conn, skip);
	if (conn->request.is_origin)
		return conn_answer(conn, 400,
				   g_strdup("the request is for no server: a proxy is "
					    "asked for http://host/path"));
	if (!spk_allow_host(shared->allow, to))
		return conn_answer(conn, 403,
				   g_strdup_printf("%s:%u is not among the allowed hosts",
						   to->name, to->port));
	if (find_server(shared->bases, to))
		return conn_answer(conn, 403,
				   g_strdup_printf("%s:%u is asked by its base URL alone "
						   "(`sparks sandbox explain` says which "
						   "variable holds it)",
						   to->name, to->port));
	with_key = conn->request.is_connect ? find_server(shared->credentials, to) : NULL;
	if (!with_key)
		return look_up(conn);
	conn->route = spk_route_ref(with_key);
	return greet(conn);
}

static gboolean begin_request(Conn *conn)
{
	ProxyShared *shared = conn->shared;

	if (!shared->requests_left) {
		conn->state = CONN_OVER; /* told with the last one */
		return FALSE;
	}
	conn->number = ++shared->number;
	if (--shared->requests_left)
		return TRUE;
	(void)conn_answer(conn, 429,
			  g_strdup("too many requests in one task; no further one is "
				   "answered"));
	return FALSE;
}

static gboolean take_request(Conn *conn, gsize len)
{
	SpkEndpoint through = conn->request.to;
	g_autoptr(GError) error = NULL;

	/* the one in a tunnel is the tunnel's */
	if (!conn->is_inner && !begin_request(conn))
		return conn->state == CONN_REPLY;
	spk_proxy_request_clear(&conn->request);
	if (!spk_proxy_request_parse((const char *)conn->head->data, len, &conn->request,
				     &error)) {
		conn->request.to = through;
		return conn_answer(conn, 400, g_strdup(error->message));
	}
	g_byte_array_remove_range(conn->head, 0, (guint)len);
	spk_body_init(&conn->body, conn->request.body, conn->request.length);
	return conn->is_inner ? take_inner(conn, &through) : judge_request(conn);
}

gboolean step_head(Conn *conn)
{
	guint before = conn->head->len;
	gsize len;
	ssize_t n;

	g_byte_array_set_size(conn->head, before + HEAD_STEP);
	n = link_read(&conn->client, conn->head->data + before, HEAD_STEP);
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

/* ---- its host ---- */

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
	if (!conn_tell(conn, FALSE))
		return conn_answer(conn, 503, g_strdup("it could not be put on record"));
	conn->is_recorded = TRUE;
	conn_set_state(conn, CONN_CONNECT, CONNECT_US);
	return TRUE;
}

gboolean step_name(Conn *conn)
{
	const SpkEndpoint *to = &conn->request.to;
	const SpkNamesAnswer literal = { .addresses = { to->address }, .n = 1 };
	const SpkNamesAnswer *found =
		to->is_address ? &literal : spk_names_ask(conn->shared->names, to->name);
	const char *why;

	if (!found)
		return FALSE;
	if (!found->n)
		return conn_answer(conn, 502,
				   g_strdup_printf("%s was not found: %s", to->name,
						   found->fault));
	why = keep_allowed(conn, found->addresses, found->n);
	if (conn->n_addresses)
		return let_through(conn);
	spk_address_print(&found->addresses[0], to->port, conn->address);
	return conn_answer(conn, 403,
			   g_strdup_printf("%s:%u leads to an address that is not of the "
					   "internet: %s",
					   to->name, to->port, why));
}
