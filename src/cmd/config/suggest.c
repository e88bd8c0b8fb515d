#include "cmd/config/suggest.h"

#include <string.h>

#include "base/fs.h"
#include "conf/conf.h"
#include "conf/secret.h"
#include "llm/llm.h"

#define SERVERS "llm.local_servers"

static const SpkOpt *option(const char *name)
{
	int index = spk_conf_find(name);

	return index < 0 ? NULL : &spk_conf_options()[index];
}

/* The person's own configuration, with these servers only. */
static SpkConf *conf_with(const char *servers)
{
	g_autofree char *path = spk_fs_expand("~/.sparks/config.toml");
	g_autofree char *set = servers ? g_strconcat(SERVERS "=", servers, NULL) : NULL;
	const char *overrides[] = { set, NULL };
	SpkConfSource source = { .explicit_path = path, .overrides = overrides };
	g_autoptr(GPtrArray) problems = NULL; /* a file that isn't there is one */

	return spk_conf_check(&source, &problems);
}

/* TRUE: there is a model to take. */
static gboolean take(SpkConf *conf, const char *url, SpkSuggestion *suggestion)
{
	g_autoptr(SpkLlm) llm = spk_llm_open(conf, NULL, NULL);
	g_autofree char *model = llm ? g_strconcat(spk_llm_provider(llm), ".model", NULL)
				     : NULL;

	if (!llm || !option(model))
		return FALSE; /* nothing is here, or a script */
	suggestion->provider = g_strdup(spk_llm_provider(llm));
	suggestion->model = g_strdup(spk_llm_model(llm));
	suggestion->url = g_strdup(url);
	suggestion->ready = TRUE;
	return TRUE;
}

static gboolean take_server(SpkConf *conf, SpkSuggestion *suggestion)
{
	g_auto(GStrv) words = g_strsplit_set(spk_conf_str(conf, SERVERS), " ,", -1);

	for (char **word = words; *word; word++) {
		const char *equals = strchr(*word, '=');
		g_autoptr(SpkConf) one = equals ? conf_with(*word) : NULL;

		if (one && take(one, equals + 1, suggestion))
			return TRUE;
	}
	return FALSE;
}

/* A key alone does for a provider, though its model has yet to be named. */
static char *keyed_provider(SpkConf *conf)
{
	g_auto(GStrv) names = g_strsplit(option("llm.provider")->choices, "|", -1);

	for (char **name = names; *name; name++) {
		g_autofree char *key = g_strconcat(*name, ".api_key", NULL);
		const SpkSecret *secret = spk_secret_find(key);

		if (secret && spk_conf_secret(conf, secret->env))
			return g_strdup(*name);
	}
	return NULL;
}

void spk_suggest(SpkSuggestion *ret_suggestion)
{
	g_autoptr(SpkConf) none = conf_with("none");
	g_autoptr(SpkConf) all = conf_with(NULL);
	SpkSuggestion found = { NULL };

	if (!take(none, NULL, &found)) {
		found.provider = keyed_provider(none);
		found.ready = found.provider != NULL;
	}
	if (!found.provider && !take_server(all, &found))
		found.provider = g_strdup(option("llm.provider")->fallback);
	*ret_suggestion = found;
}

void spk_suggestion_clear(SpkSuggestion *suggestion)
{
	g_clear_pointer(&suggestion->provider, g_free);
	g_clear_pointer(&suggestion->model, g_free);
	g_clear_pointer(&suggestion->url, g_free);
}
