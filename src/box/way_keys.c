#include "box/way_keys_priv.h"

#include "box/box_priv.h"
#include "box/credentials.h"
#include "net/allow.h"

void spk_way_keys_clear(SpkWayKeys *keys)
{
	g_clear_pointer(&keys->hosts, g_ptr_array_unref);
	g_clear_pointer(&keys->bases, g_ptr_array_unref);
	g_clear_pointer(&keys->variables, g_strfreev);
}

char *spk_way_keys_url(const SpkRoute *route)
{
	return g_strdup_printf("http://127.0.0.1:" SPK_BOX_PROXY_PORT "/%s",
			       route->token);
}

static void add_variable(GStrvBuilder *variables, const char *name, const char *value)
{
	g_autofree char *set = name ? g_strconcat(name, "=", value, NULL) : NULL;

	if (set)
		g_strv_builder_add(variables, set);
}

static void add(SpkWayKeys *keys, GStrvBuilder *variables, const SpkCredential *one,
		SpkRoute *take_route)
{
	g_autofree char *url = spk_way_keys_url(take_route);

	add_variable(variables, one->url_variable, url);
	add_variable(variables, one->key_variable, take_route->token);
	g_ptr_array_add(one->url_variable ? keys->bases : keys->hosts, take_route);
}

gboolean spk_way_keys_read(SpkConf *conf, const char *const *hosts, SpkWayKeys *ret_keys,
			   GError **error)
{
	const GDestroyNotify unref = (GDestroyNotify)spk_route_unref;
	g_auto(SpkWayKeys) keys = { .hosts = g_ptr_array_new_with_free_func(unref),
				    .bases = g_ptr_array_new_with_free_func(unref) };
	g_autoptr(GStrvBuilder) variables = g_strv_builder_new();
	g_autoptr(GPtrArray) credentials = spk_credentials(conf, error);
	g_autoptr(SpkAllow) allow = credentials ? spk_allow_new(hosts, NULL, error)
						: NULL;

	for (guint i = 0; allow && i < credentials->len; i++) {
		const SpkCredential *one = credentials->pdata[i];
		SpkRoute *route;

		if (!spk_allow_host(allow, &one->host))
			continue;
		route = spk_credential_route(one, conf, error);
		if (!route)
			return FALSE;
		add(&keys, variables, one, route);
	}
	if (!allow)
		return FALSE;
	g_ptr_array_add(keys.hosts, NULL);
	g_ptr_array_add(keys.bases, NULL);
	keys.variables = g_strv_builder_end(variables);
	*ret_keys = keys;
	keys = (SpkWayKeys){ 0 };
	return TRUE;
}
