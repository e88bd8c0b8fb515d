/* Anthropic's Messages API (version 2023-06-01). */
#include <string.h>

#include "base/json.h"
#include "llm/messages_priv.h"
#include "llm/wire_priv.h"

enum { MAX_ID = 64, DEFAULT_MAX_TOKENS = 4096 };

/* ---- requests ---- */

/* Up to here the server keeps what it computed. At most four of these are allowed: the end of
 * the tools, of the system prompt (both the same in every request of a task), and of the
 * latest turn, where the next request goes on. */
static void mark_cached(json_t *block, guint quirks)
{
	if (block && !(quirks & SPK_QUIRK_NO_CACHE))
		spk_json_set(block, "cache_control",
			     json_pack("{s:s}", "type", "ephemeral"));
}

static json_t *last_of(const json_t *array)
{
	return json_array_size(array) ? json_array_get(array, json_array_size(array) - 1)
				      : NULL;
}

/* Ids and names that came from another provider or out of a model's head: the API takes
 * letters, digits, "_" and "-". Equal ones stay equal. */
static json_t *clean_id(const char *id)
{
	g_autofree char *clean = g_strndup(id && *id ? id : "call", MAX_ID);

	for (char *p = clean; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-')
			*p = '_';
	return json_string(clean);
}

static json_t *tools_of(const json_t *tools, guint quirks)
{
	json_t *list = json_array();
	const json_t *tool;
	gsize i;

	json_array_foreach(tools, i, tool) {
		const json_t *function = json_object_get(tool, "function");
		json_t *schema = json_object_get(function, "parameters");
		json_t *one = json_pack("{s:o}", "name",
					clean_id(spk_json_str(function, "name")));

		if (spk_json_str(function, "description"))
			spk_json_set(
				one, "description",
				spk_json_text(spk_json_str(function, "description")));
		spk_json_set(one, "input_schema",
			     schema ? json_incref(schema)
				    : json_pack("{s:s}", "type", "object"));
		json_array_append_new(list, one);
	}
	mark_cached(last_of(list), quirks);
	return list;
}

static json_t *text_block(const char *text)
{
	return json_pack("{s:s,s:o}", "type", "text", "text", spk_json_text(text));
}

/* Text of nothing but white space is refused. */
static gboolean has_text(const char *text)
{
	while (g_ascii_isspace(*text))
		text++;
	return *text != '\0';
}

/* A user's and a model's turn take each other's place: what follows on the same side goes
 * into the same turn, as do the results of one turn's tool calls. */
static json_t *turn_of(json_t *turns, const char *role)
{
	json_t *turn = last_of(turns);

	if (!turn || strcmp(spk_json_str(turn, "role"), role) != 0) {
		turn = json_pack("{s:s,s:[]}", "role", role, "content");
		json_array_append_new(turns, turn);
	}
	return json_object_get(turn, "content");
}

static void add_calls(json_t *turns, const json_t *calls)
{
	const json_t *call;
	gsize i;

	json_array_foreach(calls, i, call)
		json_array_append_new(turn_of(turns, "assistant"),
				      json_pack("{s:s,s:o,s:o,s:o}", "type", "tool_use",
						"id", clean_id(spk_json_str(call, "id")),
						"name",
						clean_id(spk_message_call_name(call)),
						"input", spk_message_arguments(call)));
}

static void add_message(json_t *turns, const json_t *message)
{
	const char *role = spk_json_str(message, "role");
	gboolean model = g_strcmp0(role, "assistant") == 0;
	g_autofree char *text = spk_message_text(message);

	if (g_strcmp0(role, "tool") == 0) {
		json_array_append_new(
			turn_of(turns, "user"),
			json_pack("{s:s,s:o,s:o}", "type", "tool_result", "tool_use_id",
				  clean_id(spk_json_str(message, "tool_call_id")),
				  "content", spk_json_text(text)));
		return;
	}
	if (has_text(text))
		json_array_append_new(turn_of(turns, model ? "assistant" : "user"),
				      text_block(text));
	add_calls(turns, json_object_get(message, "tool_calls"));
}

static json_t *turns_of(const json_t *messages, gsize from, guint quirks)
{
	json_t *turns = json_array();

	for (gsize i = from; i < json_array_size(messages); i++)
		add_message(turns, json_array_get(messages, i));
	mark_cached(last_of(json_object_get(last_of(turns), "content")), quirks);
	return turns;
}

static json_t *messages_body(const SpkWireParams *params, const SpkLlmRequest *request)
{
	json_t *body = json_object();
	gsize rest;
	g_autofree char *system = spk_message_system(request->messages, &rest);

	spk_json_set(body, "model", spk_json_text(params->model));
	spk_json_set(body, "max_tokens",
		     json_integer(params->max_tokens > 0 ? params->max_tokens
							 : DEFAULT_MAX_TOKENS));
	if (!(params->quirks & SPK_QUIRK_NO_TEMPERATURE))
		spk_json_set(body, "temperature",
			     json_real(MIN(params->temperature, 1.0)));
	spk_json_set(body, "stream", json_true());
	if (json_array_size(request->tools))
		spk_json_set(body, "tools", tools_of(request->tools, params->quirks));
	if (has_text(system)) {
		json_t *block = text_block(system);

		mark_cached(block, params->quirks);
		spk_json_set(body, "system", json_pack("[o]", block));
	}
	spk_json_set(body, "messages", turns_of(request->messages, rest, params->quirks));
	return body;
}

/* ---- answers ---- */

static gint64 or_none(gint64 tokens)
{
	return MAX(tokens, 0);
}

/* Counts come at the start and, those of the answer, again at the end; each only replaces
 * what it names. What was read from the cache or written into it is not in input_tokens. */
static void take_usage(SpkAnswer *answer, const json_t *usage)
{
	SpkUsage *sum = &answer->usage;
	gint64 input = spk_answer_count(usage, "input_tokens");
	gint64 output = spk_answer_count(usage, "output_tokens");
	gint64 read = spk_answer_count(usage, "cache_read_input_tokens");
	gint64 written = spk_answer_count(usage, "cache_creation_input_tokens");

	if (input >= 0) {
		/* the final counts of some servers leave the cache out: keep it then */
		sum->cached = read >= 0 ? read : sum->cached;
		sum->cache_write = written >= 0 ? written : sum->cache_write;
		sum->input = input + or_none(sum->cached) + or_none(sum->cache_write);
	}
	if (output >= 0)
		sum->output = output;
}

static void take_stop(SpkAnswer *answer, const char *reason)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "end_turn", "stop" },
		{ "stop_sequence", "stop" },
		{ "pause_turn", "stop" },
		{ "tool_use", "tool_calls" },
		{ "max_tokens", "length" },
		{ "model_context_window_exceeded", "length" },
		{ "refusal", "content_filter" },
	};

	for (gsize i = 0; reason && i < G_N_ELEMENTS(words); i++)
		if (strcmp(reason, words[i].theirs) == 0)
			reason = words[i].ours;
	spk_answer_set_finish(answer, reason);
}

