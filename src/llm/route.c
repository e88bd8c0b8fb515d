#include "llm/route.h"

#include <string.h>

#include "base/error.h"
#include "conf/secret.h"
#include "llm/endpoint_priv.h"
#include "llm/llm_all_priv.h"

void spk_llm_route_clear(SpkLlmRoute *route)
{
	g_free(route->origin);
	g_free(route->header);
	g_free(route->prefix);
	spk_secret_wipe(route->key);
	*route = (SpkLlmRoute){ 0 };
}

/* "Authorization: Bearer " */
static void split_header(const char *text, SpkLlmRoute *route)
{
	const char *colon = strchr(text, ':');

	route->header = g_strndup(text, (gsize)(colon - text));
	route->prefix = g_strdup(colon + strlen(": "));
}

gboolean spk_llm_route(SpkConf *conf, const char *provider, SpkLlmRoute *ret_route,
		       GError **error)
{
	const SpkProvider *row = spk_provider_find(provider, strlen(provider));
	g_auto(SpkLlmRoute) route = { 0 };
	const SpkWire *wire;

	if (!row || !row->url) {
		spk_error_set(error, SPK_ERR_CONFIG, NULL,
			      "\"%s\" is no provider with a server", provider);
		return FALSE;
	}
	wire = spk_endpoint_find(row, conf, &route.origin, &route.key, error);
	if (!wire)
		return FALSE;
	if (!*route.key)
		g_clear_pointer(&route.key, spk_secret_wipe);
	split_header(wire->key_header, &route);
	route.credential = row->key ? spk_secret_find(row->key)->key : NULL;
	*ret_route = route;
	route = (SpkLlmRoute){ 0 };
	return TRUE;
}
