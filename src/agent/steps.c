/* The two kinds of step a strategy is made of: ask the model, run a tool. */
#include <string.h>

#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "store/ledger.h"
#include "tool/tool.h"

#define UNKNOWN_OUTCOME                                                                              \
	"The outcome of this call is not known: sparks was interrupted while it ran. The work tree " \
	"has been set back to what it was before the call. Run it again if it is still needed."

/* ---- model ---- */

static json_t *usage_to_json(const SpkUsage *usage)
{
	return json_pack("{s:I,s:I,s:I}", "input", (json_int_t)usage->input, "output",
			 (json_int_t)usage->output, "cached", (json_int_t)usage->cached);
}

static json_t *reply_to_json(guint turn, const SpkLlmReply *reply, const char *provider)
{
	return json_pack("{s:i,s:o,s:O,s:o,s:o,s:s,s:o,s:f,s:i}", "turn", (int)turn,
			 "text", spk_json_text(reply->text), "tool_calls",
			 reply->tool_calls, "finish", spk_json_text(reply->finish),
			 "model", spk_json_text(reply->model), "provider", provider,
			 "usage", usage_to_json(&reply->usage), "seconds", reply->seconds,
			 "attempts", (int)reply->attempts);
}

static void reply_from_json(const json_t *json, SpkLlmReply *reply)
{
	const json_t *usage = json_object_get(json, "usage");
	json_t *calls = json_object_get(json, "tool_calls");
	const char *text = spk_json_str(json, "text");

	reply->text = g_strdup(text ? text : "");
	reply->tool_calls = json_is_array(calls) ? json_incref(calls) : json_array();
	reply->finish = g_strdup(spk_json_str(json, "finish"));
	reply->model = g_strdup(spk_json_str(json, "model"));
	reply->usage = (SpkUsage){ spk_json_int(usage, "input", -1),
				   spk_json_int(usage, "output", -1),
				   spk_json_int(usage, "cached", -1) };
}

/* ---- the ledger ---- */

typedef struct {
	SpkCall call;
	char *key;
} Booking;

