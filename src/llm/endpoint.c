#include "llm/endpoint_priv.h"

#include <string.h>

#include "base/error.h"
#include "conf/secret.h"
#include "llm/address_priv.h"

/* ---- what the configuration says ---- */

const char *const spk_endpoint_ways_on =
	"`sparks init` asks what is needed; by hand: a key (export OPENAI_API_KEY=... or "
	"ANTHROPIC_API_KEY=..., or `sparks secrets set openai.api_key`), or a server here "
	"(`ollama pull qwen2.5-coder:7b`, or `llama-server --jinja -m FILE`), or the "
	"address of another in [openai] url";

static const char *text_of(const SpkProvider *row, SpkConf *conf, const char *key)
{
	g_autofree char *name = g_strconcat(row->name, ".", key, NULL);

	return spk_conf_is_set(conf, name) ? spk_conf_str(conf, name) : "";
}

static const SpkWire *const styles[] = { &spk_wire_chat, &spk_wire_responses };

/* `model` may be NULL: that of most models. */
static const SpkWire *wire_of(const SpkProvider *row, SpkConf *conf, const char *model,
			      GError **error)
{
	const SpkWireOf *of = row->by_model;
	gsize i = 0;

	if (!row->wire) {
		const char *style = spk_conf_str(conf, "openai.api_style");

		while (strcmp(styles[i]->name, style) != 0)
			i++; /* the option has these choices */
		return styles[i];
	}
	while (of && model && of->start && !g_str_has_prefix(model, of->start))
		of++;
	if (!of || !model || !of->start)
		return row->wire;
	if (!of->wire)
		spk_error_set(error, SPK_ERR_CONFIG, "choose another model",
			      "%s serves models \"%s…\" over a protocol that is not "
			      "built in",
			      row->name, of->start);
	return of->wire;
}

static char *base_of(const SpkProvider *row, const SpkWire *wire, SpkConf *conf,
		     GError **error)
{
	const char *url = text_of(row, conf, "url");

	return spk_address_complete(*url ? url : row->url, wire, row->name, error);
}

/* The key, "" when there is none. */
static char *key_of(const SpkProvider *row, SpkConf *conf, GError **error)
{
	const char *set = row->key ? spk_conf_secret(conf, row->key) : NULL;
	g_autofree char *key = g_strstrip(g_strdup(set ? set : ""));

	for (const char *p = key; *p; p++) {
		if (g_ascii_isgraph(*p))
			continue;
		spk_error_set(error, SPK_ERR_CONFIG, "copy it again",
			      "%s holds a character that no key has", row->key);
		return NULL;
	}
	return g_steal_pointer(&key);
}

gboolean spk_endpoint_describe(const SpkProvider *row, SpkConf *conf,
			       SpkProviderState *ret_state, GError **error)
{
	const SpkWire *wire = wire_of(row, conf, NULL, error);
	g_autofree char *base = wire ? base_of(row, wire, conf, error) : NULL;
	g_autofree char *key = base ? key_of(row, conf, error) : NULL;

	if (!key)
		return FALSE;
	ret_state->configured = *key || *text_of(row, conf, "url") ||
				(!row->key && *text_of(row, conf, "model"));
	ret_state->local = spk_address_is_local(base);
	ret_state->url = spk_address_shown(base);
	return TRUE;
}

/* ---- opening ---- */

static gboolean check_key(const SpkProvider *row, SpkConf *conf, const char *key,
			  GError **error)
{
	g_autofree char *hint = NULL;

	if (!row->key || *key || *text_of(row, conf, "url"))
		return TRUE;
	if (strcmp(row->name, "openai") == 0) {
		spk_error_set(error, SPK_ERR_CONFIG, spk_endpoint_ways_on,
			      "no model is configured");
		return FALSE;
	}
	hint = g_strdup_printf(
		"`sparks secrets set %s`, or %s in the environment, or [%s] "
		"url to a server that needs no key",
		spk_secret_find(row->key)->key, row->key, row->name);
	spk_error_set(error, SPK_ERR_CONFIG, hint, "there is no key for %s", row->name);
	return FALSE;
}

