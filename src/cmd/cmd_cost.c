/* `sparks cost`: what was spent, out of the ledger; `sparks cost prices`: what is known of prices. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "conf/prices.h"
#include "store/ledger.h"

#define DAY_SECS 86400

/* "7d" counts today; "2026-01-31" is the first day. */
static gboolean parse_since(const char *text, gint64 *ret_day, GError **error)
{
	int year, month, mday, used = 0;
	gint64 days;
	char *end;

	*ret_day = 0;
	if (!text)
		return TRUE;
	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &mday, &used) == 3 &&
	    !text[used] && year >= 1970 && g_date_valid_dmy(mday, month, year)) {
		g_autoptr(GDateTime)
			date = g_date_time_new_utc(year, month, mday, 0, 0, 0);

		*ret_day = g_date_time_to_unix(date) / DAY_SECS;
		return TRUE;
	}
	days = g_ascii_strtoll(text, &end, 10);
	if (g_ascii_isdigit(*text) && !strcmp(end, "d") && days >= 1 && days <= 36500) {
		*ret_day = spk_ledger_today() - days + 1;
		return TRUE;
	}
	spk_error_set(error, SPK_ERR_USAGE,
		      "a date like 2026-01-31 (UTC), or days like 7d",
		      "--since \"%s\" is not a time", text);
	return FALSE;
}

static char *name_of(const SpkCostRow *row, const char *by)
{
	g_autoptr(GDateTime) date = NULL;

	if (g_strcmp0(by, "day") != 0)
		return g_strdup(*row->name ? row->name : "(none)");
	date = g_date_time_new_from_unix_utc(g_ascii_strtoll(row->name, NULL, 10) *
					     DAY_SECS);
	return g_date_time_format(date, "%Y-%m-%d");
}

/* ---- JSON ---- */

static json_t *usd(gint64 nano)
{
	return json_real((double)nano / SPK_NANO_USD);
}

static json_t *row_to_json(const SpkCostRow *row)
{
	return json_pack("{s:I,s:o,s:{s:I,s:I,s:I,s:I},s:{s:I,s:I},s:{s:I,s:o}}", "calls",
			 (json_int_t)row->calls, "cost_usd", usd(row->cost_nano),
			 "tokens", "input", (json_int_t)row->input, "output",
			 (json_int_t)row->output, "cached", (json_int_t)row->cached,
			 "cache_write", (json_int_t)row->cache_write, "unknown_price",
			 "calls", (json_int_t)row->unknown_calls, "tokens",
			 (json_int_t)row->unknown_tokens, "unsettled", "calls",
			 (json_int_t)row->unsettled_calls, "cost_usd",
			 usd(row->unsettled_nano));
}

/* ---- words ---- */

static void print_row(const SpkCostRow *row, const char *name)
{
	g_autofree char *cost = spk_usd_format(row->cost_nano);

	printf("%12s  %8" G_GINT64_FORMAT " calls  %12" G_GINT64_FORMAT
	       " in  %10" G_GINT64_FORMAT " out  %s",
	       cost, row->calls, row->input, row->output, name);
	if (row->unknown_calls)
		printf("  (unknown price: %" G_GINT64_FORMAT " calls, %" G_GINT64_FORMAT
		       " tokens)",
		       row->unknown_calls, row->unknown_tokens);
	if (row->unsettled_calls)
		printf("  (unsettled: %" G_GINT64_FORMAT " failed calls, estimated)",
		       row->unsettled_calls);
	putchar('\n');
}

/* ---- what is left of the day ---- */

static gboolean left_today(const SpkConf *conf, SpkStore *store, json_t **ret_left,
			   GError **error)
{
	double limit = spk_conf_real(conf, "budget.day_usd");
	gint64 tokens = spk_conf_int(conf, "budget.day_tokens");
	g_autoptr(GPtrArray)
		rows = spk_ledger_sum(store, NULL, spk_ledger_today(), NULL, error);
	const SpkCostRow *row;

	if (!rows)
		return FALSE;
	row = rows->pdata[0];
	*ret_left = json_pack(
		"{s:o,s:o}", "usd",
		limit > 0
			? json_real(MAX(0, limit - (double)row->cost_nano / SPK_NANO_USD))
			: json_null(),
		"tokens",
		tokens ? json_integer(MAX(0, tokens - row->input - row->output))
		       : json_null());
	return TRUE;
}

