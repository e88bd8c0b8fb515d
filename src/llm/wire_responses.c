/* OpenAI's Responses API. Nothing is kept on the server: each request carries the whole. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "llm/messages_priv.h"
#include "llm/wire_priv.h"

/* ---- requests ---- */

static json_t *tools_of(const json_t *tools)
{
	json_t *list = json_array();
	const json_t *tool;
	gsize i;

	/* strict is the default here, and forbids optional arguments */
	json_array_foreach(tools, i, tool) {
		json_t *function = json_object_get(tool, "function");
		json_t *flat = json_pack("{s:s}", "type", "function");

		(void)json_object_update(flat, function); /* fails without memory only */
		spk_json_set(flat, "strict", json_false());
		json_array_append_new(list, flat);
	}
	return list;
}

static void add_calls(json_t *input, const json_t *calls)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call) {
		const json_t *function = json_object_get(call, "function");

		json_array_append_new(
			input,
			json_pack("{s:s,s:o,s:s,s:o}", "type", "function_call", "call_id",
				  spk_json_text(spk_json_str(call, "id")), "name",
				  spk_message_call_name(call), "arguments",
				  spk_json_text(spk_json_str(function, "arguments"))));
	}
}

static void add_message(json_t *input, const json_t *message)
{
	const char *role = spk_json_str(message, "role");
	g_autofree char *text = spk_message_text(message);

	if (g_strcmp0(role, "tool") == 0) {
		json_array_append_new(
			input,
			json_pack("{s:s,s:o,s:s}", "type", "function_call_output",
				  "call_id",
				  spk_json_text(spk_json_str(message, "tool_call_id")),
				  "output", text));
		return;
	}
	if (*text)
		json_array_append_new(
			input, json_pack("{s:s,s:s,s:[{s:s,s:s}]}", "type", "message",
					 "role", role ? role : "user", "content", "type",
					 g_strcmp0(role, "assistant") == 0 ? "output_text"
									   : "input_text",
					 "text", text));
	add_calls(input, json_object_get(message, "tool_calls"));
}

static json_t *input_of(const json_t *messages, gsize from)
{
	json_t *input = json_array();

	for (gsize i = from; i < json_array_size(messages); i++)
		add_message(input, json_array_get(messages, i));
	return input;
}

static json_t *reasoning_of(const SpkWireParams *params)
{
	json_t *reasoning = json_object();

	if (*params->effort)
		spk_json_set(reasoning, "effort", spk_json_text(params->effort));
	if (*params->summary)
		spk_json_set(reasoning, "summary", spk_json_text(params->summary));
	return reasoning;
}

static json_t *responses_body(const SpkWireParams *params, const SpkLlmRequest *request)
{
	json_t *body = json_object();
	gsize rest;
	g_autofree char *system = spk_message_system(request->messages, &rest);

	spk_json_set(body, "model", spk_json_text(params->model));
	if (!(params->quirks & SPK_QUIRK_NO_TEMPERATURE))
		spk_json_set(body, "temperature", json_real(params->temperature));
	if (params->max_tokens > 0 && !(params->quirks & SPK_QUIRK_NO_LIMIT))
		spk_json_set(body, "max_output_tokens", json_integer(params->max_tokens));
	spk_json_set(body, "stream", json_true());
	if (!(params->quirks & SPK_QUIRK_NO_STORE))
		spk_json_set(body, "store", json_false());
	if ((*params->effort || *params->summary) &&
	    !(params->quirks & SPK_QUIRK_NO_EFFORT))
		spk_json_set(body, "reasoning", reasoning_of(params));
	if (request->schema)
		spk_json_set(body, "text",
			     json_pack("{s:{s:s,s:s,s:b,s:O}}", "format", "type",
				       "json_schema", "name", "answer", "strict", 1,
				       "schema", request->schema));
	if (json_array_size(request->tools))
		spk_json_set(body, "tools", tools_of(request->tools));
	if (*system)
		spk_json_set(body, "instructions", spk_json_text(system));
	spk_json_set(body, "input", input_of(request->messages, rest));
	return body;
}

