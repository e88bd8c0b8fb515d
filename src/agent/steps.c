/* The two kinds of step a strategy is made of: ask the model, run a tool. */
#include <string.h>

#include "agent/booking_priv.h"
#include "agent/law.h"
#include "agent/purse_priv.h"
#include "agent/recall.h"
#include "agent/run_priv.h"
#include "agent/scan.h"
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
	json_t *json = json_pack("{s:I,s:I,s:I,s:I}", "input", (json_int_t)usage->input,
				 "output", (json_int_t)usage->output, "cached",
				 (json_int_t)usage->cached, "cache_write",
				 (json_int_t)usage->cache_write);

	if (usage->is_charged)
		spk_json_set(json, "charged_nano_usd", json_integer(usage->charged));
	return json;
}

static json_t *reply_to_json(guint turn, const SpkLlmReply *reply)
{
	return json_pack("{s:i,s:o,s:O,s:o,s:o,s:s,s:o,s:f,s:i}", "turn", (int)turn,
			 "text", spk_json_text(reply->text), "tool_calls",
			 reply->tool_calls, "finish", spk_json_text(reply->finish),
			 "model", spk_json_text(reply->model), "provider",
			 reply->who.provider, "usage", usage_to_json(&reply->usage),
			 "seconds", reply->seconds, "attempts", (int)reply->attempts);
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
				   spk_json_int(usage, "cached", -1),
				   spk_json_int(usage, "cache_write", -1),
				   spk_json_int(usage, "charged_nano_usd", 0),
				   json_object_get(usage, "charged_nano_usd") != NULL };
}

/* Whoever failed before the one that the payload tells of. */
static void add_failed(json_t *payload, json_t *take_failed)
{
	if (json_array_size(take_failed))
		spk_json_set(payload, "took_over_from", take_failed);
	else
		json_decref(take_failed);
}

static RunCall main_call(SpkRun *run)
{
	return (RunCall){ .run = run, .purpose = "main", .input = run_next_input(run) };
}

static gboolean record_reply(SpkRun *run, const SpkLlmReply *reply, GError **error)
{
	RunCall call = main_call(run);
	g_autofree char *key = g_strdup_printf("%u", run->turn);
	g_autoptr(json_t) payload = reply_to_json(run->turn, reply);

	add_failed(payload, json_deep_copy(run->failed));
	if (reply->explained)
		spk_json_set(payload, "explained", json_incref(reply->explained));
	if (!run_book_reply(&call, reply, "model.result", payload, error))
		return FALSE;
	run_remember(run, "model.result", key, payload);
	return TRUE;
}

static void count_tokens(SpkRun *run, const SpkLlmReply *reply)
{
	RunCall call = main_call(run);
	SpkUsage usage = run_usage_of(&call, reply);

	run->tokens_in += usage.input;
	run->tokens_out += usage.output;
	run->tokens_cached += usage.cached;
}

gboolean run_save_counts(SpkRun *run, GError **error)
{
	return run_save_fields(run,
			       json_pack("{s:I,s:I,s:I,s:I,s:f}", "steps",
					 (json_int_t)run->turn, "tokens_in",
					 (json_int_t)run->tokens_in, "tokens_out",
					 (json_int_t)run->tokens_out, "tokens_cached",
					 (json_int_t)run->tokens_cached, "seconds",
					 spk_run_seconds(run)),
			       error);
}