typedef struct {
	char index[32];
	const char *list[2];
} Key;

static void read_key(Key *key, gint64 index)
{
	g_snprintf(key->index, sizeof(key->index), "%" G_GINT64_FORMAT, index);
	key->list[0] = key->index;
	key->list[1] = NULL;
}

static gboolean take_block(SpkAnswer *answer, gint64 index, const json_t *block,
			   GError **error)
{
	const char *type = spk_json_str(block, "type");
	const json_t *input = json_object_get(block, "input");
	Key key;

	read_key(&key, index);
	if (g_strcmp0(type, "text") == 0)
		return spk_answer_add_text(answer, spk_json_str(block, "text"), error);
	if (g_strcmp0(type, "tool_use") != 0)
		return TRUE; /* thoughts, tools that the server runs */
	spk_answer_note_first(answer);
	return spk_calls_begin(answer->calls, key.list, spk_json_str(block, "id"),
			       spk_json_str(block, "name"), error) &&
	       (!json_object_size(input) ||
		spk_calls_whole(answer->calls, key.list, input, error));
}

static gboolean on_block(SpkAnswer *answer, const json_t *event, GError **error)
{
	return take_block(answer, spk_json_int(event, "index", 0),
			  json_object_get(event, "content_block"), error);
}

static gboolean on_delta(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *delta = json_object_get(event, "delta");
	const char *type = spk_json_str(delta, "type");
	Key key;

	read_key(&key, spk_json_int(event, "index", 0));
	if (g_strcmp0(type, "text_delta") == 0)
		return spk_answer_add_text(answer, spk_json_str(delta, "text"), error);
	/* a tool that the server runs has such deltas too, and never began for us */
	if (g_strcmp0(type, "input_json_delta") != 0 ||
	    !spk_calls_has(answer->calls, key.list))
		return TRUE;
	return spk_calls_more(answer->calls, key.list,
			      spk_json_str(delta, "partial_json"), error);
}