/* ---- answers ---- */

enum { MAX_KEY = 256, MAX_SUMMARY = 2000 };

/* What a call is known by: servers differ in which of these their fragments name. */
typedef struct {
	char index[32];
	const char *list[4];
} Keys;

static void read_keys(Keys *keys, const json_t *event, const json_t *item)
{
	const char *ids[] = { item ? spk_json_str(item, "id")
				   : spk_json_str(event, "item_id"),
			      spk_json_str(item ? item : event, "call_id") };
	const json_t *index = json_object_get(event, "output_index");
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
		if (ids[i] && *ids[i] && strlen(ids[i]) <= MAX_KEY)
			keys->list[n++] = ids[i];
	if (json_is_integer(index)) {
		g_snprintf(keys->index, sizeof(keys->index), "#%" JSON_INTEGER_FORMAT,
			   json_integer_value(index));
		keys->list[n++] = keys->index;
	}
	keys->list[n] = NULL;
}

static gboolean take_call(SpkAnswer *answer, const json_t *event, const json_t *item,
			  gboolean whole, GError **error)
{
	Keys keys;

	read_keys(&keys, event, item);
	spk_answer_note_first(answer);
	if (!spk_calls_has(answer->calls, keys.list) &&
	    !spk_calls_begin(answer->calls, keys.list, spk_json_str(item, "call_id"),
			     spk_json_str(item, "name"), error))
		return FALSE;
	return !whole || spk_calls_whole(answer->calls, keys.list,
					 json_object_get(item, "arguments"), error);
}

