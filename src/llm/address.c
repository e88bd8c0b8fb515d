#include "llm/address_priv.h"

#include <string.h>

#include "base/error.h"

static GUri *parse(const char *url, const char *section, GError **error)
{
	const char *hint = "write it like http://localhost:11434/v1";
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);

	if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
		spk_error_set(error, SPK_ERR_CONFIG, hint, "[%s] url is not a URL",
			      section);
		return NULL;
	}
	if (strcmp(g_uri_get_scheme(uri), "http") != 0 &&
	    strcmp(g_uri_get_scheme(uri), "https") != 0) {
		spk_error_set(error, SPK_ERR_CONFIG, hint,
			      "[%s] url has the scheme \"%s\"; it takes http or https",
			      section, g_uri_get_scheme(uri));
		return NULL;
	}
	if (g_ascii_strcasecmp(g_uri_get_host(uri), "chatgpt.com") == 0) {
		spk_error_set(error, SPK_ERR_CONFIG,
			      "remove [openai] url and set OPENAI_API_KEY, or put a "
			      "server's address there",
			      "[%s] url is the subscription's, which needs "
			      "`sparks openai login`; that is not built yet",
			      section);
		return NULL;
	}
	return g_steal_pointer(&uri);
}

char *spk_address_form(const char *url, const SpkAddressForm *form, const char *section,
		       GError **error)
{
	g_autoptr(GUri) uri = parse(url, section, error);
	g_autofree char *base = g_strdup(url);
	char *path;
	gsize len;

	if (!uri)
		return NULL;
	for (len = strlen(base); len && base[len - 1] == '/'; len--)
		base[len - 1] = '\0';
	if (g_str_has_suffix(base, form->path))
		base[len - strlen(form->path)] = '\0';
	path = strchr(strstr(base, "://") + 3, '/');
	if (path && g_strcmp0(path, form->instead) == 0)
		*path = '\0';
	else if (path)
		return g_steal_pointer(&base);
	return g_strconcat(base, form->root, NULL);
}

char *spk_address_complete(const char *url, const SpkWire *wire, const char *section,
			   GError **error)
{
	SpkAddressForm form = { wire->root, wire->instead, wire->path };

	return spk_address_form(url, &form, section, error);
}

char *spk_address_shown(const char *base)
{
	g_autoptr(GUri) uri = g_uri_parse(base, G_URI_FLAGS_NONE, NULL);

	return g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY |
						    G_URI_HIDE_FRAGMENT);
}

gboolean spk_address_is_local(const char *base)
{
	g_autoptr(GUri) uri = g_uri_parse(base, G_URI_FLAGS_NONE, NULL);

	return uri && spk_host_is_local(g_uri_get_host(uri));
}
