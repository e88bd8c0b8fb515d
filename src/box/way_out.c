#include "box/way_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/box_priv.h"
#include "box/way_keys_priv.h"
#include "net/allow.h"

#define SOCKET_NAME "proxy.sock"
#define BUNDLE_NAME "authorities.pem"
#define ROOTS	    "/etc/ssl/certs/ca-certificates.crt"
#define ROOTS_MAX   (8u << 20)
#define NOTED_MAX   20 /* refusals of one run */

struct SpkWayOut {
	SpkBox *box;
	char *folder; /* to be removed; NULL: somebody else's */
	char *socket, *no_proxy;
	char *bundle; /* certificates to trust, where the task has an authority */
	char **hosts, **addresses;
	SpkWayOutSpec spec; /* of its strings only the folder is still there */
	GMutex lock;
	/* guarded by lock */
	SpkProxy *proxy; /* NULL: nothing needed it so far */
	gboolean has_authority;
	char **variables; /* of base URLs, while the proxy is there */
	json_t *refused;  /* since the last note */
	GPtrArray *own;	  /* SpkRoute: of agent programs, whose servers they are */
	guint64 reached;  /* other requests that were let through */
	char *last_host;
};

struct SpkWayOutRoute {
	SpkWayOut *way;
	SpkRoute *route;
	char *url;
};

/* Programs ask their own box for these, unless the host's are meant. */
static const char *const local[] = { "localhost", "127.0.0.1", "::1" };

static gboolean check_rules(const char *const *hosts, const char *const *addresses,
			    SpkErr code, const char *where, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(SpkAllow) allow = spk_allow_new(hosts, addresses, &why);

	if (allow)
		return TRUE;
	spk_error_set(error, code, spk_error_hint(why), "%s: %s", where, why->message);
	return FALSE;
}

gboolean spk_way_out_check(const char *const *allow, GError **error)
{
	return check_rules(allow, NULL, SPK_ERR_USAGE, "--allow", error);
}

static char **both(char *const *first, const char *const *second)
{
	GPtrArray *all = g_ptr_array_new();

	for (; first && *first; first++)
		g_ptr_array_add(all, g_strdup(*first));
	for (; second && *second; second++)
		g_ptr_array_add(all, g_strdup(*second));
	g_ptr_array_add(all, NULL);
	return (char **)g_ptr_array_free(all, FALSE);
}

static gboolean read_rules(const SpkWayOutSpec *spec, char ***ret_hosts,
			   char ***ret_private, GError **error)
{
	g_auto(GStrv) configured = spk_conf_list(spec->conf, "box.allow");
	g_auto(GStrv) addresses = spk_conf_list(spec->conf, "box.allow_private");
	const char *const *hosts = (const char *const *)configured;

	if (!check_rules(hosts, NULL, SPK_ERR_CONFIG, "[box] allow", error) ||
	    !check_rules(NULL, (const char *const *)addresses, SPK_ERR_CONFIG,
			 "[box] allow_private", error) ||
	    !spk_way_out_check(spec->allow, error))
		return FALSE;
	*ret_hosts = both(configured, spec->allow);
	*ret_private = g_steal_pointer(&addresses);
	return TRUE;
}

static char *exceptions(char *const *hosts, GError **error)
{
	g_autoptr(SpkAllow)
		allow = spk_allow_new((const char *const *)hosts, NULL, error);
	g_autoptr(GString) text = g_string_new(NULL);

	if (!allow)
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(local); i++)
		if (!spk_allow_knows(allow, local[i]))
			g_string_append_printf(text, "%s%s", text->len ? "," : "",
					       local[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean choose_socket(SpkWayOut *way, const char *folder, GError **error)
{
	if (!folder) {
		way->folder =
			g_build_filename(g_get_tmp_dir(), "sparks-net-XXXXXX", NULL);
		if (!g_mkdtemp(way->folder)) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, "set TMPDIR",
					    "cannot create %s", way->folder);
			g_clear_pointer(&way->folder, g_free);
			return FALSE;
		}
		folder = way->folder;
	}
	way->socket = g_build_filename(folder, SOCKET_NAME, NULL);
	way->bundle = g_build_filename(folder, BUNDLE_NAME, NULL);
	return TRUE;
}

static gboolean has_way_out(SpkBox *box, const char *wanted, GError **error)
{
	if (spk_box_has_way_out(box))
		return TRUE;
	spk_error_set(
		error, SPK_ERR_POLICY,
		"leave the hosts out (--allow, [box] allow), or see `sparks doctor` for a "
		"stronger sandbox",
		"%s, but the sandbox here (%s) has no way out", wanted,
		spk_tier_name(spk_box_tier(box)));
	return FALSE;
}

