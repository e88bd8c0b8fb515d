#include "llm/choose_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/prices.h"
#include "llm/around_priv.h"
#include "llm/endpoint_priv.h"

/* ---- what is configured ---- */

static const SpkProvider *named_provider(SpkConf *conf, GError **error)
{
	const char *name = spk_conf_str(conf, "llm.provider");
	const SpkProvider *row = spk_provider_find(name, strlen(name));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL;

	if (row)
		return row;
	for (row = spk_providers; row->name; row++)
		g_ptr_array_add(names, (gpointer)row->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_CONFIG, "`sparks config show` names the providers",
		      "[llm] provider \"%s\" is not one%s", name, nearest);
	return NULL;
}

static gboolean is_configured(const SpkProvider *row, SpkConf *conf)
{
	g_auto(SpkProviderState) state = { 0 };

	return row->impl->describe(row, conf, &state, NULL) && state.configured;
}

/* Whether a model is known without asking anybody. */
static gboolean has_model(const SpkProvider *row, SpkConf *conf, const char *given)
{
	g_autofree char *option = g_strconcat(row->name, ".model", NULL);

	return given || *spk_conf_str(conf, option);
}

static const SpkProvider *first_configured(SpkConf *conf, const char *given)
{
	for (const SpkProvider *row = spk_providers; row->url; row++)
		if (is_configured(row, conf) && has_model(row, conf, given))
			return row;
	return NULL;
}

/* ---- what there is ---- */

/* A key that lacks only the name of a model is no "nothing is configured". */
static void say_nothing(SpkConf *conf, gboolean empty, GError **error)
{
	for (const SpkProvider *row = spk_providers; row->url; row++) {
		g_auto(SpkProviderState) state = { 0 };
		g_autofree char *hint = NULL;

		if (!row->impl->describe(row, conf, &state, error))
			return; /* it is there, and wrong: "localhost:8080" is no URL */
		if (!state.configured || has_model(row, conf, NULL))
			continue;
		hint = g_strdup_printf("name it: [%s] model, or --model %s:NAME",
				       row->name, row->name);
		spk_error_set(error, SPK_ERR_CONFIG, hint,
			      "%s is configured, but no model of it is named", row->name);
		return;
	}
	spk_error_set(
		error, SPK_ERR_CONFIG, spk_endpoint_ways_on, "no model is configured%s",
		empty ? "; a server here answers, but has no model: ollama pull NAME"
		      : "");
}

static const SpkProvider *what_there_is(SpkConf *conf, const char *given,
					char **ret_model, GError **error)
{
	g_autofree char *model = NULL;
	const SpkProvider *row;
	gboolean empty = FALSE;

	if (!spk_look_around(conf, &row, &model, &empty, error))
		return NULL;
	if (row)
		*ret_model = given ? g_strdup(given) : g_steal_pointer(&model);
	else
		say_nothing(conf, empty, error);
	return row;
}

const SpkProvider *spk_choose(SpkConf *conf, const char *given, char **ret_model,
			      GError **error)
{
	const char *colon = given ? strchr(given, ':') : NULL;
	const SpkProvider *row = colon ? spk_provider_find(given, colon - given) : NULL;

	*ret_model = NULL;
	if (row) {
		*ret_model = colon[1] ? g_strdup(colon + 1) : NULL;
		return row;
	}
	*ret_model = g_strdup(given);
	if (spk_conf_is_set(conf, "llm.provider"))
		return named_provider(conf, error);
	row = first_configured(conf, given);
	if (row)
		return row;
	g_clear_pointer(ret_model, g_free);
	return what_there_is(conf, given, ret_model, error);
}

/* ---- who takes over ---- */

typedef enum { FREE, UNKNOWN, PAID } Price;

static Price price_of(const SpkPrices *prices, const SpkLlmWho *who)
{
	const SpkPrice *price =
		prices ? spk_prices_of(prices, who->provider, who->model, who->local)
		       : NULL;

	return !price ? UNKNOWN : price->input || price->output ? PAID : FREE;
}

/* NULL: the step is fine. */
static const char *why_not(SpkConf *conf, const SpkPrices *prices, const SpkLlmWho *from,
			   const SpkLlmWho *to)
{
	if (spk_conf_bool(conf, "llm.fallback_to_cloud"))
		return NULL;
	if (from->local && !to->local)
		return "is in the cloud";
	return price_of(prices, to) > price_of(prices, from) ? "may cost more" : NULL;
}

static SpkPrices *load_prices(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *home = spk_fs_home(&error);
	SpkPrices *prices = home ? spk_prices_load(home, &error) : NULL;

	if (error)
		spk_warn("llm", "who may take over is judged without prices: %s",
			 error->message);
	return prices;
}

/* Opened, or NULL: not one that can take over. */
static gpointer open_next(const SpkProvider *row, SpkConf *conf)
{
	g_autoptr(GError) error = NULL;
	gpointer self;

	if (!is_configured(row, conf) || !has_model(row, conf, NULL))
		return NULL;
	self = row->impl->open(row, conf, NULL, &error);
	if (!self)
		spk_warn("llm", "%s cannot take over: %s", row->name, error->message);
	return self;
}

const SpkProvider *spk_choose_next(SpkConf *conf, const char *const *tried,
				   const SpkLlmWho *from, gpointer *ret_self,
				   char **ret_refused)
{
	g_autoptr(SpkPrices) prices = load_prices();

	*ret_refused = NULL;
	for (const SpkProvider *next = spk_providers; next->url; next++) {
		gpointer self =
			g_strv_contains(tried, next->name) ? NULL : open_next(next, conf);
		const SpkModelInfo *info = self ? next->impl->info(self) : NULL;
		SpkLlmWho to;
		const char *why;

		if (!self)
			continue;
		to = (SpkLlmWho){ next->name, info->model, info->max_output,
				  info->local };
		why = why_not(conf, prices, from, &to);
		if (!why) {
			*ret_self = self;
			return next;
		}
		if (!*ret_refused)
			*ret_refused = g_strdup_printf("%s (which %s)", next->name, why);
		next->impl->close(self);
	}
	return NULL;
}
