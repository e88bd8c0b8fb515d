/*
 * What models cost. The table is built in (conf/prices.toml); ~/.sparks/prices.toml goes over
 * it, row by row. Money is in integers: prices in pico-USD a token (USD for a million tokens
 * times 10^6), sums in nano-USD.
 */
#ifndef SPK_CONF_PRICES_H
#define SPK_CONF_PRICES_H

#include <glib.h>

#define SPK_NANO_USD 1000000000 /* one dollar */

typedef struct {
	char *provider, *model; /* the model's name, or its beginning and "*" */
	gint64 input, cached, cache_write, output; /* pico-USD a token; < 0: not given */
	const char *origin; /* "built in", or the path of the user's file */
	guint line;	    /* there; 0: built in */
} SpkPrice;

typedef struct SpkPrices SpkPrices;

/* NULL: CONFIG with file and line, for a row without `input` and `output`, an unknown key or
 * a figure that is not within 0 … 10000. */
SpkPrices *spk_prices_load(const char *home, GError **error);
/* The same of texts: `user` NULL: only the built-in table. */
SpkPrices *spk_prices_parse(const char *user, const char *path, GError **error);
void spk_prices_free(SpkPrices *prices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkPrices, spk_prices_free)
/* The row of 0 that holds, by rule, for scripts and servers of one's own. */
const SpkPrice *spk_prices_local(void);
/* The row that holds, or NULL: the price is not known. */
const SpkPrice *spk_prices_find(const SpkPrices *prices, const char *provider,
				const char *model);
/* The same for a model that may run here (`local`): a row of the user's own wins over the rule
 * that what does costs nothing. */
const SpkPrice *spk_prices_of(const SpkPrices *prices, const char *provider,
			      const char *model, gboolean local);
/* All rows, SpkPrice; borrowed. */
const GPtrArray *spk_prices_rows(const SpkPrices *prices);

/* nano-USD, rounded up; `input` counts all of the request, cached and cache_write are parts of
 * it. Numbers below 0 count as 0; stops at G_MAXINT64. */
gint64 spk_price_cost(const SpkPrice *price, gint64 input, gint64 output, gint64 cached,
		      gint64 cache_write);
/* "1.25" to nano-USD; FALSE unless it is a number from 0 to 1e9. */
gboolean spk_usd_parse(const char *text, gint64 *ret_nano);
/* "$0.0123": four digits, more for less than a cent. */
char *spk_usd_format(gint64 nano);

#endif
