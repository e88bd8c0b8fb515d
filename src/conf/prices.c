#include "conf/prices.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf_priv.h"

#define PRICES_MAX_BYTES (256u << 10)
#define PRICE_MAX	 10000.0 /* USD for a million tokens */

static const char built_in[] =
#include "conf/prices.inc"
	;

struct SpkPrices {
	GPtrArray *rows;
	char *path;
};

static const SpkPrice free_of_charge = { .provider = (char *)"local",
					 .model = (char *)"*",
					 .origin = "by rule" };

static void price_free(SpkPrice *price)
{
	g_free(price->provider);
	g_free(price->model);
	g_free(price);
}

void spk_prices_free(SpkPrices *prices)
{
	if (!prices)
		return;
	g_ptr_array_unref(prices->rows);
	g_free(prices->path);
	g_free(prices);
}

static gboolean bad(const char *name, const SpkConfEntry *entry, const char *why,
		    GError **error)
{
	spk_error_set(error, SPK_ERR_CONFIG,
		      "a row is [PROVIDER.\"MODEL\"] with input, output and, where they "
		      "differ, cached and cache_write: USD for a million tokens",
		      "%s:%u:%u: %s %s", name, entry->line, entry->column, entry->key,
		      why);
	return FALSE;
}

/* Cuts PROVIDER."MODEL".KEY; bare words need no quotes. */
static gboolean split(const char *key, char **ret_provider, char **ret_model,
		      const char **ret_field)
{
	const char *dot = strchr(key, '.'), *last = strrchr(key, '.');
	gsize len;

	if (!dot || dot == last || dot == key)
		return FALSE;
	len = last - dot - 1;
	if (len > 2 && dot[1] == '"' && last[-1] == '"')
		*ret_model = g_strndup(dot + 2, len - 2);
	else if (len && !memchr(dot + 1, '.', len))
		*ret_model = g_strndup(dot + 1, len);
	else
		return FALSE;
	*ret_provider = g_strndup(key, dot - key);
	*ret_field = last + 1;
	return TRUE;
}

static gint64 *field_of(SpkPrice *price, const char *name)
{
	return !strcmp(name, "input")	      ? &price->input
	       : !strcmp(name, "cached")      ? &price->cached
	       : !strcmp(name, "cache_write") ? &price->cache_write
	       : !strcmp(name, "output")      ? &price->output
					      : NULL;
}

static SpkPrice *row_of(GPtrArray *rows, const char *provider, const char *model)
{
	SpkPrice *price;

	for (guint i = 0; i < rows->len; i++) {
		price = rows->pdata[i];
		if (!strcmp(price->provider, provider) && !strcmp(price->model, model))
			return price;
	}
	price = g_new0(SpkPrice, 1);
	*price = (SpkPrice){
		g_strdup(provider), g_strdup(model), -1, -1, -1, -1, NULL, 0
	};
	g_ptr_array_add(rows, price);
	return price;
}

static gboolean read_entry(GPtrArray *rows, const SpkConfEntry *entry, const char *name,
			   GError **error)
{
	g_autofree char *provider = NULL, *model = NULL;
	const char *field;
	SpkPrice *price;
	gint64 *figure;
	double usd;

	if (!split(entry->key, &provider, &model, &field))
		return bad(name, entry, "is no row of prices", error);
	price = row_of(rows, provider, model);
	figure = field_of(price, field);
	if (!figure)
		return bad(name, entry, "is not known", error);
	usd = g_ascii_strtod(entry->text, NULL);
	if ((entry->type != SPK_TOML_INT && entry->type != SPK_TOML_REAL) ||
	    !(usd >= 0 && usd <= PRICE_MAX))
		return bad(name, entry, "must be a number from 0 to 10000", error);
	*figure = llround(usd * 1e6);
	if (!price->line)
		price->line = entry->line;
	return TRUE;
}

/* Rows of `text`, each complete. */
static GPtrArray *read_rows(const char *text, const char *name, GError **error)
{
	g_autoptr(GPtrArray) entries = spk_toml_parse(text, strlen(text), name, error);
	g_autoptr(GPtrArray)
		rows = g_ptr_array_new_with_free_func((GDestroyNotify)price_free);

	for (guint i = 0; entries && i < entries->len; i++)
		if (!read_entry(rows, entries->pdata[i], name, error))
			return NULL;
	for (guint i = 0; entries && i < rows->len; i++) {
		const SpkPrice *price = rows->pdata[i];

		if (price->input >= 0 && price->output >= 0)
			continue;
		spk_error_set(error, SPK_ERR_CONFIG,
			      "give both, in USD for a million tokens",
			      "%s:%u: %s.\"%s\" has no price of %s", name, price->line,
			      price->provider, price->model,
			      price->input < 0 ? "input" : "output");
		return NULL;
	}
	return entries ? g_steal_pointer(&rows) : NULL;
}

