#include "box/credentials.h"

#include <string.h>

#include "base/error.h"

#define HTTPS	     443
#define BASIC	     "Basic "
#define AS	     "as"
#define ROWS_MAX     64
#define NAME_MAX_LEN 128

static void credential_free(gpointer data)
{
	SpkCredential *credential = data;

	g_free(credential->path);
	g_free(credential->url_variable);
	g_free(credential->key_variable);
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
		      "behind it may stand: as GITHUB_API_URL. `sparks secrets list` "
		      "shows the names, and key.NAME is free",
		      "[box] credentials: the row of %.200s %s", host, why);
	return FALSE;
}

/* What the box itself sets, or what would change how its programs start. */
static gboolean is_reserved(const char *name)
{
	static const char *const names[] = { "PATH",   "HOME", "USER", "LANG",	   "TERM",
					     "TMPDIR", "ENV",  "IFS",  "BASH_ENV", NULL };
	g_autofree char *lower = g_ascii_strdown(name, -1);

	return g_strv_contains(names, name) || g_str_has_prefix(name, "LD_") ||
	       g_str_has_suffix(lower, "_proxy");
}

static gboolean is_variable(const char *name)
{
	gsize len = strlen(name);

	if (!len || len > NAME_MAX_LEN || g_ascii_isdigit(*name) || is_reserved(name))
		return FALSE;
	for (; *name; name++)
		if (!g_ascii_isalnum(*name) && *name != '_')
			return FALSE;
	return TRUE;
}

/* What stands behind the key: "", " as GITHUB_API_URL", " as GITHUB_API_URL GITHUB_TOKEN" */
static gboolean take_variables(const char *row, const char *rest,
			       SpkCredential *credential, GError **error)
{
	g_auto(GStrv) words = g_strsplit(*rest == ' ' ? rest + 1 : rest, " ", -1);
	guint n = g_strv_length(words);

	if (!*rest)
		return !*credential->path ||
		       bad(error, row,
			   "has a path, which only a base URL (as VARIABLE) has");
	if (*rest != ' ' || strcmp(words[0], AS) != 0)
		return bad(error, row,
			   "does not end in {SECRET}, or {SECRET} as VARIABLE");
	if (n < 2 || n > 3 || !is_variable(words[1]) ||
	    (n == 3 && !is_variable(words[2])))
		return bad(error, row,
			   "does not name one or two variables that may be set, behind "
			   "`as`");
	if (n == 3 && strcmp(words[1], words[2]) == 0)
		return bad(error, row, "names a variable twice");
	credential->url_variable = g_strdup(words[1]);
	credential->key_variable = g_strdup(words[2]);
	return TRUE;
}

/* "Bearer {github.token}", "Basic user:{key.x}", "{key.x}", and variables behind it */
static gboolean take_value(const char *row, const char *value, SpkCredential *credential,
			   GError **error)
{
	const char *open = strchr(value, '{'), *end = open ? strchr(open, '}') : NULL;
	g_autofree char *name = end ? g_strndup(open + 1, (gsize)(end - open - 1)) : NULL;
	g_autofree char *before = open ? g_strndup(value, (gsize)(open - value)) : NULL;
	gsize len;

	if (!end || strchr(before, '}'))
		return bad(error, row, "does not end in {SECRET}");
	if (!take_variables(row, end + 1, credential, error))
		return FALSE;
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

/* "HOST[:PORT][/PATH]" */
static gboolean take_host(const char *row, gsize len, SpkCredential *credential,
			  GError **error)
{
	const char *slash = memchr(row, '/', len);
	gsize of_host = slash ? (gsize)(slash - row) : len;

	if (!spk_endpoint_parse(row, of_host, &credential->host, NULL))
		return bad(error, row, "does not begin with a host");
	if (!credential->host.port)
		credential->host.port = HTTPS;
	credential->path = g_strndup(row + of_host, len - of_host);
	return TRUE;
}

static gboolean take_row(const char *row, SpkCredential *credential, GError **error)
{
	const char *blank = strchr(row, ' '), *colon = blank ? strchr(blank, ':') : NULL;
	g_autofree char *header = NULL;
	SpkRouteSpec spec = { .key = "12345678" };
	g_autofree char *origin = NULL;
	g_autoptr(SpkRoute) route = NULL;

	if (!colon || colon[1] != ' ')
		return bad(error, row, "is not HOST HEADER: {SECRET}");
	if (!take_host(row, (gsize)(blank - row), credential, error))
		return FALSE;
	header = g_strndup(blank + 1, (gsize)(colon - blank - 1));
	credential->header = g_strdup(g_strstrip(header));
	if (!take_value(row, colon + 2, credential, error))
		return FALSE;
	/* the words are judged where they are used */
	spec.origin = origin = g_strconcat("https://host", credential->path, NULL);
	spec.header = credential->header;
	spec.prefix = credential->prefix;
	spec.user = credential->user;
	route = spk_route_new(&spec, NULL);
	return route ? TRUE
		     : bad(error, row,
			   "has a header that can't hold a key, or a path that is none");
}

static gboolean has_variable(const SpkCredential *one, const char *name)
{
	return name && (!g_strcmp0(one->url_variable, name) ||
			!g_strcmp0(one->key_variable, name));
}

/* What `credential` has in common with a row before it; NULL: nothing. */
static const char *stands_twice(const GPtrArray *all, const SpkCredential *credential)
{
	const SpkEndpoint *host = &credential->host;

	for (guint i = 0; i < all->len; i++) {
		const SpkCredential *one = all->pdata[i];

		if (one->host.port == host->port &&
		    strcmp(one->host.name, host->name) == 0)
			return "names a host that another row names";
		if (has_variable(one, credential->url_variable) ||
		    has_variable(one, credential->key_variable))
			return "names a variable that another row names";
	}
	return NULL;
}

GPtrArray *spk_credentials(const SpkConf *conf, GError **error)
{
	g_auto(GStrv) rows = spk_conf_list(conf, "box.credentials");
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(credential_free);

	for (char **row = rows; *row; row++) {
		SpkCredential *credential = g_new0(SpkCredential, 1);
		gboolean ok = take_row(*row, credential, error);
		const char *twice = ok ? stands_twice(all, credential) : NULL;

		if (twice)
			ok = bad(error, *row, twice);
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
	g_autofree char *origin = g_strconcat("https://", host, credential->path, NULL);
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