static void booking_clear(Booking *booking)
{
	g_free(booking->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Booking, booking_clear)

static void book(SpkRun *run, const SpkUsage *usage, Booking *ret_booking)
{
	SpkCall *call = &ret_booking->call;
	const SpkPrice *price = run_price(run);

	ret_booking->key = g_strdup_printf("%s/%u", run->env.task->id, run->turn);
	*call = (SpkCall){
		.key = ret_booking->key,
		.task = run->env.task->id,
		.spark = run->env.spark->name,
		.repo = run->env.task->repo,
		.provider = spk_llm_provider(run->env.llm),
		.model = spk_llm_model(run->env.llm),
		.purpose = "main",
		.input = usage->input,
		.output = usage->output,
		.cached = usage->cached,
		.cache_write = usage->cache_write,
		.cost_nano = -1,
	};
	if (price)
		call->cost_nano = spk_price_cost(price, call->input, call->output,
						 call->cached, call->cache_write);
}

static SpkUsage worst_case(SpkRun *run)
{
	gint64 input = spk_llm_estimate_tokens(run->messages) +
		       spk_llm_estimate_tokens(run->tools);
	const SpkPrice *price = run_price(run);

	/* all of it may be written into the cache, which costs more where it costs */
	return (SpkUsage){ input, spk_llm_max_output(run->env.llm), 0,
			   price && price->cache_write > price->input ? input : 0 };
}

static gint64 option_nano(SpkRun *run, const char *name, const char *conf_name)
{
	double usd = spk_conf_real(run->env.conf, conf_name);
	const json_t *own = name ? json_object_get(run->env.task->options, name) : NULL;

	if (json_is_number(own))
		usd = json_number_value(own);
	/* a limit below the least amount is one all the same */
	return usd > 0 ? MAX(1, (gint64)(usd * SPK_NANO_USD + 0.5)) : 0;
}

static gboolean reserve(SpkRun *run, GError **error)
{
	SpkUsage most = worst_case(run);
	SpkBudget budget = {
		.task_nano = option_nano(run, "budget_usd", "budget.task_usd"),
		.day_nano = option_nano(run, NULL, "budget.day_usd"),
		.day_tokens = spk_conf_int(run->env.conf, "budget.day_tokens"),
	};
	g_auto(Booking) booking = { 0 };
	g_autoptr(GError) failure = NULL;

	book(run, &most, &booking);
	if (spk_ledger_reserve(run->env.store, &booking.call, &budget, &failure))
		return TRUE;
	run->at_budget = spk_error_is(failure, SPK_ERR_LIMIT);
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

/* A server that refused or was not reached has taken nothing. What others took is not known:
 * what was sent is booked, apart. */
static void book_failure(SpkRun *run, const GError *failure)
{
	SpkErr code = spk_error_code(failure);
	gboolean nothing = code == SPK_ERR_PROVIDER || code == SPK_ERR_PROVIDER_AUTH ||
			   code == SPK_ERR_RATE_LIMITED || code == SPK_ERR_CONFIG ||
			   code == SPK_ERR_CONTEXT_LENGTH ||
			   code == SPK_ERR_REPLAY_DIFFERS;
	SpkUsage sent = worst_case(run);
	g_auto(Booking) booking = { 0 };
	g_autoptr(GError) error = NULL;

	sent.output = 0;
	book(run, &sent, &booking);
	if (!spk_ledger_fail(run->env.store, booking.key, nothing ? NULL : &booking.call,
			     &error))
		spk_warn("agent", "task %s: a call is not booked: %s", run->env.task->id,
			 error->message);
}

/* The answer and what it cost, both or neither. */
static gboolean record_reply(SpkRun *run, const SpkLlmReply *reply, GError **error)
{
	g_autoptr(json_t)
		payload = reply_to_json(run->turn, reply, spk_llm_provider(run->env.llm));
	SpkUsage usage = reply->usage;
	g_auto(Booking) booking = { 0 };

	if (usage.input < 0)
		usage.input = spk_llm_estimate_tokens(run->messages);
	if (usage.output < 0)
		usage.output = (gint64)(strlen(reply->text) + 3) / 4;
	book(run, &usage, &booking);
	if (!spk_journal_settle(run->env.store, run->env.token, "model.result", payload,
				&booking.call, error))
		return FALSE;
	run_remember(run, "model.result", run->turn, payload);
	return TRUE;
}

/* A server that says nothing of usage is counted by the bytes that went and came. */
static void count_tokens(SpkRun *run, const SpkLlmReply *reply)
{
	gint64 in = reply->usage.input, out = reply->usage.output;

	run->tokens_in += in >= 0 ? in : spk_llm_estimate_tokens(run->messages);
	run->tokens_out += out >= 0 ? out : (gint64)(strlen(reply->text) + 3) / 4;
	run->tokens_cached += MAX(0, reply->usage.cached);
}

static gboolean save_counts(SpkRun *run, GError **error)
{
	gint64 nano;
	g_autoptr(json_t) fields = json_pack("{s:I,s:I,s:I,s:I,s:f}", "steps",
					     (json_int_t)run->turn, "tokens_in",
					     (json_int_t)run->tokens_in, "tokens_out",
					     (json_int_t)run->tokens_out, "tokens_cached",
					     (json_int_t)run->tokens_cached, "seconds",
					     spk_run_seconds(run));

	if (!spk_ledger_task_cost(run->env.store, run->env.task->id, &nano, error))
		return FALSE;
	spk_json_set(fields, "cost_usd",
		     nano < 0 ? json_null() : json_real((double)nano / SPK_NANO_USD));
	return spk_task_update(run->env.store, run->env.task->id, run->env.token, fields,
			       error);
}

static gboolean record_failure(SpkRun *run, const SpkLlmReply *reply,
			       const GError *failure, GError **error)
{
	json_t *payload = json_pack("{s:i,s:s,s:o,s:i}", "turn", (int)run->turn, "code",
				    spk_err_info(spk_error_code(failure))->name,
				    "message", spk_json_text(failure->message),
				    "attempts", (int)reply->attempts);

	return spk_run_record(run, "model.error", run->turn, SPK_EFFECT_PURE, payload,
			      error);
}

/* The task's time may be over in the middle of an answer. */
static SpkCancel *patience_of(SpkRun *run)
{
	SpkCancel *patience = spk_cancel_new(run->env.cancel);
	gint64 seconds = run_option_int(run, "timeout_secs", "task.timeout_secs");
	double left = (double)seconds - spk_run_seconds(run);

	if (seconds)
		spk_cancel_set_deadline(patience, (gint64)(1000 * MAX(left, 0)) + 1);
	return patience;
}

static gboolean ask(SpkRun *run, guint attempt, SpkLlmReply *reply, GError **error)
{
	/* A play of a chat goes on through all of its turns. */
	SpkLlmRequest request = { run->messages, run->tools,
				  run->answers_before + run->turn, "main", attempt };
	g_autofree char *prefix = spk_llm_prefix_hash(&request);
	g_autoptr(SpkCancel) patience = patience_of(run);
	g_autoptr(GError) failure = NULL;
	json_t *intent = json_pack("{s:i,s:s,s:I,s:I}", "turn", (int)run->turn, "prefix",
				   prefix, "messages",
				   (json_int_t)json_array_size(run->messages),
				   "tokens_estimate",
				   (json_int_t)spk_llm_estimate_tokens(run->messages));

	if (!reserve(run, error)) {
		json_decref(intent);
		return FALSE;
	}
	if (!spk_run_record(run, "model.intent", run->turn, SPK_EFFECT_IDEMPOTENT, intent,
			    error))
		return FALSE;
	if (spk_llm_complete(run->env.llm, &request, run->env.sink, patience, reply,
			     &failure))
		return TRUE;
	book_failure(run, failure);
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

static gboolean ask_live(SpkRun *run, SpkLlmReply *reply, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (!run_go(run, error) || !run_compact(run, FALSE, error))
		return FALSE;
	if (!ask(run, 0, reply, &failure)) {
		if (spk_error_is(failure, SPK_ERR_CONTEXT_LENGTH)) {
			g_clear_error(&failure);
			if (!run_compact(run, TRUE, error))
				return FALSE;
			(void)ask(run, 1, reply, &failure); /* seen below */
		}
		if (failure) {
			/* The first failure is the one to report, also when the record fails. */
			(void)record_failure(run, reply, failure, NULL);
			(void)save_counts(run, NULL); /* the time it took */
			g_propagate_error(error, g_steal_pointer(&failure));
			return FALSE;
		}
	}
	return record_reply(run, reply, error);
}

gboolean spk_step_model(SpkRun *run, SpkLlmReply *ret_reply, GError **error)
{
	const json_t *recorded = spk_run_recorded(run, "model.result", run->turn);
	g_auto(SpkLlmReply) reply = { 0 };

	if (recorded) {
		run_compact_recorded(run);
		reply_from_json(recorded, &reply);
	} else if (!ask_live(run, &reply, error)) {
		return FALSE;
	}
	count_tokens(run, &reply);
	run->turn++;
	/* an answer on record may have been the last thing an earlier holder did */
	if (run->turn > run->env.task->steps && !save_counts(run, error))
		return FALSE;
	*ret_reply = reply;
	reply = (SpkLlmReply){ 0 };
	return TRUE;
}

/* ---- tools ---- */

void step_tool_clear(StepTool *result)
{
	g_free(result->text);
	*result = (StepTool){ 0 };
}

static json_t *call_to_json(SpkRun *run, const json_t *call, guint index)
{
	return json_pack("{s:i,s:i,s:o,s:o}", "turn", (int)run->turn - 1, "index",
			 (int)index, "id", spk_json_text(spk_json_str(call, "id")),
			 "name", spk_json_text(spk_json_str(call, "name")));
}

static gboolean record_result(SpkRun *run, const json_t *call, guint index,
			      const char *key, SpkEffect effect,
			      const SpkToolResult *result, const char *tree,
			      GError **error)
{
	json_t *payload = call_to_json(run, call, index);

	spk_json_set(payload, "ok", json_boolean(result->ok));
	spk_json_set(payload, "text", spk_json_text(result->text));
	spk_json_set(payload, "finished", json_boolean(result->finished));
	if (result->meta)
		spk_json_set(payload, "meta", json_incref(result->meta));
	if (tree)
		spk_json_set(payload, "tree", json_string(tree));
	return run_record(run, "tool.result", key, effect, payload, error);
}

static gboolean record_unknown(SpkRun *run, const json_t *call, guint index,
			       const char *key, GError **error)
{
	json_t *payload = call_to_json(run, call, index);

	spk_json_set(payload, "ok", json_false());
	spk_json_set(payload, "text", json_string(UNKNOWN_OUTCOME));
	spk_json_set(payload, "finished", json_false());
	spk_json_set(payload, "unknown", json_true());
	return run_record(run, "tool.result", key, SPK_EFFECT_PURE, payload, error);
}

/* The new tree in *ret_tree when the call changed something, else NULL. */
static gboolean snapshot(SpkRun *run, char **ret_tree, GError **error)
{
	char *tree = spk_tree_snapshot(run->env.tree, run->step, run->env.cancel, error);

	*ret_tree = NULL;
	if (!tree)
		return FALSE;
	if (!strcmp(tree, run->last_tree)) {
		g_free(tree);
		return TRUE;
	}
	g_free(run->last_tree);
	run->last_tree = tree;
	*ret_tree = g_strdup(tree);
	return TRUE;
}

/* The checks are looked for while the copy is untouched. */
static gboolean need_place(SpkRun *run, GError **error)
{
	g_auto(GStrv) checks = run_place(run, error) ? spk_verify_checks(run, error)
						     : NULL;

	return checks != NULL;
}

static gboolean do_call(SpkRun *run, const json_t *call, guint index, const char *key,
			const SpkTool *tool, GError **error)
{
	g_autofree char *spill =
		g_build_filename(run->env.home, "spill", run->env.task->id, NULL);
	SpkToolCtx ctx = {
		.conf = run->env.conf,
		.box = run->env.box,
		.tree = run->env.tree,
		.spill_dir = spill,
		.task = run->env.task->id,
		.read_only = run->env.spark->read_only,
		.step = run->step,
	};
	SpkEffect effect = tool ? tool->effect : SPK_EFFECT_PURE;
	const char *arguments = spk_json_str(call, "arguments");
	const char *name = spk_json_str(call, "name");
	json_t *intent = call_to_json(run, call, index);
	g_auto(SpkToolResult) result = { 0 };
	g_autofree char *tree = NULL;

	spk_json_set(intent, "arguments", spk_json_text(arguments ? arguments : ""));
	if (!run_record(run, "tool.intent", key, effect, intent, error) ||
	    !spk_tool_call(&ctx, run->env.spark->tools, name ? name : "",
			   arguments ? arguments : "", run->env.cancel, &result, error))
		return FALSE;
	/* Whatever is in the tree now belongs to this step, also after a failed command. */
	if (tool && tool->writes && !snapshot(run, &tree, error))
		return FALSE;
	return record_result(run, call, index, key, effect, &result, tree, error);
}

/* A crash left an intent without result: only calls that may run twice do. */
static gboolean call_live(SpkRun *run, const json_t *call, guint index, const char *key,
			  GError **error)
{
	const char *name = spk_json_str(call, "name");
	const SpkTool *tool = name ? spk_tool_find(name) : NULL;

	if (!run_go(run, error))
		return FALSE;
	if (tool && !tool->talks && !need_place(run, error))
		return FALSE;
	if (tool && tool->effect == SPK_EFFECT_UNSAFE &&
	    run_recorded(run, "tool.intent", key))
		return record_unknown(run, call, index, key, error);
	return do_call(run, call, index, key, tool, error);
}

gboolean spk_step_tool(SpkRun *run, const json_t *call, guint index, StepTool *ret_result,
		       GError **error)
{
	g_autofree char *key = g_strdup_printf("%u/%u", run->turn - 1, index);
	const json_t *recorded;
	const char *text;

	run->step++;
	if (!run_recorded(run, "tool.result", key) &&
	    !call_live(run, call, index, key, error))
		return FALSE;
	recorded = run_recorded(run, "tool.result", key);
	text = spk_json_str(recorded, "text");
	*ret_result = (StepTool){
		.text = g_strdup(text ? text : ""),
		.ok = spk_json_bool(recorded, "ok", FALSE),
		.finished = spk_json_bool(recorded, "finished", FALSE),
	};
	return TRUE;
}