/* A row of the user's stands for the whole of the one it replaces. */
static void merge(SpkPrices *prices, const GPtrArray *rows, const char *origin)
{
	for (guint i = 0; i < rows->len; i++) {
		const SpkPrice *from = rows->pdata[i];
		SpkPrice *to = row_of(prices->rows, from->provider, from->model);

		to->input = from->input;
		to->output = from->output;
		to->cached = from->cached < 0 ? from->input : from->cached;
		to->cache_write = from->cache_write < 0 ? from->input : from->cache_write;
		to->origin = origin;
		to->line = origin == prices->path ? from->line : 0;
	}
}

SpkPrices *spk_prices_parse(const char *user, const char *path, GError **error)
{
	g_autoptr(SpkPrices) prices = g_new0(SpkPrices, 1);
	g_autoptr(GPtrArray) ours = NULL, theirs = NULL;

	prices->rows = g_ptr_array_new_with_free_func((GDestroyNotify)price_free);
	prices->path = g_strdup(path);
	ours = read_rows(built_in, "prices.toml (built in)", error);
	if (!ours)
		return NULL;
	merge(prices, ours, "built in");
	if (user) {
		theirs = read_rows(user, path, error);
		if (!theirs)
			return NULL;
		merge(prices, theirs, prices->path);
	}
	return g_steal_pointer(&prices);
}

SpkPrices *spk_prices_load(const char *home, GError **error)
{
	g_autofree char *path = g_build_filename(home, "prices.toml", NULL);
	g_autoptr(GError) failure = NULL;
	gsize len;
	g_autofree char *text = spk_conf_read(path, PRICES_MAX_BYTES, &len, &failure);

	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	return spk_prices_parse(text, path, error);
}

const GPtrArray *spk_prices_rows(const SpkPrices *prices)
{
	return prices->rows;
}

static gboolean fits(const char *pattern, const char *model)
{
	gsize len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, model, len - 1) == 0;
	return strcmp(pattern, model) == 0;
}

/* An exact name beats a beginning of the same length. */
static gsize weight(const char *pattern)
{
	gsize len = strlen(pattern);

	return len && pattern[len - 1] == '*' ? 2 * (len - 1) : 2 * len + 1;
}

const SpkPrice *spk_prices_local(void)
{
	return &free_of_charge;
}

const SpkPrice *spk_prices_find(const SpkPrices *prices, const char *provider,
				const char *model)
{
	const SpkPrice *best = NULL;

	for (guint i = 0; model && i < prices->rows->len; i++) {
		const SpkPrice *price = prices->rows->pdata[i];

		if (!strcmp(price->provider, provider) && fits(price->model, model) &&
		    (!best || weight(price->model) > weight(best->model)))
			best = price;
	}
	return best;
}

const SpkPrice *spk_prices_of(const SpkPrices *prices, const char *provider,
			      const char *model, gboolean local)
{
	const SpkPrice *row = spk_prices_find(prices, provider, model);

	return local && !(row && row->line) ? spk_prices_local() : row;
}

gint64 spk_price_cost(const SpkPrice *price, gint64 input, gint64 output, gint64 cached,
		      gint64 cache_write)
{
	__int128 pico, nano;

	input = MAX(0, input);
	output = MAX(0, output);
	cached = CLAMP(cached, 0, input);
	cache_write = CLAMP(cache_write, 0, input - cached);
	pico = (__int128)(input - cached - cache_write) * price->input +
	       (__int128)cached * price->cached +
	       (__int128)cache_write * price->cache_write +
	       (__int128)output * price->output;
	nano = (pico + 999) / 1000;
	return nano > G_MAXINT64 ? G_MAXINT64 : (gint64)nano;
}

gboolean spk_usd_parse(const char *text, gint64 *ret_nano)
{
	char *end;
	double usd = g_ascii_strtod(text, &end);

	if (end == text || *end || !g_ascii_isdigit(*text) || !(usd >= 0 && usd <= 1e9))
		return FALSE;
	*ret_nano = llround(usd * SPK_NANO_USD);
	return TRUE;
}

char *spk_usd_format(gint64 nano)
{
	return g_strdup_printf(nano && nano < SPK_NANO_USD / 100 ? "$%.6f" : "$%.4f",
			       (double)nano / SPK_NANO_USD);
}