static void print_left(const json_t *left)
{
	const json_t *money = json_object_get(left, "usd");
	const json_t *tokens = json_object_get(left, "tokens");

	if (json_is_real(money))
		printf("left today: $%.4f\n", json_real_value(money));
	if (json_is_integer(tokens))
		printf("left today: %" JSON_INTEGER_FORMAT " tokens\n",
		       json_integer_value(tokens));
}

static void print_all(const GPtrArray *rows, const SpkCostRow *total, const char *by,
		      const json_t *left, gboolean json)
{
	g_autoptr(json_t) list = json_array();
	g_autoptr(json_t) all = NULL;

	for (guint i = 0; rows && i < rows->len; i++) {
		g_autofree char *name = name_of(rows->pdata[i], by);
		json_t *object;

		if (!json) {
			print_row(rows->pdata[i], name);
			continue;
		}
		object = row_to_json(rows->pdata[i]);
		spk_json_set(object, "name", spk_json_text(name));
		json_array_append_new(list, object);
	}
	if (!json) {
		print_row(total, "in all");
		print_left(left);
		return;
	}
	all = json_pack("{s:o,s:o,s:O,s:O}", "by", by ? json_string(by) : json_null(),
			"total", row_to_json(total), "rows", list, "left_today", left);
	spk_cmd_print_json(all);
}

static int print_prices(const SpkArgs *args, const char *model)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) list = json_array();
	g_autofree char *home = spk_fs_home(&error);
	g_autoptr(SpkPrices) prices = home ? spk_prices_load(home, &error) : NULL;
	const GPtrArray *rows;

	if (!prices)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	rows = spk_prices_rows(prices);
	for (guint i = 0; i < rows->len; i++) {
		const SpkPrice *p = rows->pdata[i];

		if (model && spk_prices_find(prices, p->provider, model) != p)
			continue;
		json_array_append_new(list, json_pack("{s:s,s:s,s:f,s:f,s:f,s:f,s:s,s:i}",
						      "provider", p->provider, "model",
						      p->model, "input", p->input / 1e6,
						      "cached", p->cached / 1e6,
						      "cache_write", p->cache_write / 1e6,
						      "output", p->output / 1e6, "origin",
						      p->origin, "line", (int)p->line));
		if (!json)
			printf("%-10s %-24s %8.3f in %8.3f cached %8.3f written %8.3f out"
			       "  %s\n",
			       p->provider, p->model, p->input / 1e6, p->cached / 1e6,
			       p->cache_write / 1e6, p->output / 1e6, p->origin);
	}
	if (json)
		spk_cmd_print_json(list);
	else if (model && !json_array_size(list))
		fprintf(stderr, "the price of %s is not known\n", model);
	if (!json)
		fputs("USD for a million tokens; scripts and servers of your own cost "
		      "nothing\n",
		      stderr);
	return 0;
}

static int run(const SpkArgs *args)
{
	const char *const *rest = spk_args_rest(args);
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) rows = NULL, total = NULL;
	g_autoptr(json_t) left = NULL;
	g_autoptr(GError) error = NULL;
	const char *by = spk_args_str(args, "by");
	gboolean json = spk_args_flag(args, "json");
	gint64 since;
	int code;

	if (rest[0] && !strcmp(rest[0], "prices"))
		return print_prices(args, rest[1]);
	if (rest[0])
		spk_error_set(&error, SPK_ERR_USAGE, "sparks cost, or sparks cost prices",
			      "\"%s\" is not known here", rest[0]);
	if (error || !parse_since(spk_args_str(args, "since"), &since, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!spk_session_open(&session, args, json, &code))
		return code;
	total = spk_ledger_sum(session.store, NULL, since, NULL, &error);
	if (total && by)
		rows = spk_ledger_sum(session.store, by, since, NULL, &error);
	if (error || !left_today(session.conf, session.store, &left, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	print_all(rows, total->pdata[0], by, left, json);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "by", .type = SPK_CMD_STRING, .value = "WHAT",
	  .choices = "task|spark|repo|model|provider|day",
	  .sentence = "one line for each task, spark, …" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON object on stdout" },
	{ "since", .type = SPK_CMD_STRING, .value = "WHEN",
	  .sentence = "from this day on (UTC): 2026-01-31, or 7d" },
	{ NULL },
};

const SpkCmd spk_cmd_cost = {
	.name = "cost",
	.usage = "[prices [MODEL]]",
	.summary = "Show what models have cost, or the table of prices.",
	.example = "sparks cost --since 7d --by model\nsparks cost prices",
	.options = options,
	.max_args = 2,
	.run = run,
};