static gboolean take_message(SpkAnswer *answer, const json_t *item, GError **error)
{
	const json_t *part;
	gsize i;

	json_array_foreach(json_object_get(item, "content"), i, part) {
		const char *text = spk_json_str(part, "text");

		if (!spk_answer_add_text(
			    answer, text ? text : spk_json_str(part, "refusal"), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_item(const json_t *item, const char *type)
{
	return g_strcmp0(spk_json_str(item, "type"), type) == 0;
}

static gboolean on_added(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *item = json_object_get(event, "item");

	return !is_item(item, "function_call") ||
	       take_call(answer, event, item, FALSE, error);
}

static gboolean on_item_done(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *item = json_object_get(event, "item");

	return !is_item(item, "function_call") ||
	       take_call(answer, event, item, TRUE, error);
}

static gboolean on_text(SpkAnswer *answer, const json_t *event, GError **error)
{
	return spk_answer_add_text(answer, spk_json_str(event, "delta"), error);
}

static gboolean on_arguments(SpkAnswer *answer, const json_t *event, GError **error)
{
	Keys keys;

	read_keys(&keys, event, NULL);
	return spk_calls_more(answer->calls, keys.list, spk_json_str(event, "delta"),
			      error);
}

static gboolean on_arguments_done(SpkAnswer *answer, const json_t *event, GError **error)
{
	Keys keys;

	read_keys(&keys, event, NULL);
	return spk_calls_whole(answer->calls, keys.list,
			       json_object_get(event, "arguments"), error);
}

/* For the log: it is no part of the answer. */
static gboolean on_summary(SpkAnswer *answer, const json_t *event, GError **error)
{
	const char *text = spk_json_str(event, "text");
	g_autofree char *clean =
		text ? spk_text_clean(text,
				      (gssize)spk_text_prefix_len(text, strlen(text),
								  MAX_SUMMARY),
				      SPK_CLEAN_LINE)
		     : NULL;

	if (clean && *clean)
		spk_info("llm", "the model's summary of its thoughts: %s", clean);
	return TRUE;
}

static void take_usage(SpkAnswer *answer, const json_t *usage)
{
	const json_t *details = json_object_get(usage, "input_tokens_details");

	if (!json_is_object(usage))
		return;
	answer->usage.input = spk_answer_count(usage, "input_tokens");
	answer->usage.output = spk_answer_count(usage, "output_tokens");
	answer->usage.cached = spk_answer_count(details, "cached_tokens");
}

/* "incomplete" says why; what is complete is for us to name. */
static const char *finish_of(const json_t *response)
{
	const json_t *details = json_object_get(response, "incomplete_details");
	const char *reason = spk_json_str(details, "reason");

	if (g_strcmp0(reason, "max_output_tokens") == 0)
		return "length";
	if (reason)
		return reason;
	return g_strcmp0(spk_json_str(response, "status"), "incomplete") == 0 ? "length"
									      : "stop";
}

/* Of what the stream, if there was one, did not bring. */
static gboolean take_output(SpkAnswer *answer, const json_t *response, GError **error)
{
	gboolean had_text = answer->text->len > 0;
	gboolean had_calls = spk_calls_count(answer->calls) > 0;
	const json_t *item;
	gsize i;

	json_array_foreach(json_object_get(response, "output"), i, item) {
		g_autoptr(json_t) at = json_pack("{s:I}", "output_index", (json_int_t)i);

		if (!had_text && is_item(item, "message") &&
		    !take_message(answer, item, error))
			return FALSE;
		if (!had_calls && is_item(item, "function_call") &&
		    !take_call(answer, at, item, TRUE, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean take_response(SpkAnswer *answer, const json_t *response, GError **error)
{
	const char *status = spk_json_str(response, "status");

	if (g_strcmp0(status, "failed") == 0 || g_strcmp0(status, "cancelled") == 0)
		return spk_answer_fail(answer, response, error);
	answer->began = TRUE;
	answer->done = TRUE;
	spk_answer_set_model(answer, spk_json_str(response, "model"));
	take_usage(answer, json_object_get(response, "usage"));
	spk_answer_set_finish(answer, finish_of(response));
	return take_output(answer, response, error);
}

static gboolean on_end(SpkAnswer *answer, const json_t *event, GError **error)
{
	return take_response(answer, json_object_get(event, "response"), error);
}

static gboolean on_begin(SpkAnswer *answer, const json_t *event, GError **error)
{
	answer->began = TRUE;
	spk_answer_set_model(answer,
			     spk_json_str(json_object_get(event, "response"), "model"));
	return TRUE;
}

static gboolean on_failed(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *response = json_object_get(event, "response");

	return spk_answer_fail(answer, response ? response : event, error);
}

/* Events that are not here (parts that open and close, tools that the server runs) say
 * nothing that counts. */
static const struct {
	const char *type;
	gboolean (*take)(SpkAnswer *answer, const json_t *event, GError **error);
} events[] = {
	{ "response.created", on_begin },
	{ "response.in_progress", on_begin },
	{ "response.output_text.delta", on_text },
	{ "response.refusal.delta", on_text },
	{ "response.output_item.added", on_added },
	{ "response.function_call_arguments.delta", on_arguments },
	{ "response.function_call_arguments.done", on_arguments_done },
	{ "response.output_item.done", on_item_done },
	{ "response.reasoning_summary_text.done", on_summary },
	{ "response.completed", on_end },
	{ "response.done", on_end },
	{ "response.incomplete", on_end },
	{ "response.failed", on_failed },
	{ "error", on_failed },
};

static gboolean responses_take(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *fault = json_object_get(event, "error");
	const char *type = spk_json_str(event, "type");

	for (gsize i = 0; type && i < G_N_ELEMENTS(events); i++)
		if (strcmp(type, events[i].type) == 0)
			return events[i].take(answer, event, error);
	if (json_is_object(fault) || json_is_string(fault))
		return spk_answer_fail(answer, event, error);
	if (g_strcmp0(spk_json_str(event, "object"), "response") == 0)
		return take_response(answer, event, error);
	return TRUE;
}

const SpkWire spk_wire_responses = {
	.name = "responses",
	.what = "a Responses API",
	.root = "/v1",
	.path = "/responses",
	.list = "/models",
	.key_header = "Authorization: Bearer ",
	.can = SPK_CAN_TOOLS | SPK_CAN_SCHEMA,
	.body = responses_body,
	.take = responses_take,
};
