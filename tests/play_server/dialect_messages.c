/* Anthropic's Messages API. */
#include "dialect.h"

#include <string.h>

#include "base/json.h"

/* ---- requests ---- */

static void read_block(json_t *messages, gboolean model, const json_t *block)
{
	const char *type = spk_json_str(block, "type");

	if (g_strcmp0(type, "tool_use") == 0) {
		g_autofree char *input = spk_json_dump(json_object_get(block, "input"));

		json_array_append_new(json_object_get(dialect_turn(messages),
						      "tool_calls"),
				      dialect_call(spk_json_str(block, "id"),
						   spk_json_str(block, "name"), input));
	} else if (g_strcmp0(type, "tool_result") == 0) {
		json_t *message = dialect_message("tool", spk_json_str(block, "content"));

		spk_json_set(message, "tool_call_id",
			     spk_json_text(spk_json_str(block, "tool_use_id")));
		json_array_append_new(messages, message);
	} else if (model) {
		spk_json_set(dialect_turn(messages), "content",
			     spk_json_text(spk_json_str(block, "text")));
	} else {
		json_array_append_new(
			messages, dialect_message("user", spk_json_str(block, "text")));
	}
}

static void read_content(json_t *messages, gboolean model, const json_t *content)
{
	const json_t *block;
	gsize i;

	if (json_is_string(content))
		json_array_append_new(messages,
				      dialect_message(model ? "assistant" : "user",
						      json_string_value(content)));
	json_array_foreach(content, i, block)
		read_block(messages, model, block);
}

/* As strict as the API: sides take turns, the user begins, a limit is there. Words of the system
 * may stand between. */
static json_t *messages_messages(const json_t *body)
{
	const json_t *system = json_array_get(json_object_get(body, "system"), 0);
	const json_t *turns = json_object_get(body, "messages"), *turn;
	json_t *messages;
	gboolean model = FALSE;
	gsize i;

	if (!json_is_array(turns) || spk_json_int(body, "max_tokens", 0) < 1)
		return NULL;
	messages = json_array();
	json_array_append_new(messages,
			      dialect_message("system", spk_json_str(system, "text")));
	json_array_foreach(turns, i, turn) {
		const char *role = spk_json_str(turn, "role");

		if (g_strcmp0(role, "system") == 0)
			continue;
		if (g_strcmp0(role, model ? "assistant" : "user") != 0) {
			json_decref(messages);
			return NULL;
		}
		read_content(messages, model, json_object_get(turn, "content"));
		model = !model;
	}
	return messages;
}

static json_t *messages_tools(const json_t *body)
{
	return dialect_tools(json_object_get(body, "tools"), "input_schema");
}

/* ---- answers ---- */

static void add_piece(GPtrArray *events, const char *piece)
{
	dialect_add(events,
		    json_pack("{s:s,s:i,s:{s:s,s:s}}", "type", "content_block_delta",
			      "index", 0, "delta", "type", "text_delta", "text", piece));
}

static void add_fragment(GPtrArray *events, const json_t *call, gsize i,
			 const char *piece)
{
	dialect_add(events, json_pack("{s:s,s:i,s:{s:s,s:s}}", "type",
				      "content_block_delta", "index", (int)i + 1, "delta",
				      "type", "input_json_delta", "partial_json", piece));
}

static void add_stop(GPtrArray *events, gsize index)
{
	dialect_add(events, json_pack("{s:s,s:i}", "type", "content_block_stop", "index",
				      (int)index));
}

static json_t *block_of(const json_t *call, gsize i, guint turn, json_t *take_input)
{
	g_autofree char *id = dialect_call_id(call, i, turn);

	return json_pack("{s:s,s:s,s:s,s:o}", "type", "tool_use", "id", id, "name",
			 spk_json_str(call, "name"), "input", take_input);
}

