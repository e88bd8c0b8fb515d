/* The table of prices: which row holds, how rows go over each other, and the arithmetic. */
#include <string.h>

#include "base/error.h"
#include "conf/prices.h"
#include "test_conf.h"

static SpkPrices *parse_ok(const char *user)
{
	g_autoptr(GError) error = NULL;
	SpkPrices *prices = spk_prices_parse(user, "mine.toml", &error);

	if (!prices)
		print_error("%s\n", error->message);
	assert_non_null(prices);
	return prices;
}

static gint64 input_of(const SpkPrices *prices, const char *model)
{
	const SpkPrice *price = spk_prices_find(prices, "x", model);

	return price ? price->input : -1;
}

static void test_the_longest_fit_counts(void **state)
{
	g_autoptr(SpkPrices)
		prices = parse_ok("[x.\"*\"]\ninput = 1\noutput = 1\n"
				  "[x.\"gpt-5*\"]\ninput = 2\noutput = 1\n"
				  "[x.\"gpt-5\"]\ninput = 3\noutput = 1\n"
				  "[x.\"gpt-5-mini*\"]\ninput = 4\noutput = 1\n");

	assert_int_equal(input_of(prices, "gpt-5"), 3000000);
	assert_int_equal(input_of(prices, "gpt-5-mini-2026"), 4000000);
	assert_int_equal(input_of(prices, "gpt-5-nano"), 2000000);
	assert_int_equal(input_of(prices, "llama"), 1000000);
	assert_null(spk_prices_find(prices, "y", "gpt-5"));
	assert_null(spk_prices_find(prices, "x", NULL));
}

static void test_rows_of_ones_own(void **state)
{
	g_autoptr(SpkPrices) built_in = parse_ok(NULL);
	const SpkPrice *first = spk_prices_rows(built_in)->pdata[0];
	g_autofree char *text = g_strdup_printf("[%s.\"%s\"]\ninput = 7\noutput = 8\n",
						first->provider, first->model);
	g_autoptr(SpkPrices) mine = parse_ok(text);
	const SpkPrice *row = spk_prices_find(mine, first->provider, first->model);

	/* as a whole: nothing of the built-in row is left */
	assert_int_equal(row->input, 7000000);
	assert_int_equal(row->cached, 7000000);
	assert_int_equal(row->cache_write, 7000000);
	assert_string_equal(row->origin, "mine.toml");
	assert_int_equal(row->line, 2);
	/* and it wins over the rule that what runs here costs nothing, which a built-in doesn't */
	assert_ptr_equal(spk_prices_of(mine, first->provider, first->model, TRUE), row);
	assert_int_equal(
		spk_prices_of(built_in, first->provider, first->model, TRUE)->input, 0);
	assert_null(spk_prices_of(built_in, "nobody", "knows", FALSE));
}

static void test_every_row_is_whole(void **state)
{
	g_autoptr(SpkPrices) prices = parse_ok(NULL);
	const GPtrArray *rows = spk_prices_rows(prices);

	assert_true(rows->len > 10);
	for (guint i = 0; i < rows->len; i++) {
		const SpkPrice *row = rows->pdata[i];

		if (row->input < 0 || row->output < row->input ||
		    row->cached > row->input || row->cache_write < row->input)
			fail_msg("%s %s", row->provider, row->model);
	}
}

static void test_wrong_files(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "[x.m]\ninput = 1\n", "mine.toml:2: x.\"m\" has no price of output" },
		{ "[x.m]\ninput = -1\noutput = 1\n", "mine.toml:2" },
		{ "[x.m]\ninput = 10001\noutput = 1\n",
		  "must be a number from 0 to 10000" },
		{ "[x.m]\ninput = \"1\"\noutput = 1\n", "must be a number" },
		{ "[x.m]\ninput = nan\noutput = 1\n", "must be a number" },
		{ "[x.m]\nimput = 1\noutput = 1\n", "x.m.imput is not known" },
		{ "input = 1\n", "is no row of prices" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(spk_prices_parse(cases[i].text, "mine.toml", &error));
		assert_true(spk_error_is(error, SPK_ERR_CONFIG));
		if (!strstr(error->message, cases[i].words))
			fail_msg("%s: %s", cases[i].text, error->message);
	}
}

static void test_arithmetic(void **state)
{
	const SpkPrice price = { .input = 1250000,
				 .cached = 125000,
				 .cache_write = 1562500,
				 .output = 10000000 };
	static const struct {
		gint64 input, output, cached, cache_write, nano;
	} cases[] = {
		{ 1000000, 0, 0, 0, 1250000000 },
		{ 0, 1000000, 0, 0, 10000000000 },
		{ 1000, 0, 1000, 0, 125000 },
		{ 1000, 0, 400, 600, 50000 + 937500 },
		{ 1, 0, 1, 0, 125 },
		{ 0, 0, 0, 0, 0 },
		{ -5, -5, -5, -5, 0 },
		{ 100, 0, 900, 900,
		  12500 }, /* no more was read from the cache than came */
		{ G_MAXINT64, G_MAXINT64, 0, 0, G_MAXINT64 },
	};
	const SpkPrice least = { .input = 1, .output = 1 };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (spk_price_cost(&price, cases[i].input, cases[i].output,
				   cases[i].cached,
				   cases[i].cache_write) != cases[i].nano)
			fail_msg("case %zu", i);
	assert_int_equal(spk_price_cost(&least, 1, 0, 0, 0), 1); /* rounded up */
}

static void test_dollars(void **state)
{
	static const struct {
		const char *text;
		gint64 nano; /* -1: refused */
	} cases[] = {
		{ "1.25", 1250000000 },
		{ "0", 0 },
		{ "0.000000001", 1 },
		{ "1000000000", G_GINT64_CONSTANT(1000000000000000000) },
		{ "1e3", 1000000000000 },
		{ "-1", -1 },
		{ "+1", -1 },
		{ "", -1 },
		{ "1,5", -1 },
		{ "1 ", -1 },
		{ "inf", -1 },
		{ "nan", -1 },
		{ "$1", -1 },
		{ "1e10", -1 },
	};
	g_autofree char *cents = spk_usd_format(1234567),
			*dollars = spk_usd_format(2500000000);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gint64 nano = -1;
		gboolean ok = spk_usd_parse(cases[i].text, &nano);

		if (ok != (cases[i].nano >= 0) || nano != cases[i].nano)
			fail_msg("\"%s\"", cases[i].text);
	}
	assert_string_equal(cents, "$0.001235");
	assert_string_equal(dollars, "$2.5000");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)
const struct CMUnitTest prices_tests[] = {
	T(test_the_longest_fit_counts),
	T(test_rows_of_ones_own),
	T(test_every_row_is_whole),
	T(test_wrong_files),
	T(test_arithmetic),
	T(test_dollars),
};
const size_t n_prices_tests = G_N_ELEMENTS(prices_tests);
