/*
 * What agent programs in the box spend (tool/cli.c) is held to the budgets and booked like calls
 * of our own model. What they take is what they say: see docs/adr/0024-agent-programs.md.
 */
#include "agent/purse_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "store/ledger.h"

/* A budget that other tasks have a share of put aside may have room for part of what is left. */
#define HALVINGS 6

static gboolean has_prices(SpkRun *run, GError **error)
{
	if (!run->prices)
		run->prices = spk_prices_load(run->env.home, error);
	return run->prices != NULL;
}

static const SpkPrice *price_of(SpkRun *run, const SpkToolBill *bill)
{
	return spk_prices_of(run->prices, bill->provider, bill->model, FALSE);
}

static char *key_of(const SpkRun *run, const SpkToolBill *bill)
{
	return g_strdup_printf("%s/%u/%s/%" G_GINT64_FORMAT "/%u", run->env.task->id,
			       run->turn, bill->purpose, run->step, bill->number);
}

static SpkCall call_of(const SpkRun *run, const SpkToolBill *bill, const char *key)
{
	return (SpkCall){
		.key = key,
		.task = run->env.task->id,
		.spark = run->env.spark->name,
		.repo = run->env.task->repo,
		.provider = bill->provider,
		.model = bill->model,
		.purpose = bill->purpose,
		.input = bill->input,
		.output = bill->output,
		.cached = bill->cached,
		.cache_write = bill->cache_write,
		.cost_nano = -1,
	};
}

/* ---- before ---- */

/* What budgets have left; 0: no limit, < 0: nothing is. */
typedef struct {
	gint64 nano, tokens;
} Left;

static gint64 less(gint64 limit, gint64 taken)
{
	gint64 left = limit - taken;

	return left > 0 ? left : -1;
}

static gint64 nearer(gint64 one, gint64 other)
{
	if (!one || !other)
		return one ? one : other;
	return MIN(one, other);
}

static gboolean today(SpkRun *run, gint64 *ret_nano, gint64 *ret_tokens, GError **error)
{
	g_autoptr(GPtrArray) rows =
		spk_ledger_sum(run->env.store, NULL, spk_ledger_today(), NULL, error);

	*ret_nano = *ret_tokens = 0;
	if (!rows)
		return FALSE;
	for (guint i = 0; i < rows->len; i++) {
		const SpkCostRow *row = rows->pdata[i];

		*ret_nano += row->cost_nano;
		*ret_tokens += row->input + row->output;
	}
	return TRUE;
}

static gboolean find_left(SpkRun *run, const SpkBudget *budget, Left *left,
			  GError **error)
{
	gint64 most = run_option_int(run, "max_tokens", "task.max_tokens");
	gint64 nano = 0, day_nano, day_tokens;
	double run_usd = spk_conf_real(run->env.conf, "cli.run_usd");

	*left = (Left){ 0 };
	if (!today(run, &day_nano, &day_tokens, error) ||
	    !spk_ledger_task_cost(run->env.store, run->env.task->id, &nano, error))
		return FALSE;
	if (budget->task_nano)
		left->nano = less(budget->task_nano, MAX(nano, 0));
	if (budget->day_nano)
		left->nano = nearer(left->nano, less(budget->day_nano, day_nano));
	if (run_usd > 0)
		left->nano = nearer(left->nano,
				    MAX(1, (gint64)(run_usd * SPK_NANO_USD + 0.5)));
	if (most)
		left->tokens = less(most, run->tokens_in + run->tokens_out);
	if (budget->day_tokens)
		left->tokens = nearer(left->tokens, less(budget->day_tokens, day_tokens));
	return TRUE;
}

static gboolean at_budget(SpkRun *run, const char *what, GError **error)
{
	run->at_budget = TRUE;
	spk_error_set(error, SPK_ERR_LIMIT,
		      "sparks tasks resume ID --budget-usd N, or --max-tokens N", "%s",
		      what);
	return FALSE;
}

/* All that is left, or half of it, a quarter, ...: *left becomes what could be put aside. */
static gboolean reserve(SpkRun *run, const SpkToolBill *bill, const SpkBudget *budget,
			Left *left, GError **error)
{
	g_autofree char *key = key_of(run, bill);
	SpkCall call = call_of(run, bill, key);

	for (guint i = 0;; i++) {
		g_autoptr(GError) failure = NULL;

		call.cost_nano = left->nano;
		call.input = budget->day_tokens ? left->tokens : 0;
		call.output = call.cached = call.cache_write = 0;
		if (spk_ledger_reserve(run->env.store, &call, budget, &failure))
			return TRUE;
		if (i == HALVINGS || !spk_error_is(failure, SPK_ERR_LIMIT)) {
			run->at_budget = spk_error_is(failure, SPK_ERR_LIMIT);
			g_propagate_error(error, g_steal_pointer(&failure));
			return FALSE;
		}
		left->nano = left->nano ? MAX(1, left->nano / 2) : 0;
		left->tokens = left->tokens ? MAX(1, left->tokens / 2) : 0;
	}
}

