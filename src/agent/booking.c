#include "agent/booking_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "store/ledger.h"

typedef struct {
	SpkCall call;
	char *key;
} Booking;

static void booking_clear(Booking *booking)
{
	g_free(booking->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Booking, booking_clear)

static const SpkPrice *price_of(SpkRun *run, const SpkLlmWho *who)
{
	return spk_prices_of(run->prices, who->provider, who->model, who->local);
}

/* Said once for each model of a run. */
static void note_unpriced(SpkRun *run, const SpkCall *call)
{
	g_autofree char *name = NULL;

	if (call->cost_nano >= 0)
		return;
	name = g_strdup_printf("%s:%s", call->provider, call->model);
	if (g_hash_table_add(run->unpriced, g_strdup(name)))
		spk_warn("agent",
			 "the price of %s is not known, so the cost of task %s is not "
			 "either; put it into ~/.sparks/prices.toml",
			 name, run->env.task->id);
}

/* "TASK/TURN", or "TASK/TURN/summary/NUMBER": a turn may need more than one. */
static char *key_of(const RunCall *made)
{
	const SpkRun *run = made->run;

	if (!strcmp(made->purpose, "main"))
		return g_strdup_printf("%s/%u", run->env.task->id, run->turn);
	return g_strdup_printf("%s/%u/%s/%u", run->env.task->id, run->turn, made->purpose,
			       made->number);
}

static void fill(const RunCall *made, const SpkLlmWho *who, const SpkUsage *usage,
		 Booking *ret_booking)
{
	SpkRun *run = made->run;
	SpkCall *call = &ret_booking->call;
	const SpkPrice *price = usage->is_charged ? NULL : price_of(run, who);

	ret_booking->key = key_of(made);
	*call = (SpkCall){
		.key = ret_booking->key,
		.task = run->env.task->id,
		.spark = run->env.spark->name,
		.repo = run->env.task->repo,
		.provider = who->provider,
		.model = who->model,
		.purpose = made->purpose,
		.input = usage->input,
		.output = usage->output,
		.cached = usage->cached,
		.cache_write = usage->cache_write,
		.cost_nano = usage->is_charged ? usage->charged : -1,
	};
	if (price)
		call->cost_nano = spk_price_cost(price, call->input, call->output,
						 call->cached, call->cache_write);
}

static SpkUsage more_than(const SpkUsage *spent, gint64 input, gint64 output)
{
	return (SpkUsage){ .input = spent->input + input,
			   .output = spent->output + output,
			   .cached = spent->cached,
			   .cache_write = spent->cache_write };
}

gint64 run_next_input(SpkRun *run)
{
	return spk_llm_estimate_tokens(run->messages) +
	       spk_llm_estimate_tokens(run->tools);
}

/* ---- before ---- */

static gint64 option_nano(SpkRun *run, const char *name, const char *conf_name)
{
	double usd = spk_conf_real(run->env.conf, conf_name);
	const json_t *own = name ? json_object_get(run->env.task->options, name) : NULL;

	if (json_is_number(own))
		usd = json_number_value(own);
	/* a limit below the least amount is one all the same */
	return usd > 0 ? MAX(1, (gint64)(usd * SPK_NANO_USD + 0.5)) : 0;
}

SpkBudget run_budget(SpkRun *run)
{
	return (SpkBudget){
		.task_nano = option_nano(run, "budget_usd", "budget.task_usd"),
		.day_nano = option_nano(run, NULL, "budget.day_usd"),
		.day_tokens = spk_conf_int(run->env.conf, "budget.day_tokens"),
	};
}

gboolean run_reserve(const RunCall *call, const SpkLlmWho *who, const SpkUsage *spent,
		     GError **error)
{
	SpkRun *run = call->run;
	const SpkPrice *price = price_of(run, who);
	SpkUsage most = more_than(spent, call->input, who->max_output);
	SpkBudget budget = run_budget(run);
	g_auto(Booking) booking = { 0 };
	g_autoptr(GError) failure = NULL;

	/* all of it may be written into the cache, which costs more where it costs */
	if (price && price->cache_write > price->input)
		most.cache_write += call->input;
	fill(call, who, &most, &booking);
	if (spk_ledger_reserve(run->env.store, &booking.call, &budget, &failure))
		return TRUE;
	run->at_budget = spk_error_is(failure, SPK_ERR_LIMIT);
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

/* ---- after ---- */

/* A server that refused or was not reached has taken nothing. */
static gboolean has_taken(const GError *why)
{
	static const SpkErr nothing[] = { SPK_ERR_PROVIDER,	 SPK_ERR_PROVIDER_AUTH,
					  SPK_ERR_REQUEST,	 SPK_ERR_RATE_LIMITED,
					  SPK_ERR_CONFIG,	 SPK_ERR_CONTEXT_LENGTH,
					  SPK_ERR_REPLAY_DIFFERS };

	for (gsize i = 0; why && i < G_N_ELEMENTS(nothing); i++)
		if (spk_error_is(why, nothing[i]))
			return FALSE;
	return why != NULL;
}

/* What others took is not known: what was sent is booked, apart. */
void run_book_failure(const RunCall *call, const SpkLlmWho *who, const SpkUsage *spent,
		      const GError *why)
{
	SpkRun *run = call->run;
	SpkUsage usage = more_than(spent, has_taken(why) ? call->input : 0, 0);
	gboolean nothing = !usage.input && !usage.output;
	g_auto(Booking) booking = { 0 };
	g_autoptr(GError) error = NULL;

	fill(call, who, &usage, &booking);
	if (!nothing)
		note_unpriced(run, &booking.call);
	if (!spk_ledger_fail(run->env.store, booking.key, nothing ? NULL : &booking.call,
			     &error))
		spk_warn("agent", "task %s: a call is not booked: %s", run->env.task->id,
			 error->message);
}

void run_book_probe(SpkRun *run, const SpkLlmWho *who, const SpkUsage *usage)
{
	RunCall call = { .run = run, .purpose = "probe" };
	g_autofree char *id = spk_id_new();
	g_auto(Booking) booking = { 0 };
	g_autoptr(GError) error = NULL;

	fill(&call, who, usage, &booking);
	/* a task that is taken up may have to find it out again */
	g_free(booking.key);
	booking.key = g_strdup_printf("%s/%u/probe/%s", run->env.task->id, run->turn, id);
	booking.call.key = booking.key;
	if (!spk_ledger_settle(run->env.store, &booking.call, &error))
		spk_warn("agent", "task %s: a call is not booked: %s", run->env.task->id,
			 error->message);
}

SpkUsage run_usage_of(const RunCall *call, const SpkLlmReply *reply)
{
	SpkUsage usage = reply->usage;

	if (usage.input < 0)
		usage.input = call->input;
	if (usage.output < 0)
		usage.output = (gint64)(strlen(reply->text) + 3) / 4;
	usage.cached = MAX(0, usage.cached);
	usage.cache_write = MAX(0, usage.cache_write);
	return usage;
}

gboolean run_book_reply(const RunCall *call, const SpkLlmReply *reply, const char *kind,
			json_t *payload, GError **error)
{
	SpkRun *run = call->run;
	SpkUsage usage = run_usage_of(call, reply);
	g_auto(Booking) booking = { 0 };

	fill(call, &reply->who, &usage, &booking);
	note_unpriced(run, &booking.call);
	return spk_journal_settle(run->env.store, run->env.token, kind, payload,
				  &booking.call, error);
}

gboolean run_save_fields(SpkRun *run, json_t *take_fields, GError **error)
{
	g_autoptr(json_t) fields = take_fields;
	gint64 nano;

	if (!spk_ledger_task_cost(run->env.store, run->env.task->id, &nano, error))
		return FALSE;
	spk_json_set(fields, "cost_usd",
		     nano < 0 ? json_null() : json_real((double)nano / SPK_NANO_USD));
	return spk_task_update(run->env.store, run->env.task->id, run->env.token, fields,
			       error);
}

gboolean run_save_cost(SpkRun *run, GError **error)
{
	return run_save_fields(run, json_object(), error);
}
