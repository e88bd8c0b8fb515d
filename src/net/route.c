#include "net/route.h"

#include <string.h>

#include "base/error.h"
#include "net/head_priv.h"

#define TOKEN	     "sparks-"
#define TOKEN_BYTES  16
#define LONGEST_PATH 1024
#define WORD_MAX     256
#define USER	     "x-access-token"
#define BASIC	     "Basic "

static gboolean bad(GError **error, const char *what, const char *why)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "the %s of a way to a server %s",
		      what, why);
	return FALSE;
}

static void wipe(gpointer text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}

/* ---- what may be asked for ---- */

/* Where the host ends; NULL: neither scheme. */
static const char *after_scheme(const char *origin, gboolean *ret_tls)
{
	*ret_tls = g_str_has_prefix(origin, "https://");
	if (*ret_tls)
		return origin + strlen("https://");
	return g_str_has_prefix(origin, "http://") ? origin + strlen("http://") : NULL;
}

static gboolean is_visible(const char *text, gsize max)
{
	gsize n = 0;

	for (; text[n]; n++)
		if (n == max || !g_ascii_isgraph(text[n]))
			return FALSE;
	return TRUE;
}

static gboolean take_origin(SpkRoute *route, const char *origin, GError **error)
{
	const char *host = after_scheme(origin, &route->is_tls), *path;
	gsize len;

	if (!host)
		return bad(error, "address", "begins with neither https:// nor http://");
	path = strchr(host, '/');
	if (!path)
		path = host + strlen(host);
	if (memchr(host, '@', (gsize)(path - host)))
		return bad(error, "address", "has a user or a password in it");
	if (!spk_endpoint_parse(host, (gsize)(path - host), &route->origin, error))
		return FALSE;
	if (!route->origin.port)
		route->origin.port = route->is_tls ? 443 : 80;
	if (!is_visible(path, LONGEST_PATH) || strpbrk(path, "?#"))
		return bad(error, "address", "has a query, a blank or a very long path");
	len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	route->path = g_strndup(path, len);
	return TRUE;
}

static gboolean check_key(const char *key, GError **error)
{
	if (strlen(key) < SPK_ROUTE_KEY_MIN)
		return bad(error, "key",
			   "is shorter than 8 characters: it could not be told from "
			   "other text of an answer");
	return is_visible(key, SPK_ROUTE_KEY_MAX) ||
	       bad(error, "key", "is too long, or has a character that no key has");
}

static gboolean check_words(const SpkRouteSpec *spec, GError **error)
{
	const char *header = spec->header ? spec->header : "";
	Span name = { header, strlen(header) };

	if (!head_is_token(name) || name.len > WORD_MAX)
		return bad(error, "header", "is no name of a header");
	/* these would decide where a request goes and ends */
	if (head_is_word(name, "host") || head_is_word(name, "content-length") ||
	    head_is_word(name, "transfer-encoding") || head_is_of_connection(name))
		return bad(error, "header", "cannot hold a key");
	for (const char *p = spec->prefix ? spec->prefix : ""; *p; p++)
		if (!g_ascii_isprint(*p) || strlen(spec->prefix) > WORD_MAX)
			return bad(error, "prefix", "is not a short word");
	return is_visible(spec->user ? spec->user : "", WORD_MAX) ||
	       bad(error, "user", "is not a short word");
}

/* ---- the key in other forms: how their characters are written is net/strip.h's affair ---- */

static void add_secret(SpkRoute *route, char *take_text)
{
	if (strlen(take_text) < SPK_ROUTE_KEY_MIN ||
	    g_ptr_array_find_with_equal_func(route->secrets, take_text, g_str_equal,
					     NULL)) {
		wipe(take_text);
		return;
	}
	g_ptr_array_add(route->secrets, take_text);
}

static void add_hex(SpkRoute *route, const char *key, const char *format)
{
	GString *text = g_string_new(NULL);

	for (; *key; key++)
		g_string_append_printf(text, format, (guint)(guchar)*key);
	add_secret(route, g_string_free(text, FALSE));
}

