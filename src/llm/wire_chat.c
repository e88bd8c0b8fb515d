/* OpenAI's chat completions, the wire that nearly all servers have. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "llm/wire_priv.h"

#define MAX_USD 1e6 /* of one answer; more is no cost */

/* ---- requests ---- */

static json_t *format_of(json_t *schema)
{
	return json_pack("{s:s,s:{s:s,s:b,s:O}}", "type", "json_schema", "json_schema",
			 "name", "answer", "strict", 1, "schema", schema);
}

static json_t *chat_body(const SpkWireParams *params, const SpkLlmRequest *request)
{
	json_t *body = json_object();
	const char *limit = params->quirks & SPK_QUIRK_COMPLETION_TOKENS
				    ? "max_completion_tokens"
				    : "max_tokens";

	spk_json_set(body, "model", spk_json_text(params->model));
	if (!(params->quirks & SPK_QUIRK_NO_TEMPERATURE))
		spk_json_set(body, "temperature", json_real(params->temperature));
	if (params->max_tokens > 0)
		spk_json_set(body, limit, json_integer(params->max_tokens));
	if (*params->effort && !(params->quirks & SPK_QUIRK_NO_EFFORT))
		spk_json_set(body, "reasoning_effort", spk_json_text(params->effort));
	spk_json_set(body, "stream", json_true());
	if (!(params->quirks & SPK_QUIRK_NO_STREAM_OPTIONS))
		spk_json_set(body, "stream_options",
			     json_pack("{s:b}", "include_usage", 1));
	if (request->schema)
		spk_json_set(body, "response_format", format_of(request->schema));
	if (json_array_size(request->tools))
		spk_json_set(body, "tools", json_incref(request->tools));
	spk_json_set(body, "messages", json_incref(request->messages));
	return body;
}

/* ---- answers ---- */

/* A string, or a list of parts of which those of text count; null and others: nothing. */
static gboolean take_content(SpkAnswer *answer, const json_t *content, GError **error)
{
	const json_t *part;
	gsize i;

	if (json_is_string(content))
		return spk_answer_add_text(answer, json_string_value(content), error);
	json_array_foreach(content, i, part)
		if (!spk_answer_add_text(answer, spk_json_str(part, "text"), error))
			return FALSE;
	return TRUE;
}

/* OpenRouter's credits are dollars (openrouter.ai/docs, usage accounting). */
static void take_charge(SpkUsage *usage, const json_t *cost)
{
	double usd = json_number_value(cost);

	if (!json_is_number(cost) || !(usd >= 0 && usd <= MAX_USD))
		return;
	usage->charged = (gint64)ceil(usd * 1e9);
	usage->is_charged = TRUE;
}

static void take_usage(SpkAnswer *answer, const json_t *usage)
{
	const json_t *details = json_object_get(usage, "prompt_tokens_details");

	if (!json_is_object(usage))
		return;
	answer->usage.input = spk_answer_count(usage, "prompt_tokens");
	answer->usage.output = spk_answer_count(usage, "completion_tokens");
	answer->usage.cached = spk_answer_count(details, "cached_tokens");
	if (answer->usage.cached < 0) /* DeepSeek */
		answer->usage.cached = spk_answer_count(usage, "prompt_cache_hit_tokens");
	answer->usage.cache_write = spk_answer_count(details, "cache_write_tokens");
	take_charge(&answer->usage, json_object_get(usage, "cost"));
}

/* A delta of a stream, or the message of a whole answer: they have the same members. */
static gboolean take_delta(SpkAnswer *answer, const json_t *delta, GError **error)
{
	const json_t *calls = json_object_get(delta, "tool_calls");

	if (json_array_size(calls))
		spk_answer_note_first(answer);
	return take_content(answer, json_object_get(delta, "content"), error) &&
	       take_content(answer, json_object_get(delta, "refusal"), error) &&
	       spk_calls_add(answer->calls, calls, error);
}

static gboolean take_choice(SpkAnswer *answer, const json_t *choice, GError **error)
{
	const json_t *delta = json_object_get(choice, "delta");

	if (!json_is_object(choice) || spk_json_int(choice, "index", 0) != 0)
		return TRUE; /* only one was asked for */
	answer->began = TRUE;
	if (!json_is_object(delta))
		delta = json_object_get(choice, "message");
	if (!take_delta(answer, delta, error))
		return FALSE;
	spk_answer_set_finish(answer, spk_json_str(choice, "finish_reason"));
	return TRUE;
}

static gboolean chat_take(SpkAnswer *answer, const json_t *chunk, GError **error)
{
	const json_t *fault = json_object_get(chunk, "error"), *choice;
	gsize i;

	if (json_is_object(fault) || json_is_string(fault) ||
	    g_strcmp0(spk_json_str(chunk, "object"), "error") == 0)
		return spk_answer_fail(answer, chunk, error);
	spk_answer_set_model(answer, spk_json_str(chunk, "model"));
	take_usage(answer, json_object_get(chunk, "usage"));
	json_array_foreach(json_object_get(chunk, "choices"), i, choice)
		if (!take_choice(answer, choice, error))
			return FALSE;
	return TRUE;
}

const SpkWire spk_wire_chat = {
	.name = "chat_completions",
	.what = "a chat completions API",
	.root = "/v1",
	.path = "/chat/completions",
	.list = "/models",
	.key_header = "Authorization: Bearer ",
	.can = SPK_CAN_TOOLS | SPK_CAN_SCHEMA,
	.body = chat_body,
	.take = chat_take,
};