static gboolean record_failure(SpkRun *run, const SpkLlmReply *reply,
			       const GError *failure, GError **error)
{
	json_t *earlier = json_deep_copy(run->failed);
	json_t *payload = json_pack("{s:i,s:s,s:o,s:i}", "turn", (int)run->turn, "code",
				    spk_err_info(spk_error_code(failure))->name,
				    "message", spk_json_text(failure->message),
				    "attempts", (int)reply->attempts);

	if (earlier && json_array_size(earlier))
		json_array_remove(earlier, json_array_size(earlier) - 1);
	add_failed(payload, earlier);
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

typedef struct {
	RunCall call;
	json_t *intent; /* until it is on record */
} Asking;

/* The budget first: a call that it has no room for was never meant to be made. */
static gboolean admit(const SpkLlmWho *who, const SpkUsage *spent, gpointer user,
		      GError **error)
{
	Asking *asking = user;
	SpkRun *run = asking->call.run;

	if (!run_reserve(&asking->call, who, spent, error))
		return FALSE;
	return !asking->intent ||
	       spk_run_record(run, "model.intent", run->turn, SPK_EFFECT_IDEMPOTENT,
			      g_steal_pointer(&asking->intent), error);
}

static void note_failed(const SpkLlmWho *who, const SpkUsage *spent, const GError *why,
			gpointer user)
{
	const Asking *asking = user;
	SpkRun *run = asking->call.run;

	run_book_failure(&asking->call, who, spent, why);
	if (why)
		json_array_append_new(run->failed,
				      json_pack("{s:s,s:o,s:s,s:o}", "provider",
						who->provider, "model",
						spk_json_text(who->model), "code",
						spk_err_info(spk_error_code(why))->name,
						"message", spk_json_text(why->message)));
}

static void note_probe(const SpkLlmWho *who, const SpkUsage *usage, gpointer user)
{
	run_book_probe(((const Asking *)user)->call.run, who, usage);
}

static gboolean ask(SpkRun *run, guint attempt, SpkLlmReply *reply, GError **error)
{
	Asking asking = { .call = main_call(run) };
	SpkLlmGate gate = { admit, note_failed, note_probe, &asking };
	/* A play of a chat goes on through all of its turns. */
	SpkLlmRequest request = { .messages = run->messages,
				  .tools = run->tools,
				  .turn = run->answers_before + run->turn,
				  .purpose = "main",
				  .attempt = attempt,
				  .gate = &gate,
				  .vault = run->vault };
	g_autofree char *prefix = spk_llm_prefix_hash(&request);
	g_autoptr(SpkCancel) patience = patience_of(run);
	gboolean ok;

	asking.intent = json_pack("{s:i,s:s,s:I,s:I}", "turn", (int)run->turn, "prefix",
				  prefix, "messages",
				  (json_int_t)json_array_size(run->messages),
				  "tokens_estimate",
				  (json_int_t)spk_llm_estimate_tokens(run->messages));
	json_array_clear(run->failed);
	ok = spk_llm_complete(run->env.llm, &request, run->env.sink, patience, reply,
			      error);
	json_decref(asking.intent);
	return ok;
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
			(void)run_save_counts(run, NULL); /* the time it took */
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
	if (run->turn > run->env.task->steps && !run_save_counts(run, error))
		return FALSE;
	*ret_reply = reply;
	reply = (SpkLlmReply){ 0 };
	return TRUE;
}

/* ---- tools ---- */

void step_tool_clear(StepTool *result)
{
	g_free(result->text);
	g_free(result->tree);
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
			      const SpkToolResult *result, json_t *take_scan,
			      const char *tree, GError **error)
{
	json_t *payload = call_to_json(run, call, index);

	spk_json_set(payload, "ok", json_boolean(result->ok));
	spk_json_set(payload, "text", spk_json_text(result->text));
	spk_json_set(payload, "finished", json_boolean(result->finished));
	if (result->meta)
		spk_json_set(payload, "meta", json_incref(result->meta));
	if (take_scan)
		spk_json_set(payload, "scan", take_scan);
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

/* Milliseconds of the task's time; 0: no limit. */
static gint64 left_ms(SpkRun *run)
{
	gint64 seconds = run_option_int(run, "timeout_secs", "task.timeout_secs");
	double left = (double)seconds - spk_run_seconds(run);

	return seconds ? (gint64)(1000 * MAX(left, 0)) + 1 : 0;
}

static gboolean do_call(SpkRun *run, const json_t *call, guint index, const char *key,
			const SpkTool *tool, LawDone *law, GError **error)
{
	g_autofree char *spill =
		g_build_filename(run->env.home, "spill", run->env.task->id, NULL);
	const SpkToolPurse purse = run_purse(run);
	SpkToolMemory memory;
	SpkToolCtx ctx = {
		.conf = run->env.conf,
		.box = run->env.box,
		.tree = run->env.tree,
		.way = law->way ? law->way : run->env.way,
		.spill_dir = spill,
		.task = run->env.task->id,
		.read_only = run->env.spark->read_only,
		.mounts = run->env.spark->mounts,
		.image = run->env.spark->image,
		.sensitive = (const char *const *)run->sensitive,
		.step = run->step,
		.names = (const char *const *)run->agents->pdata,
		.last_tree = run->last_tree,
		.cli_model = spk_json_str(run->env.task->options, "cli_model"),
		.left_ms = left_ms(run),
		.purse = &purse,
		.vault = run->vault,
		.memory = run_memory_of_call(run, &memory),
	};
	SpkEffect effect = tool ? tool->effect : SPK_EFFECT_PURE;
	const char *arguments = spk_json_str(call, "arguments");
	const char *name = spk_json_str(call, "name");
	json_t *intent = call_to_json(run, call, index);
	g_auto(SpkToolResult) result = { 0 };
	g_autofree char *tree = NULL;
	json_t *scan = NULL; /* record_result() takes it */

	spk_json_set(intent, "arguments", spk_json_text(arguments ? arguments : ""));
	if (law->record)
		spk_json_set(intent, "law", json_incref(law->record));
	if (!run_record(run, "tool.intent", key, effect, intent, error) ||
	    !spk_tool_call(&ctx, (const char *const *)run->names->pdata, name ? name : "",
			   arguments ? arguments : "", run->env.cancel, &result, error))
		return FALSE;
	/* Whatever is in the tree now belongs to this step, also after a failed command. */
	if (tool && tool->writes && !snapshot(run, &tree, error))
		return FALSE;
	return run_law_brought(run, tool, call, law->way, result.brings, error) &&
	       run_scan_result(run, call, &result, &scan, error) &&
	       record_result(run, call, index, key, effect, &result, scan, tree, error);
}

/* Nothing was done; the model is told why. */
static gboolean record_refused(SpkRun *run, const json_t *call, guint index,
			       const char *key, const LawDone *law, GError **error)
{
	json_t *payload = call_to_json(run, call, index);
	const char *arguments = spk_json_str(call, "arguments");

	spk_json_set(payload, "ok", json_false());
	spk_json_set(payload, "text", spk_json_text(law->refusal));
	spk_json_set(payload, "finished", json_false());
	spk_json_set(payload, "arguments", spk_json_text(arguments ? arguments : ""));
	spk_json_set(payload, "law", json_incref(law->record));
	return run_record(run, "tool.result", key, SPK_EFFECT_PURE, payload, error);
}

/* A crash left an intent without result: only calls that may run twice do. */
static gboolean call_live(SpkRun *run, const json_t *call, guint index, const char *key,
			  GError **error)
{
	const char *name = spk_json_str(call, "name");
	const SpkTool *tool = name ? spk_tool_find(name) : NULL;

	g_auto(LawDone) law = { 0 };

	if (!run_go(run, error))
		return FALSE;
	if (tool && !tool->talks && !need_place(run, error))
		return FALSE;
	if (tool && tool->effect == SPK_EFFECT_UNSAFE &&
	    run_recorded(run, "tool.intent", key))
		return record_unknown(run, call, index, key, error);
	if (!run_law_call(run, tool, call, key, &law, error))
		return FALSE;
	if (law.refusal)
		return record_refused(run, call, index, key, &law, error);
	/* a turn of a chat that runs nothing needs none */
	if (tool && tool->effect == SPK_EFFECT_UNSAFE && !spk_setup_run(run, error))
		return FALSE;
	return do_call(run, call, index, key, tool, &law, error);
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
	run_memory_count(run, recorded);
	(void)run_count_cli(run, recorded); /* FALSE: there is nothing to count */
	text = spk_json_str(recorded, "text");
	*ret_result = (StepTool){
		.text = g_strdup(text ? text : ""),
		.tree = g_strdup(spk_json_str(recorded, "tree")),
		.ok = spk_json_bool(recorded, "ok", FALSE),
		.finished = spk_json_bool(recorded, "finished", FALSE),
	};
	return TRUE;
}