static gboolean purse_open(const SpkToolBill *bill, gboolean knows_usd,
			   gint64 *ret_tokens, double *ret_usd, gpointer user,
			   GError **error)
{
	SpkRun *run = user;
	SpkBudget budget = run_budget(run);
	Left left;

	if (!has_prices(run, error) || !find_left(run, &budget, &left, error))
		return FALSE;
	if (left.nano < 0 || left.tokens < 0)
		return at_budget(run,
				 left.nano < 0 ? "the budget is used up"
					       : "the tokens are used up",
				 error);
	if (left.nano && !knows_usd && !price_of(run, bill)) {
		spk_error_set(error, SPK_ERR_LIMIT,
			      "put it into ~/.sparks/prices.toml, or take the budget "
			      "away",
			      "a budget is in dollars, and the price of %s:%s, which %s "
			      "would use, is not known",
			      bill->provider, bill->model, bill->purpose);
		run->at_budget = TRUE;
		return FALSE;
	}
	if (!reserve(run, bill, &budget, &left, error))
		return FALSE;
	*ret_tokens = left.tokens;
	*ret_usd = (double)left.nano / SPK_NANO_USD;
	return TRUE;
}

/* ---- while it runs, and after ---- */

/* nano-USD; < 0: not known. */
static gint64 nano_of(SpkRun *run, const SpkToolBill *bill)
{
	const SpkPrice *price = price_of(run, bill);

	if (bill->usd >= 0)
		return (gint64)(bill->usd * SPK_NANO_USD + 0.5);
	if (price)
		return spk_price_cost(price, bill->input, bill->output, bill->cached,
				      bill->cache_write);
	/* nothing was asked of anybody, so there is nothing that would have a price */
	return bill->input || bill->output ? -1 : 0;
}

static double purse_cost(const SpkToolBill *bill, gpointer user)
{
	gint64 nano = nano_of(user, bill);

	return nano < 0 ? -1 : (double)nano / SPK_NANO_USD;
}

static void purse_fail(const SpkToolBill *bill, gpointer user)
{
	SpkRun *run = user;
	g_autofree char *key = key_of(run, bill);
	SpkCall call = call_of(run, bill, key);
	g_autoptr(GError) error = NULL;
	gboolean nothing = !bill->input && !bill->output && bill->usd <= 0;

	call.cost_nano = nano_of(run, bill);
	if (!spk_ledger_fail(run->env.store, key, nothing ? NULL : &call, &error))
		spk_warn("agent", "task %s: a run of %s is not booked: %s",
			 run->env.task->id, bill->purpose, error->message);
}

static gboolean purse_close(const SpkToolBill *bill, const json_t *envelope,
			    gpointer user, GError **error)
{
	SpkRun *run = user;
	g_autofree char *key = key_of(run, bill);
	SpkCall call = call_of(run, bill, key);
	g_autoptr(json_t) payload = json_deep_copy(envelope);

	call.cost_nano = nano_of(run, bill);
	return spk_journal_settle(run->env.store, run->env.token, "cli", payload, &call,
				  error);
}

SpkToolPurse run_purse(SpkRun *run)
{
	return (SpkToolPurse){ purse_open, purse_close, purse_fail, purse_cost, run };
}

/* ---- on record ---- */

static void count_one(SpkRun *run, const json_t *envelope)
{
	const json_t *usage = json_object_get(envelope, "usage");

	run->tokens_in += spk_json_int(usage, "input", 0);
	run->tokens_out += spk_json_int(usage, "output", 0);
	run->tokens_cached += spk_json_int(usage, "cached", 0);
}

gboolean run_count_cli(SpkRun *run, const json_t *result)
{
	const json_t *meta = json_object_get(result, "meta"), *earlier;
	const json_t *envelope = json_object_get(meta, "cli");
	gsize i;

	if (!envelope)
		return FALSE;
	json_array_foreach(json_object_get(meta, "earlier"), i, earlier)
		count_one(run, earlier);
	count_one(run, envelope);
	return TRUE;
}