static gboolean is_own(const SpkWayOut *way, const SpkProxyRecord *record)
{
	for (guint i = 0; i < way->own->len; i++) {
		const SpkRoute *route = way->own->pdata[i];

		if (route->origin.port == record->port &&
		    !strcmp(route->origin.name, record->host))
			return TRUE;
	}
	return FALSE;
}

static void count(SpkWayOut *way, const SpkProxyRecord *record)
{
	g_mutex_lock(&way->lock);
	if (!is_own(way, record)) {
		way->reached++;
		g_free(way->last_host);
		way->last_host = g_strdup(record->host);
	}
	g_mutex_unlock(&way->lock);
}

/* Of the proxy's thread. */
static gboolean on_record(const SpkProxyRecord *record, gpointer user)
{
	SpkWayOut *way = user;

	if (record->ended && record->refused) {
		g_mutex_lock(&way->lock);
		if (json_array_size(way->refused) < NOTED_MAX)
			json_array_append_new(way->refused,
					      json_pack("{s:s, s:o}", "rule", "network",
							"what",
							spk_json_text(record->refused)));
		g_mutex_unlock(&way->lock);
	}
	if (!record->ended && !record->refused)
		count(way, record);
	return !way->spec.record || way->spec.record(record, way->spec.user);
}

guint64 spk_way_out_reached(SpkWayOut *way, char **ret_host)
{
	guint64 n;

	g_mutex_lock(&way->lock);
	n = way->reached;
	*ret_host = g_strdup(way->last_host);
	g_mutex_unlock(&way->lock);
	return n;
}

/* The roots that we trust ourselves, and the task's authority. */
static gboolean write_bundle(const SpkWayOut *way, const char *authority, GError **error)
{
	const char *set = g_getenv("SSL_CERT_FILE");
	gsize len = 0;
	g_autofree char *roots =
		spk_fs_read(set && *set ? set : ROOTS, ROOTS_MAX, &len, NULL);
	g_autofree char *all = g_strconcat(authority, roots ? roots : "", NULL);

	return spk_fs_write_atomic(way->bundle, all, strlen(all), 0644, error);
}

/* With the lock held. */
static gboolean start_proxy(SpkWayOut *way, GError **error)
{
	SpkProxySpec spec = {
		.allow = (const char *const *)way->hosts,
		.allow_private = (const char *const *)way->addresses,
		.max_bytes = (guint64)spk_conf_int(way->spec.conf, "box.net_bytes"),
		.record = on_record,
		.user = way,
	};
	g_auto(SpkWayKeys) keys = { 0 };
	const char *authority;

	if (!spk_way_keys_read(way->spec.conf, (const char *const *)way->hosts, &keys,
			       error) ||
	    (!way->socket && !choose_socket(way, way->spec.folder, error)))
		return FALSE;
	spec.socket = way->socket;
	spec.credentials = (SpkRoute *const *)keys.hosts->pdata;
	spec.bases = (SpkRoute *const *)keys.bases->pdata;
	way->proxy = spk_proxy_start(&spec, error);
	authority = way->proxy ? spk_proxy_authority(way->proxy) : NULL;
	way->has_authority = authority && write_bundle(way, authority, error);
	if (way->proxy && (!authority || way->has_authority)) {
		way->variables = g_steal_pointer(&keys.variables);
		return TRUE;
	}
	g_clear_pointer(&way->proxy, spk_proxy_stop);
	return FALSE;
}

gboolean spk_way_out_open(SpkBox *box, const SpkWayOutSpec *spec, SpkWayOut **ret_way,
			  GError **error)
{
	g_autoptr(SpkWayOut) way = g_new0(SpkWayOut, 1);

	*ret_way = NULL;
	g_mutex_init(&way->lock);
	way->box = box;
	way->spec = *spec;
	way->spec.conf = spk_conf_ref(spec->conf);
	way->spec.folder = g_strdup(spec->folder);
	way->refused = json_array();
	way->own = g_ptr_array_new_with_free_func((GDestroyNotify)spk_route_unref);
	if (!read_rules(spec, &way->hosts, &way->addresses, error))
		return FALSE;
	way->no_proxy = exceptions(way->hosts, error);
	if (!way->no_proxy)
		return FALSE;
	if (way->hosts[0] &&
	    (!has_way_out(box, "hosts are allowed", error) || !start_proxy(way, error)))
		return FALSE;
	*ret_way = g_steal_pointer(&way);
	return TRUE;
}

