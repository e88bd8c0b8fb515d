/* Ollama's own chat API: a line a piece; calls come whole and without ids. */
#include "dialect.h"

#include <string.h>

#include "base/json.h"

/* ---- requests ---- */

static void read_calls(json_t *message, const json_t *calls)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call) {
		const json_t *function = json_object_get(call, "function");
		g_autofree char *arguments =
			spk_json_dump(json_object_get(function, "arguments"));

		json_array_append_new(json_object_get(message, "tool_calls"),
				      dialect_call("", spk_json_str(function, "name"),
						   arguments));
	}
}

/* Arguments are objects here, a result names the tool, and the window is asked for. */
static json_t *ollama_messages(const json_t *body)
{
	const json_t *list = json_object_get(body, "messages"), *one;
	json_t *messages;
	gsize i;

	if (!json_is_array(list) ||
	    spk_json_int(json_object_get(body, "options"), "num_ctx", 0) < 1)
		return NULL;
	messages = json_array();
	json_array_foreach(list, i, one) {
		const char *role = spk_json_str(one, "role");
		json_t *message = dialect_message(role, spk_json_str(one, "content"));

		spk_json_set(message, "tool_calls", json_array());
		read_calls(message, json_object_get(one, "tool_calls"));
		json_array_append_new(messages, message);
		if (strcmp(role, "tool") == 0 && !spk_json_str(one, "tool_name")) {
			json_decref(messages);
			return NULL;
		}
	}
	return messages;
}

static json_t *ollama_tools(const json_t *body)
{
	return json_incref(json_object_get(body, "tools"));
}

/* ---- answers ---- */

static void add_piece(GPtrArray *events, const char *piece)
{
	dialect_add(events,
		    json_pack("{s:s,s:{s:s,s:s},s:b}", "model", "play-model", "message",
			      "role", "assistant", "content", piece, "done", 0));
}

static json_t *calls_of(const json_t *calls)
{
	json_t *list = json_array();
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call) {
		g_autofree char *arguments = dialect_arguments(call);
		json_t *object =
			spk_json_parse(arguments, strlen(arguments), SPK_JSON_MAX, NULL);

		json_array_append_new(
			list, json_pack("{s:{s:s,s:o}}", "function", "name",
					spk_json_str(call, "name"), "arguments",
					object ? object : json_string(arguments)));
	}
	return list;
}

static json_t *last_line(const json_t *say, gboolean usage)
{
	gboolean cut = strcmp(dialect_finish(say), "length") == 0;
	json_t *line = json_pack("{s:s,s:{s:s,s:s},s:b,s:s}", "model", "play-model",
				 "message", "role", "assistant", "content", "", "done", 1,
				 "done_reason", cut ? "length" : "stop");

	if (usage) {
		spk_json_set(line, "prompt_eval_count",
			     json_integer(dialect_count(say, "input")));
		spk_json_set(line, "eval_count",
			     json_integer(dialect_count(say, "output")));
	}
	return line;
}

static void ollama_events(GPtrArray *events, const json_t *say, guint turn,
			  const PlayServerOptions *options)
{
	const json_t *calls = json_object_get(say, "tool_calls");

	dialect_each_piece(say, add_piece, events);
	if (json_array_size(calls))
		dialect_add(events,
			    json_pack("{s:s,s:{s:s,s:s,s:o},s:b}", "model", "play-model",
				      "message", "role", "assistant", "content", "",
				      "tool_calls", calls_of(calls), "done", 0));
	dialect_add(events, last_line(say, !options->no_usage));
}

static json_t *ollama_plain(const json_t *say, guint turn)
{
	json_t *line = last_line(say, TRUE);
	json_t *message = json_object_get(line, "message");

	spk_json_set(message, "content", spk_json_text(spk_json_str(say, "text")));
	spk_json_set(message, "tool_calls", calls_of(json_object_get(say, "tool_calls")));
	return line;
}

const Dialect dialect_ollama = {
	.path = "/api/chat",
	.lines = TRUE,
	.messages = ollama_messages,
	.tools = ollama_tools,
	.events = ollama_events,
	.plain = ollama_plain,
	.half = "{\"message\":{\"content\":\"hal\"},\"done\":false}",
	.piece = "{\"message\":{\"content\":\"%s\"}}",
	.inside = "{\"error\":\"the engine fell over\"}",
	.end = "{\"done\":true,\"done_reason\":\"stop\"}",
	.limit = "num_predict",
};