static void add_calls(GPtrArray *events, const json_t *calls, guint turn, guint fragment)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call)
		dialect_add(events,
			    json_pack("{s:s,s:i,s:o}", "type", "content_block_start",
				      "index", (int)i + 1, "content_block",
				      block_of(call, i, turn, json_object())));
	dialect_each_fragment(calls, fragment, add_fragment, events);
	json_array_foreach(calls, i, call)
		add_stop(events, i + 1);
}

static const char *stop_reason(const json_t *say)
{
	const char *finish = dialect_finish(say);

	if (strcmp(finish, "tool_calls") == 0)
		return "tool_use";
	return strcmp(finish, "length") == 0 ? "max_tokens" : "end_turn";
}

static json_t *usage_of(const json_t *say, gboolean usage)
{
	gint64 cached = dialect_count(say, "cached");

	if (!usage)
		return json_object();
	return json_pack("{s:I,s:I,s:I}", "input_tokens",
			 (json_int_t)(dialect_count(say, "input") - cached),
			 "cache_read_input_tokens", (json_int_t)cached, "output_tokens",
			 (json_int_t)1);
}

static json_t *final_usage(const json_t *say, gboolean usage)
{
	json_t *counts = json_object();

	if (usage)
		spk_json_set(counts, "output_tokens",
			     json_integer(dialect_count(say, "output")));
	return counts;
}

static void messages_events(GPtrArray *events, const json_t *say, guint turn,
			    const PlayServerOptions *options)
{
	dialect_add(events,
		    json_pack("{s:s,s:{s:s,s:s,s:[],s:o}}", "type", "message_start",
			      "message", "role", "assistant", "model", "play-model",
			      "content", "usage", usage_of(say, !options->no_usage)));
	dialect_add(events,
		    json_pack("{s:s,s:i,s:{s:s,s:s}}", "type", "content_block_start",
			      "index", 0, "content_block", "type", "text", "text", ""));
	dialect_add(events, json_pack("{s:s}", "type", "ping"));
	dialect_each_piece(say, add_piece, events);
	add_stop(events, 0);
	add_calls(events, json_object_get(say, "tool_calls"), turn, options->fragment);
	dialect_add(events, json_pack("{s:s,s:{s:s},s:o}", "type", "message_delta",
				      "delta", "stop_reason", stop_reason(say), "usage",
				      final_usage(say, !options->no_usage)));
	if (!options->no_done)
		dialect_add(events, json_pack("{s:s}", "type", "message_stop"));
}

static json_t *messages_plain(const json_t *say, guint turn)
{
	const char *text = spk_json_str(say, "text");
	json_t *content = json_array(), *answer;
	const json_t *call;
	gsize i;

	if (text)
		json_array_append_new(content, json_pack("{s:s,s:s}", "type", "text",
							 "text", text));
	json_array_foreach(json_object_get(say, "tool_calls"), i, call) {
		g_autofree char *arguments = dialect_arguments(call);
		json_t *input =
			spk_json_parse(arguments, strlen(arguments), SPK_JSON_MAX, NULL);

		json_array_append_new(content, block_of(call, i, turn,
							input ? input : json_object()));
	}
	answer = json_pack("{s:s,s:s,s:o,s:s,s:o}", "type", "message", "model",
			   "play-model", "content", content, "stop_reason",
			   stop_reason(say), "usage", usage_of(say, TRUE));
	spk_json_set(json_object_get(answer, "usage"), "output_tokens",
		     json_integer(dialect_count(say, "output")));
	return answer;
}

const Dialect dialect_messages = {
	.path = "/v1/messages",
	.messages = messages_messages,
	.tools = messages_tools,
	.events = messages_events,
	.plain = messages_plain,
	.half = "{\"type\":\"message_start\",\"message\":{}}|"
		"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
		"\"text\":\"hal\"}}",
	.piece =
		"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
		"\"text\":\"%s\"}}",
	.inside = "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"
		  "\"the engine fell over\"}}",
	.end = "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}|"
	       "{\"type\":\"message_stop\"}",
	.limit = "max_tokens",
};
