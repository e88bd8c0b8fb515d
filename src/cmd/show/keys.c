#include "cmd/show/keys.h"

#include "box/credentials.h"
#include "net/allow.h"

static void put_one(GString *text, const SpkCredential *one, gboolean allowed,
		    gboolean there)
{
	g_autofree char *host = spk_credential_host(one);
	g_autofree char *base = one->url_variable
					? g_strdup_printf(", by its base URL $%s alone",
							  one->url_variable)
					: g_strdup("");

	g_string_append_printf(text, "%s%s%s (%s%s%s%s)", text->len ? ", " : "", host,
			       one->path, one->secret->key, base,
			       there ? "" : ", which is not there",
			       allowed ? "" : ", and the host is not allowed");
}

char *spk_show_keys(SpkConf *conf, const char *const *allow, gboolean *ret_missing,
		    GError **error)
{
	g_auto(GStrv) configured = spk_conf_list(conf, "box.allow");
	g_autoptr(GPtrArray) credentials = spk_credentials(conf, error);
	g_autoptr(SpkAllow) by_conf = NULL, by_spark = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	*ret_missing = FALSE;
	if (!credentials)
		return NULL;
	by_conf = spk_allow_new((const char *const *)configured, NULL, error);
	by_spark = by_conf ? spk_allow_new(allow, NULL, error) : NULL;
	if (!by_spark)
		return NULL;
	for (guint i = 0; i < credentials->len; i++) {
		const SpkCredential *one = credentials->pdata[i];
		gboolean allowed = spk_allow_host(by_conf, &one->host) ||
				   spk_allow_host(by_spark, &one->host);
		gboolean there = spk_conf_secret(conf, one->secret->env) != NULL;

		*ret_missing |= allowed && !there;
		put_one(text, one, allowed, there);
	}
	if (!text->len)
		g_string_append(text, "none");
	return g_string_free(g_steal_pointer(&text), FALSE);
}