/* The part of its base64 that is the same whatever stands before and behind it: before it
 * there are 0, 1 or 2 bytes more than fit. */
static void add_base64(SpkRoute *route, const char *key)
{
	gsize len = strlen(key);

	for (gsize before = 0; before < 3; before++) {
		g_autofree char *padded =
			g_strdup_printf("%.*s%s", (int)before, "xx", key);
		g_autofree char *text =
			g_base64_encode((const guchar *)padded, before + len);
		gsize from = before ? before + 1 : 0;
		gsize until = (before + len) * 8 / 6;
		char *plain = g_strndup(text + from, until - from),
		     *url = g_strdup(plain);

		add_secret(route, plain);
		for (char *p = url; *p; p++)
			*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
		add_secret(route, url);
		explicit_bzero(padded, strlen(padded));
		explicit_bzero(text, strlen(text));
	}
}

static void add_secrets(SpkRoute *route, const char *key)
{
	add_secret(route, g_strdup(key));
	add_base64(route, key);
	add_hex(route, key, "%02x");
	add_hex(route, key, "%02X");
}

static void set_value(SpkRoute *route, const SpkRouteSpec *spec)
{
	const char *prefix = spec->prefix ? spec->prefix : "";

	route->header = g_strdup(spec->header);
	if (strcmp(prefix, BASIC) == 0) {
		g_autofree char *pair =
			g_strconcat(spec->user ? spec->user : USER, ":", spec->key, NULL);
		g_autofree char *text =
			g_base64_encode((const guchar *)pair, strlen(pair));

		route->value = g_strconcat(BASIC, text, NULL);
		add_secret(route, g_strdup(text));
		explicit_bzero(pair, strlen(pair));
		explicit_bzero(text, strlen(text));
	} else {
		route->value = g_strconcat(prefix, spec->key, NULL);
	}
	add_secrets(route, spec->key);
}

/* ---- the object ---- */

static char *make_token(GError **error)
{
	guint8 bytes[TOKEN_BYTES];
	GString *token = g_string_new(TOKEN);

	if (getentropy(bytes, sizeof(bytes)) < 0) {
		spk_error_set(error, SPK_ERR_IO, NULL,
			      "the system gives no random bytes");
		g_string_free(token, TRUE);
		return NULL;
	}
	for (gsize i = 0; i < sizeof(bytes); i++)
		g_string_append_printf(token, "%02x", bytes[i]);
	return g_string_free(token, FALSE);
}

SpkRoute *spk_route_new(const SpkRouteSpec *spec, GError **error)
{
	g_autoptr(SpkRoute) route = g_new0(SpkRoute, 1);

	route->refs = 1;
	route->credential = g_strdup(spec->credential ? spec->credential : "");
	route->secrets = g_ptr_array_new_with_free_func(wipe);
	if (!take_origin(route, spec->origin, error))
		return NULL;
	if (spec->key && *spec->key) {
		if (!check_words(spec, error) || !check_key(spec->key, error))
			return NULL;
		set_value(route, spec);
	}
	route->token = make_token(error);
	return route->token ? g_steal_pointer(&route) : NULL;
}

SpkRoute *spk_route_ref(SpkRoute *route)
{
	g_atomic_int_inc(&route->refs);
	return route;
}

void spk_route_unref(SpkRoute *route)
{
	if (!route || !g_atomic_int_dec_and_test(&route->refs))
		return;
	g_ptr_array_unref(route->secrets);
	wipe(route->value);
	g_free(route->header);
	g_free(route->path);
	g_free(route->credential);
	g_free(route->token);
	g_free(route);
}

void spk_route_close(SpkRoute *route)
{
	g_atomic_int_set(&route->closed, 1);
}

gboolean spk_route_is_closed(const SpkRoute *route)
{
	return g_atomic_int_get(&route->closed) != 0;
}
