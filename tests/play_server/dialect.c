#include "dialect.h"

#include <string.h>

#include "base/json.h"

void dialect_add(GPtrArray *events, json_t *take_event)
{
	g_ptr_array_add(events, spk_json_dump(take_event));
	json_decref(take_event);
}

void dialect_each_piece(const json_t *say, void (*add)(GPtrArray *, const char *),
			GPtrArray *events)
{
	const json_t *chunks = json_object_get(say, "chunks"), *chunk;
	const char *text = spk_json_str(say, "text");
	gsize i;

	json_array_foreach(chunks, i, chunk)
		add(events, json_string_value(chunk));
	if (text && !chunks)
		add(events, text);
}

char *dialect_call_id(const json_t *call, gsize i, guint turn)
{
	const char *id = spk_json_str(call, "id");

	return id ? g_strdup(id) : g_strdup_printf("call_%u_%zu", turn, i);
}

char *dialect_arguments(const json_t *call)
{
	const json_t *arguments = json_object_get(call, "arguments");

	if (json_is_string(arguments))
		return g_strdup(json_string_value(arguments));
	return json_is_object(arguments) ? spk_json_dump(arguments) : g_strdup("{}");
}

void dialect_each_fragment(const json_t *calls, guint step,
			   void (*add)(GPtrArray *, const json_t *call, gsize i,
				       const char *piece),
			   GPtrArray *events)
{
	gboolean more = TRUE;

	for (glong at = 0; more; at += step) {
		const json_t *call;
		gsize i;

		more = FALSE;
		json_array_foreach(calls, i, call) {
			g_autofree char *arguments = dialect_arguments(call);
			glong len = g_utf8_strlen(arguments, -1);
			g_autofree char *piece = NULL;

			if (at >= len)
				continue;
			more = step > 0;
			piece = g_utf8_substring(arguments, at,
						 step ? MIN(at + step, len) : len);
			add(events, call, i, piece);
		}
	}
}

gint64 dialect_count(const json_t *say, const char *what)
{
	gint64 fallback = strcmp(what, "input") == 0	? 10
			  : strcmp(what, "output") == 0 ? 5
							: 0;

	return spk_json_int(json_object_get(say, "usage"), what, fallback);
}

const char *dialect_finish(const json_t *say)
{
	if (spk_json_str(say, "finish"))
		return spk_json_str(say, "finish");
	return json_array_size(json_object_get(say, "tool_calls")) ? "tool_calls"
								   : "stop";
}

json_t *dialect_message(const char *role, const char *text)
{
	return json_pack("{s:s,s:s}", "role", role, "content", text ? text : "");
}

json_t *dialect_call(const char *id, const char *name, const char *arguments)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s}}", "id", id ? id : "", "type", "function",
			 "function", "name", name ? name : "", "arguments",
			 arguments ? arguments : "");
}

json_t *dialect_tools(const json_t *tools, const char *schema_key)
{
	json_t *list = json_array();
	const json_t *tool;
	gsize i;

	json_array_foreach(tools, i, tool)
		json_array_append_new(
			list,
			json_pack("{s:s,s:{s:O?,s:O?,s:O?}}", "type", "function",
				  "function", "name", json_object_get(tool, "name"),
				  "description", json_object_get(tool, "description"),
				  "parameters", json_object_get(tool, schema_key)));
	return list;
}

json_t *dialect_turn(json_t *messages)
{
	gsize n = json_array_size(messages);
	json_t *last = n ? json_array_get(messages, n - 1) : NULL;

	if (g_strcmp0(spk_json_str(last, "role"), "assistant") != 0) {
		last = json_pack("{s:s,s:s,s:[]}", "role", "assistant", "content", "",
				 "tool_calls");
		json_array_append_new(messages, last);
	}
	return last;
}