const SpkWire *spk_endpoint_find(const SpkProvider *row, SpkConf *conf, char **ret_base,
				 char **ret_key, GError **error)
{
	const SpkWire *wire = wire_of(row, conf, NULL, error);
	g_autofree char *base = wire ? base_of(row, wire, conf, error) : NULL;
	char *key = base ? key_of(row, conf, error) : NULL;

	if (!key || !check_key(row, conf, key, error)) {
		g_free(key); /* nothing or "" */
		return NULL;
	}
	*ret_base = g_steal_pointer(&base);
	*ret_key = key;
	return wire;
}

static char *model_of(const SpkProvider *row, SpkConf *conf, const char *model,
		      GError **error)
{
	g_autofree char *name = g_strconcat(row->name, ".model", NULL);
	g_autofree char *hint = NULL;

	if (!model || !*model)
		model = spk_conf_str(conf, name);
	if (*model)
		return g_strdup(model);
	hint = g_strdup_printf("name it: [%s] model, or --model %s:NAME", row->name,
			       row->name);
	spk_error_set(error, SPK_ERR_CONFIG, hint, "no model of %s is named", row->name);
	return NULL;
}

/* What is configured wins over what the model's name is known to have, which says nothing of
 * the window that a server of one's own makes room for. */
static void read_limits(SpkEndpoint *end, const SpkProvider *row, SpkConf *conf)
{
	const SpkKnownModel *known = spk_known_model(end->model);
	g_autofree char *window = g_strconcat(row->name, ".context_window", NULL);
	g_autofree char *answer = g_strconcat(row->name, ".max_tokens", NULL);

	end->info.context_window = spk_conf_int(conf, window);
	end->info.window_from = spk_conf_is_set(conf, window) ? "configuration"
							      : "default";
	end->info.max_output = spk_conf_int(conf, answer);
	if (known->context_window && !end->info.local && !spk_conf_is_set(conf, window)) {
		end->info.context_window = known->context_window;
		end->info.window_from = "its name";
	}
	if (known->max_output && !spk_conf_is_set(conf, answer))
		end->info.max_output = MIN(end->info.max_output, known->max_output);
	end->quirks = known->quirks;
}

static void read_parameters(SpkEndpoint *end, const SpkProvider *row, SpkConf *conf)
{
	g_autofree char *temperature = g_strconcat(row->name, ".temperature", NULL);

	end->temperature = spk_conf_real(conf, temperature);
	end->effort = end->summary = "";
	end->connect_ms = 1000 * spk_conf_int(conf, "llm.connect_timeout_secs");
	end->first_byte_ms = 1000 * spk_conf_int(conf, "llm.first_byte_timeout_secs");
	end->idle_ms = 1000 * spk_conf_int(conf, "llm.idle_timeout_secs");
	if (row->wire)
		return;
	end->effort = spk_conf_str(conf, "openai.reasoning_effort");
	end->summary = spk_conf_str(conf, "openai.reasoning_summary");
}

gboolean spk_endpoint_init(SpkEndpoint *end, const SpkProvider *row, SpkConf *conf,
			   const char *model, GError **error)
{
	end->conf = spk_conf_ref(conf);
	end->key = key_of(row, conf, error);
	if (!end->key || !check_key(row, conf, end->key, error))
		return FALSE;
	end->model = model_of(row, conf, model, error);
	end->wire = end->model ? wire_of(row, conf, end->model, error) : NULL;
	end->base = end->wire ? base_of(row, end->wire, conf, error) : NULL;
	if (!end->base)
		return FALSE;
	end->tells_cost = row->tells_cost;
	end->source = (SpkFaultSource){ .section = row->name,
					.key = row->key,
					.missing = end->wire->missing };
	if (*end->key)
		end->key_header = g_strconcat(end->wire->key_header, end->key, NULL);
	end->shown = spk_address_shown(end->base);
	end->info.model = end->model;
	end->info.url = end->shown;
	end->info.local = spk_address_is_local(end->base);
	end->info.can = end->wire->can;
	read_limits(end, row, conf);
	read_parameters(end, row, conf);
	return TRUE;
}

void spk_endpoint_clear(SpkEndpoint *end)
{
	g_free(end->base);
	g_free(end->shown);
	g_free(end->key);
	g_free(end->key_header);
	g_free(end->model);
	spk_conf_unref(end->conf);
}
