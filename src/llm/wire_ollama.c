/*
 * Ollama's own chat API. Its OpenAI-compatible one can't be told the size of the window, and
 * cuts what doesn't fit off the front of the conversation without a word.
 */
#include <string.h>

#include "base/json.h"
#include "llm/messages_priv.h"
#include "llm/wire_priv.h"

/* ---- requests ---- */

static json_t *calls_of(const json_t *calls)
{
	json_t *list = json_array();
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call)
		json_array_append_new(list,
				      json_pack("{s:{s:s,s:o}}", "function", "name",
						spk_message_call_name(call), "arguments",
						spk_message_arguments(call)));
	return list;
}

/* Results name the tool, not the call: the name of the latest call with that id. */
static const char *name_of(const json_t *messages, gsize before, const char *id)
{
	while (before-- > 0) {
		const json_t *call;
		gsize i;

		json_array_foreach(json_object_get(json_array_get(messages, before),
						   "tool_calls"),
				   i, call)
			if (g_strcmp0(spk_json_str(call, "id"), id) == 0)
				return spk_message_call_name(call);
	}
	return "";
}

static json_t *message_of(const json_t *messages, gsize at)
{
	const json_t *message = json_array_get(messages, at);
	const json_t *calls = json_object_get(message, "tool_calls");
	const char *id = spk_json_str(message, "tool_call_id");
	const char *role = spk_json_str(message, "role");
	g_autofree char *text = spk_message_text(message);
	json_t *out = json_pack("{s:s,s:o}", "role", role ? role : "user", "content",
				spk_json_text(text));

	if (id)
		spk_json_set(out, "tool_name", spk_json_text(name_of(messages, at, id)));
	if (json_array_size(calls))
		spk_json_set(out, "tool_calls", calls_of(calls));
	return out;
}

static json_t *options_of(const SpkWireParams *params)
{
	json_t *options = json_pack("{s:f,s:I}", "temperature", params->temperature,
				    "num_ctx", (json_int_t)params->context_window);

	if (params->max_tokens > 0)
		spk_json_set(options, "num_predict", json_integer(params->max_tokens));
	return options;
}

static json_t *ollama_body(const SpkWireParams *params, const SpkLlmRequest *request)
{
	json_t *body = json_object(), *messages = json_array();

	spk_json_set(body, "model", spk_json_text(params->model));
	spk_json_set(body, "stream", json_true());
	/* what doesn't fit is an error rather than cut (Ollama from 0.12 on) */
	spk_json_set(body, "truncate", json_false());
	spk_json_set(body, "options", options_of(params));
	if (request->schema)
		spk_json_set(body, "format", json_incref(request->schema));
	if (json_array_size(request->tools))
		spk_json_set(body, "tools", json_incref(request->tools));
	for (gsize i = 0; i < json_array_size(request->messages); i++)
		json_array_append_new(messages, message_of(request->messages, i));
	spk_json_set(body, "messages", messages);
	return body;
}

/* ---- answers ---- */

static gboolean ollama_take(SpkAnswer *answer, const json_t *line, GError **error)
{
	const json_t *message = json_object_get(line, "message");
	const json_t *calls = json_object_get(message, "tool_calls");

	if (json_object_get(line, "error"))
		return spk_answer_fail(answer, line, error);
	if (!json_is_object(message) && !spk_json_bool(line, "done", FALSE))
		return TRUE;
	answer->began = TRUE;
	spk_answer_set_model(answer, spk_json_str(line, "model"));
	if (json_array_size(calls))
		spk_answer_note_first(answer);
	if (!spk_answer_add_text(answer, spk_json_str(message, "content"), error) ||
	    !spk_calls_add(answer->calls, calls, error))
		return FALSE;
	if (!spk_json_bool(line, "done", FALSE))
		return TRUE;
	answer->done = TRUE;
	answer->usage.input = spk_answer_count(line, "prompt_eval_count");
	answer->usage.output = spk_answer_count(line, "eval_count");
	spk_answer_set_finish(answer, spk_json_str(line, "done_reason"));
	return TRUE;
}

const SpkWire spk_wire_ollama = {
	.name = "ollama",
	.what = "an Ollama server",
	.root = "/api",
	.instead = "/v1",
	.path = "/chat",
	.list = "/tags",
	.key_header = "Authorization: Bearer ",
	.missing = "`ollama list` names the models there are, `ollama pull` gets one",
	.lines = TRUE,
	.can = SPK_CAN_TOOLS | SPK_CAN_SCHEMA,
	.body = ollama_body,
	.take = ollama_take,
};