void spk_way_out_free(SpkWayOut *way)
{
	if (!way)
		return;
	spk_proxy_stop(way->proxy);
	if (way->has_authority)
		(void)unlink(way->bundle); /* what it trusts can sign no more */
	if (way->folder)
		(void)spk_fs_remove_tree(way->folder,
					 NULL); /* an empty folder at worst */
	spk_conf_unref(way->spec.conf);
	g_free((char *)way->spec.folder);
	g_free(way->folder);
	g_free(way->socket);
	g_free(way->bundle);
	g_free(way->no_proxy);
	g_strfreev(way->hosts);
	g_strfreev(way->addresses);
	g_strfreev(way->variables);
	json_decref(way->refused);
	g_ptr_array_unref(way->own);
	g_free(way->last_host);
	g_mutex_clear(&way->lock);
	g_free(way);
}

void spk_way_out_use(SpkWayOut *way, SpkBoxRun *run)
{
	gboolean needed = FALSE, authority = FALSE;

	if (way) {
		g_mutex_lock(&way->lock);
		needed = way->proxy && (way->hosts[0] || spk_proxy_n_routes(way->proxy));
		authority = needed && way->has_authority;
		g_mutex_unlock(&way->lock);
	}
	run->way_out = needed ? way->socket : NULL;
	run->way_env = needed ? (const char *const *)way->variables : NULL;
	run->authorities = authority ? way->bundle : NULL;
	run->no_proxy = needed && *way->no_proxy ? way->no_proxy : NULL;
}

/* ---- routes ---- */

SpkWayOutRoute *spk_way_out_route_open(SpkWayOut *way, const SpkRouteSpec *spec,
				       GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;
	g_autoptr(SpkRoute) route = NULL;
	SpkWayOutRoute *open;

	if (!way) {
		spk_error_set(
			error, SPK_ERR_POLICY, NULL,
			"a program is to ask a server, and this task reaches nobody");
		return NULL;
	}
	locker = g_mutex_locker_new(&way->lock);
	if (!has_way_out(way->box, "a program is to ask a server", error))
		return NULL;
	route = spk_route_new(spec, error);
	if (!route || (!way->proxy && !start_proxy(way, error)) ||
	    !spk_proxy_add_route(way->proxy, route, error))
		return NULL;
	open = g_new0(SpkWayOutRoute, 1);
	open->way = way;
	open->url = spk_way_keys_url(route);
	g_ptr_array_add(way->own, spk_route_ref(route));
	open->route = g_steal_pointer(&route);
	return open;
}

void spk_way_out_route_close(SpkWayOutRoute *route)
{
	if (!route)
		return;
	spk_proxy_drop_route(route->way->proxy, route->route);
	g_mutex_lock(&route->way->lock);
	(void)g_ptr_array_remove(route->way->own, route->route);
	g_mutex_unlock(&route->way->lock);
	spk_route_unref(route->route);
	g_free(route->url);
	g_free(route);
}

const char *spk_way_out_route_url(const SpkWayOutRoute *route)
{
	return route->url;
}

const char *spk_way_out_route_placeholder(const SpkWayOutRoute *route)
{
	return route->route->token;
}

/* ---- what is told ---- */

void spk_way_out_note(SpkWayOut *way, SpkBoxResult *result)
{
	if (!way)
		return;
	g_mutex_lock(&way->lock);
	if (json_array_size(way->refused)) {
		if (!result->blocked)
			result->blocked = json_array();
		json_array_extend(result->blocked, way->refused);
		json_array_clear(way->refused);
	}
	g_mutex_unlock(&way->lock);
}

const char *const *spk_way_out_hosts(const SpkWayOut *way)
{
	return (const char *const *)way->hosts;
}

json_t *spk_way_out_to_json(const SpkProxyRecord *record)
{
	json_t *json = json_pack("{s:I,s:o,s:o,s:i,s:o,s:o}", "number",
				 (json_int_t)record->number, "method",
				 spk_json_text(record->method), "host",
				 spk_json_text(record->host), "port", (int)record->port,
				 "path", spk_json_text(record->path), "address",
				 spk_json_text(record->address));

	if (record->credential)
		spk_json_set(json, "credential", spk_json_text(record->credential));
	if (!record->ended)
		return json;
	spk_json_set(json, "refused", spk_json_text(record->refused));
	spk_json_set(json, "sent", json_integer((json_int_t)record->sent));
	spk_json_set(json, "received", json_integer((json_int_t)record->received));
	spk_json_set(json, "seconds", json_real(record->seconds));
	return json;
}
