#include "box/credentials.h"

#include <string.h>

#include "base/error.h"

#define HTTPS	 443
#define BASIC	 "Basic "
#define ROWS_MAX 64

static void credential_free(gpointer data)
{
	SpkCredential *credential = data;

	g_free(credential->header);
	g_free(credential->prefix);
	g_free(credential->user);
	g_free(credential);
}

static gboolean bad(GError **error, const char *row, const char *why)
{
	/* somebody may have written a key there */
	g_autofree char *host = g_strndup(row, strcspn(row, " \t"));

	spk_error_set(error, SPK_ERR_CONFIG,
		      "like \"api.github.com Authorization: Bearer {github.token}\"; "
		      "`sparks secrets list` shows the names, and key.NAME is free",
		      "[box] credentials: the row of %.200s %s", host, why);
	return FALSE;
}

/* "Bearer {github.token}", "Basic user:{key.x}", "{key.x}" */
static gboolean take_value(const char *row, const char *value, SpkCredential *credential,
			   GError **error)
{
	const char *open = strchr(value, '{'), *end = open ? strchr(open, '}') : NULL;
	g_autofree char *name = end ? g_strndup(open + 1, (gsize)(end - open - 1)) : NULL;
	g_autofree char *before = open ? g_strndup(value, (gsize)(open - value)) : NULL;
	gsize len;

	if (!end || end[1] || strchr(before, '}'))
		return bad(error, row, "does not end in {SECRET}");
	credential->secret = spk_secret_find(name);
	if (!credential->secret || strcmp(credential->secret->key, name) != 0)
		return bad(error, row, "names no secret that there is");
	len = strlen(before);
	if (!g_str_has_prefix(before, BASIC)) {
		credential->prefix = g_steal_pointer(&before);
		return TRUE;
	}
	if (len == strlen(BASIC) || before[len - 1] != ':')
		return bad(error, row, "says Basic, and not USER:{SECRET}");
	credential->prefix = g_strdup(BASIC);
	credential->user =
		g_strndup(before + strlen(BASIC), len - strlen(BASIC) - strlen(":"));
	return TRUE;
}

static gboolean take_row(const char *row, SpkCredential *credential, GError **error)
{
	const char *blank = strchr(row, ' '), *colon = blank ? strchr(blank, ':') : NULL;
	g_autofree char *header = NULL;
	const SpkRouteSpec shape = { .origin = "https://host", .key = "12345678" };
	SpkRouteSpec spec = shape;
	g_autoptr(SpkRoute) route = NULL;

	if (!colon || colon[1] != ' ')
		return bad(error, row, "is not HOST HEADER: {SECRET}");
	if (!spk_endpoint_parse(row, (gsize)(blank - row), &credential->host, NULL))
		return bad(error, row, "does not begin with a host");
	if (!credential->host.port)
		credential->host.port = HTTPS;
	header = g_strndup(blank + 1, (gsize)(colon - blank - 1));
	credential->header = g_strdup(g_strstrip(header));
	if (!take_value(row, colon + 2, credential, error))
		return FALSE;
	/* the words are judged where they are used */
	spec.header = credential->header;
	spec.prefix = credential->prefix;
	spec.user = credential->user;
	route = spk_route_new(&spec, NULL);
	return route ? TRUE : bad(error, row, "has a header that can't hold a key");
}

static gboolean is_there(const GPtrArray *all, const SpkEndpoint *host)
{
	for (guint i = 0; i < all->len; i++) {
		const SpkCredential *one = all->pdata[i];

		if (one->host.port == host->port &&
		    strcmp(one->host.name, host->name) == 0)
			return TRUE;
	}
	return FALSE;
}

GPtrArray *spk_credentials(const SpkConf *conf, GError **error)
{
	g_auto(GStrv) rows = spk_conf_list(conf, "box.credentials");
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(credential_free);

	for (char **row = rows; *row; row++) {
		SpkCredential *credential = g_new0(SpkCredential, 1);
		gboolean ok = take_row(*row, credential, error);

		if (ok && is_there(all, &credential->host))
			ok = bad(error, *row, "names a host that another row names");
		if (ok && all->len == ROWS_MAX)
			ok = bad(error, *row, "is one too many: there may be 64");
		g_ptr_array_add(all, credential);
		if (!ok)
			return NULL;
	}
	return g_steal_pointer(&all);
}

char *spk_credential_host(const SpkCredential *credential)
{
	const SpkEndpoint *host = &credential->host;
	gboolean v6 = strchr(host->name, ':') != NULL;

	if (host->port == HTTPS && !v6)
		return g_strdup(host->name);
	return g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", host->name, host->port);
}

SpkRoute *spk_credential_route(const SpkCredential *credential, SpkConf *conf,
			       GError **error)
{
	g_autofree char *host = spk_credential_host(credential);
	g_autofree char *origin = g_strconcat("https://", host, NULL);
	const char *key = spk_conf_secret(conf, credential->secret->env);
	const SpkRouteSpec spec = { .credential = credential->secret->key,
				    .origin = origin,
				    .header = credential->header,
				    .prefix = credential->prefix,
				    .user = credential->user,
				    .key = key };
	g_autoptr(GError) why = NULL;
	SpkRoute *route;

	if (!key) {
		g_autofree char *hint = g_strdup_printf(
			"`sparks secrets set %s`, or %s in the environment, or take the "
			"row out",
			credential->secret->key, credential->secret->env);

		spk_error_set(error, SPK_ERR_CONFIG, hint,
			      "[box] credentials: there is no %s, which %s needs",
			      credential->secret->key, host);
		return NULL;
	}
	route = spk_route_new(&spec, &why);
	if (!route)
		spk_error_set(error, SPK_ERR_CONFIG, NULL, "[box] credentials, %s: %s",
			      host, why->message);
	return route;
}