/* A call without arguments has no deltas. */
static gboolean on_block_stop(SpkAnswer *answer, const json_t *event, GError **error)
{
	g_autoptr(json_t) none = json_object();
	Key key;

	read_key(&key, spk_json_int(event, "index", 0));
	return spk_calls_whole(answer->calls, key.list, none, error);
}

static gboolean on_start(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *message = json_object_get(event, "message");

	answer->began = TRUE;
	spk_answer_set_model(answer, spk_json_str(message, "model"));
	take_usage(answer, json_object_get(message, "usage"));
	return TRUE;
}

static gboolean on_message_delta(SpkAnswer *answer, const json_t *event, GError **error)
{
	take_usage(answer, json_object_get(event, "usage"));
	take_stop(answer, spk_json_str(json_object_get(event, "delta"), "stop_reason"));
	return TRUE;
}

static gboolean on_stop(SpkAnswer *answer, const json_t *event, GError **error)
{
	answer->done = TRUE;
	return TRUE;
}

static gboolean on_whole(SpkAnswer *answer, const json_t *event, GError **error)
{
	const json_t *block;
	gsize i;

	answer->began = TRUE;
	spk_answer_set_model(answer, spk_json_str(event, "model"));
	take_usage(answer, json_object_get(event, "usage"));
	take_stop(answer, spk_json_str(event, "stop_reason"));
	json_array_foreach(json_object_get(event, "content"), i, block) {
		g_autoptr(json_t) at = json_pack("{s:I}", "index", (json_int_t)i);

		if (!take_block(answer, (gint64)i, block, error) ||
		    !on_block_stop(answer, at, error))
			return FALSE;
	}
	return TRUE;
}

/* Others, as `ping` and whatever is new, say nothing that counts. */
static const struct {
	const char *type;
	gboolean (*take)(SpkAnswer *answer, const json_t *event, GError **error);
} events[] = {
	{ "message_start", on_start },
	{ "content_block_start", on_block },
	{ "content_block_delta", on_delta },
	{ "content_block_stop", on_block_stop },
	{ "message_delta", on_message_delta },
	{ "message_stop", on_stop },
	{ "message", on_whole },
	{ "error", spk_answer_fail },
};

static gboolean messages_take(SpkAnswer *answer, const json_t *event, GError **error)
{
	const char *type = spk_json_str(event, "type");

	for (gsize i = 0; type && i < G_N_ELEMENTS(events); i++)
		if (strcmp(type, events[i].type) == 0)
			return events[i].take(answer, event, error);
	return !json_object_get(event, "error") || spk_answer_fail(answer, event, error);
}

const SpkWire spk_wire_messages = {
	.name = "messages",
	.what = "a Messages API",
	.root = "/v1",
	.path = "/messages",
	.list = "/models",
	.key_header = "x-api-key: ",
	.extra = "anthropic-version: 2023-06-01",
	.can = SPK_CAN_TOOLS,
	.body = messages_body,
	.take = messages_take,
};
