/* OpenAI's chat completions: the neutral form itself. */
#include "dialect.h"

#include "base/json.h"

static json_t *chat_messages(const json_t *body)
{
	json_t *messages = json_object_get(body, "messages");

	return json_is_array(messages) ? json_incref(messages) : NULL;
}

static json_t *chat_tools(const json_t *body)
{
	return json_incref(json_object_get(body, "tools"));
}

static json_t *chunk_of(json_t *take_delta, const char *finish)
{
	return json_pack("{s:s,s:s,s:s,s:[{s:i,s:o,s:s?}]}", "id", "chatcmpl-1", "object",
			 "chat.completion.chunk", "model", "play-model", "choices",
			 "index", 0, "delta", take_delta, "finish_reason", finish);
}

static void add_piece(GPtrArray *events, const char *piece)
{
	dialect_add(events, chunk_of(json_pack("{s:s}", "content", piece), NULL));
}

static json_t *full_call(const json_t *call, gsize i, guint turn, const char *arguments)
{
	g_autofree char *id = dialect_call_id(call, i, turn);
	json_t *full = dialect_call(id, spk_json_str(call, "name"), arguments);

	spk_json_set(full, "index", json_integer((json_int_t)i));
	return full;
}

static void add_fragment(GPtrArray *events, const json_t *call, gsize i,
			 const char *piece)
{
	dialect_add(events,
		    chunk_of(json_pack("{s:[{s:i,s:{s:s}}]}", "tool_calls", "index",
				       (int)i, "function", "arguments", piece),
			     NULL));
}

static void add_calls(GPtrArray *events, const json_t *calls, guint turn, guint fragment)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call) {
		g_autofree char *arguments = dialect_arguments(call);

		dialect_add(events,
			    chunk_of(json_pack("{s:n,s:[o]}", "content", "tool_calls",
					       full_call(call, i, turn,
							 fragment ? "" : arguments)),
				     NULL));
	}
	if (fragment)
		dialect_each_fragment(calls, fragment, add_fragment, events);
}

static json_t *usage_of(const json_t *say)
{
	return json_pack("{s:I,s:I,s:{s:I}}", "prompt_tokens",
			 (json_int_t)dialect_count(say, "input"), "completion_tokens",
			 (json_int_t)dialect_count(say, "output"),
			 "prompt_tokens_details", "cached_tokens",
			 (json_int_t)dialect_count(say, "cached"));
}

static void chat_events(GPtrArray *events, const json_t *say, guint turn,
			const PlayServerOptions *options)
{
	dialect_add(events,
		    chunk_of(json_pack("{s:s,s:s}", "role", "assistant", "content", ""),
			     NULL));
	dialect_each_piece(say, add_piece, events);
	add_calls(events, json_object_get(say, "tool_calls"), turn, options->fragment);
	dialect_add(events, chunk_of(json_object(), dialect_finish(say)));
	if (!options->no_usage)
		dialect_add(events,
			    json_pack("{s:[],s:o}", "choices", "usage", usage_of(say)));
	if (!options->no_done)
		g_ptr_array_add(events, g_strdup("[DONE]"));
}

static json_t *chat_plain(const json_t *say, guint turn)
{
	json_t *calls = json_array();
	const json_t *call;
	gsize i;

	json_array_foreach(json_object_get(say, "tool_calls"), i, call) {
		g_autofree char *arguments = dialect_arguments(call);
		json_t *full = full_call(call, i, turn, arguments);

		json_object_del(full, "index");
		json_array_append_new(calls, full);
	}
	return json_pack("{s:s,s:[{s:i,s:{s:s,s:s?,s:o},s:s}],s:o}", "model",
			 "play-model", "choices", "index", 0, "message", "role",
			 "assistant", "content", spk_json_str(say, "text"), "tool_calls",
			 calls, "finish_reason", dialect_finish(say), "usage",
			 usage_of(say));
}

const Dialect dialect_chat = {
	.path = "/v1/chat/completions",
	.messages = chat_messages,
	.tools = chat_tools,
	.events = chat_events,
	.plain = chat_plain,
	.half = "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hal\"}}]}",
	.piece = "{\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}",
	.inside = "{\"error\":{\"message\":\"the engine fell over\",\"code\":500}}",
	.end = "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}|[DONE]",
	.limit = "max_tokens",
};
