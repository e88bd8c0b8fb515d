/* OpenAI's Responses API. */
#include "dialect.h"

#include <string.h>

#include "base/json.h"

/* ---- requests ---- */

static char *text_of(const json_t *item)
{
	const json_t *content = json_object_get(item, "content"), *part;
	GString *text = g_string_new(json_string_value(content));
	gsize i;

	json_array_foreach(content, i, part)
		g_string_append(text, spk_json_str(part, "text"));
	return g_string_free(text, FALSE);
}

static void read_item(json_t *messages, const json_t *item)
{
	const char *type = spk_json_str(item, "type");
	const char *role = spk_json_str(item, "role");
	g_autofree char *text = text_of(item);

	if (g_strcmp0(type, "function_call") == 0) {
		json_array_append_new(json_object_get(dialect_turn(messages),
						      "tool_calls"),
				      dialect_call(spk_json_str(item, "call_id"),
						   spk_json_str(item, "name"),
						   spk_json_str(item, "arguments")));
	} else if (g_strcmp0(type, "function_call_output") == 0) {
		json_t *message = dialect_message("tool", spk_json_str(item, "output"));

		spk_json_set(message, "tool_call_id",
			     spk_json_text(spk_json_str(item, "call_id")));
		json_array_append_new(messages, message);
	} else if (g_strcmp0(role, "assistant") == 0) {
		spk_json_set(dialect_turn(messages), "content", spk_json_text(text));
	} else {
		json_array_append_new(messages, dialect_message("user", text));
	}
}

static json_t *responses_messages(const json_t *body)
{
	const json_t *input = json_object_get(body, "input"), *item;
	json_t *messages;
	gsize i;

	if (!json_is_array(input) || !json_is_false(json_object_get(body, "store")))
		return NULL;
	messages = json_array();
	json_array_append_new(
		messages, dialect_message("system", spk_json_str(body, "instructions")));
	json_array_foreach(input, i, item)
		read_item(messages, item);
	return messages;
}

static json_t *responses_tools(const json_t *body)
{
	return dialect_tools(json_object_get(body, "tools"), "parameters");
}

/* ---- answers ---- */

static void add_piece(GPtrArray *events, const char *piece)
{
	dialect_add(events,
		    json_pack("{s:s,s:s,s:i,s:s}", "type", "response.output_text.delta",
			      "item_id", "msg_1", "output_index", 0, "delta", piece));
}

static json_t *item_of(const json_t *call, gsize i, guint turn, const char *arguments)
{
	g_autofree char *id = dialect_call_id(call, i, turn);
	g_autofree char *item = g_strdup_printf("fc_%zu", i);

	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "function_call", "id", item,
			 "call_id", id, "name", spk_json_str(call, "name"), "arguments",
			 arguments);
}

static void add_fragment(GPtrArray *events, const json_t *call, gsize i,
			 const char *piece)
{
	g_autofree char *item = g_strdup_printf("fc_%zu", i);

	dialect_add(events, json_pack("{s:s,s:s,s:i,s:s}", "type",
				      "response.function_call_arguments.delta", "item_id",
				      item, "output_index", (int)i + 1, "delta", piece));
}

static void add_calls(GPtrArray *events, const json_t *calls, guint turn, guint fragment)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call)
		dialect_add(events,
			    json_pack("{s:s,s:i,s:o}", "type",
				      "response.output_item.added", "output_index",
				      (int)i + 1, "item", item_of(call, i, turn, "")));
	dialect_each_fragment(calls, fragment, add_fragment, events);
	json_array_foreach(calls, i, call) {
		g_autofree char *arguments = dialect_arguments(call);

		dialect_add(events, json_pack("{s:s,s:i,s:o}", "type",
					      "response.output_item.done", "output_index",
					      (int)i + 1, "item",
					      item_of(call, i, turn, arguments)));
	}
}

static json_t *message_of(const char *text)
{
	return json_pack("{s:s,s:s,s:s,s:[{s:s,s:s}]}", "type", "message", "id", "msg_1",
			 "role", "assistant", "content", "type", "output_text", "text",
			 text);
}

static void add_text(GPtrArray *events, const json_t *say)
{
	const char *text = spk_json_str(say, "text");

	if (text)
		dialect_add(events, json_pack("{s:s,s:i,s:o}", "type",
					      "response.output_item.added",
					      "output_index", 0, "item", message_of("")));
	dialect_each_piece(say, add_piece, events);
	if (text)
		dialect_add(events, json_pack("{s:s,s:i,s:o}", "type",
					      "response.output_item.done", "output_index",
					      0, "item", message_of(text)));
}

static json_t *output_of(const json_t *say, guint turn)
{
	const char *text = spk_json_str(say, "text");
	json_t *output = json_array();
	const json_t *call;
	gsize i;

	if (text)
		json_array_append_new(output, message_of(text));
	json_array_foreach(json_object_get(say, "tool_calls"), i, call) {
		g_autofree char *arguments = dialect_arguments(call);

		json_array_append_new(output, item_of(call, i, turn, arguments));
	}
	return output;
}

static json_t *usage_of(const json_t *say)
{
	gint64 input = dialect_count(say, "input"), output = dialect_count(say, "output");

	return json_pack("{s:I,s:I,s:I,s:{s:I}}", "input_tokens", (json_int_t)input,
			 "output_tokens", (json_int_t)output, "total_tokens",
			 (json_int_t)(input + output), "input_tokens_details",
			 "cached_tokens", (json_int_t)dialect_count(say, "cached"));
}

static json_t *response_of(const json_t *say, guint turn, gboolean usage)
{
	gboolean cut = strcmp(dialect_finish(say), "length") == 0;
	json_t *response = json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", "resp_1", "object",
				     "response", "status",
				     cut ? "incomplete" : "completed", "model",
				     "play-model", "output", output_of(say, turn));

	if (cut)
		spk_json_set(response, "incomplete_details",
			     json_pack("{s:s}", "reason", "max_output_tokens"));
	if (usage)
		spk_json_set(response, "usage", usage_of(say));
	return response;
}

static void responses_events(GPtrArray *events, const json_t *say, guint turn,
			     const PlayServerOptions *options)
{
	gboolean cut = strcmp(dialect_finish(say), "length") == 0;

	dialect_add(events,
		    json_pack("{s:s,s:{s:s,s:s}}", "type", "response.created", "response",
			      "model", "play-model", "status", "in_progress"));
	add_text(events, say);
	add_calls(events, json_object_get(say, "tool_calls"), turn, options->fragment);
	dialect_add(events,
		    json_pack("{s:s,s:o}", "type",
			      cut ? "response.incomplete" : "response.completed",
			      "response", response_of(say, turn, !options->no_usage)));
}

static json_t *responses_plain(const json_t *say, guint turn)
{
	return response_of(say, turn, TRUE);
}

const Dialect dialect_responses = {
	.path = "/v1/responses",
	.messages = responses_messages,
	.tools = responses_tools,
	.events = responses_events,
	.plain = responses_plain,
	.half = "{\"type\":\"response.created\",\"response\":{}}|"
		"{\"type\":\"response.output_text.delta\",\"delta\":\"hal\"}",
	.piece = "{\"type\":\"response.output_text.delta\",\"delta\":\"%s\"}",
	.inside =
		"{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"the engine fell over\"}",
	.end = "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}",
	.limit = "max_output_tokens",
};
