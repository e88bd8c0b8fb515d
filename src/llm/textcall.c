#include "llm/textcall_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define ANSWER_MAX (4u << 20)

/* ---- what the model is told ---- */

static const char *name_of(const json_t *tool)
{
	return spk_json_str(json_object_get(tool, "function"), "name");
}

static char *explain(const json_t *tools)
{
	GString *out = g_string_new(
		"\n\nHow you answer: with one JSON object and nothing else, in this form:\n"
		"{\"say\": \"a few words for the user\", \"tool\": \"NAME\", \"arguments\": {…}}\n"
		"calls one tool; its result comes in the next message. Without a call: "
		"{\"say\": \"…\", \"tool\": null}.\nThe tools, with the JSON Schema of their "
		"arguments:");
	const json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool) {
		const json_t *function = json_object_get(tool, "function");
		const char *what = spk_json_str(function, "description");
		g_autofree char *schema =
			spk_json_canon(json_object_get(function, "parameters"));

		g_string_append_printf(out, "\n- %s: %s %s", name_of(tool),
				       what ? what : "", schema);
	}
	return g_string_free(out, FALSE);
}

/* A call of the history as the model would have written it. */
static void add_call(GString *out, const char *say, const json_t *call)
{
	const json_t *function = json_object_get(call, "function");
	const char *text = spk_json_str(function, "arguments");
	json_t *arguments = text ? spk_json_parse(text, strlen(text), SPK_JSON_MAX, NULL)
				 : NULL;
	g_autoptr(json_t)
		object = json_pack("{s:o,s:o,s:o}", "say", spk_json_text(say), "tool",
				   spk_json_text(spk_json_str(function, "name")),
				   "arguments", arguments ? arguments : json_object());
	g_autofree char *line = spk_json_dump(object);

	g_string_append_printf(out, "%s%s", out->len ? "\n" : "", line);
}

static char *answer_text(const json_t *message)
{
	const json_t *calls = json_object_get(message, "tool_calls"), *call;
	const char *say = spk_json_str(message, "content");
	GString *out = g_string_new(NULL);
	size_t i;

	json_array_foreach(calls, i, call)
		add_call(out, i || !say ? "" : say, call);
	if (!json_array_size(calls)) {
		g_autoptr(json_t) object = json_pack(
			"{s:o,s:n}", "say", spk_json_text(say ? say : ""), "tool");
		g_autofree char *line = spk_json_dump(object);

		g_string_append(out, line);
	}
	return g_string_free(out, FALSE);
}

static json_t *plain(const char *role, const char *text)
{
	return json_pack("{s:s,s:o}", "role", role, "content", spk_json_text(text));
}

static json_t *as_text(const json_t *message, const char *explanation)
{
	const char *role = spk_json_str(message, "role");
	const char *content = spk_json_str(message, "content");
	g_autofree char *text = NULL;

	if (!g_strcmp0(role, "system")) {
		text = g_strconcat(content ? content : "", explanation, NULL);
		return plain("system", text);
	}
	if (!g_strcmp0(role, "assistant")) {
		text = answer_text(message);
		return plain("assistant", text);
	}
	if (!g_strcmp0(role, "tool")) {
		text = g_strconcat("Result of the call:\n", content ? content : "", NULL);
		return plain("user", text);
	}
	return json_deep_copy(message);
}

/* ---- the schema of an answer ---- */

static json_t *call_schema(const json_t *tool)
{
	json_t *parameters =
		json_object_get(json_object_get(tool, "function"), "parameters");

	return json_pack("{s:s,s:{s:{s:s,s:i},s:{s:s},s:O},s:[s,s,s],s:b}", "type",
			 "object", "properties", "say", "type", "string", "maxLength",
			 300, "tool", "const", name_of(tool), "arguments", parameters,
			 "required", "say", "tool", "arguments", "additionalProperties",
			 FALSE);
}

static json_t *answer_schema(const json_t *tools)
{
	json_t *any = json_array();
	const json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
		json_array_append_new(any, call_schema(tool));
	json_array_append_new(any, json_pack("{s:s,s:{s:{s:s,s:i},s:{s:s}},s:[s,s],s:b}",
					     "type", "object", "properties", "say",
					     "type", "string", "maxLength", 300, "tool",
					     "type", "null", "required", "say", "tool",
					     "additionalProperties", FALSE));
	return json_pack("{s:o}", "anyOf", any);
}

SpkLlmRequest spk_textcall_request(const SpkLlmRequest *request, gboolean held)
{
	g_autofree char *explanation = explain(request->tools);
	SpkLlmRequest text = *request;
	const json_t *message;
	size_t i;

	text.messages = json_array();
	text.tools = NULL;
	text.schema = held ? answer_schema(request->tools) : NULL;
	json_array_foreach(request->messages, i, message)
		json_array_append_new(text.messages, as_text(message, explanation));
	return text;
}

/* ---- the answer ---- */

static gboolean wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean wrong(GError **error, const char *format, ...)
{
	g_autofree char *why = NULL, *clean = NULL;
	va_list args;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	/* a cut may go through a character */
	clean = spk_text_clean(why, -1, SPK_CLEAN_LINE);
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "%s", clean);
	return FALSE;
}

static gboolean is_tool(const json_t *tools, const char *name)
{
	const json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
		if (!g_strcmp0(name_of(tool), name))
			return TRUE;
	return FALSE;
}

static char *tool_names(const json_t *tools)
{
	GString *out = g_string_new(NULL);
	const json_t *tool;
	size_t i;

	json_array_foreach(tools, i, tool)
		g_string_append_printf(out, "%s%s", i ? ", " : "", name_of(tool));
	return g_string_free(out, FALSE);
}

static gboolean check_keys(const json_t *object, GError **error)
{
	static const char *const known[] = { "say", "tool", "arguments", NULL };
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)object, key, value)
		if (!g_strv_contains(known, key))
			return wrong(error,
				     "the key \"%.40s\" is none of say, tool, arguments",
				     key);
	if (!json_is_string(json_object_get(object, "say")))
		return wrong(error, "\"say\" must be there and be a string");
	return TRUE;
}

static gboolean check(const json_t *object, const json_t *tools, GError **error)
{
	const json_t *tool = json_object_get(object, "tool");
	const json_t *arguments = json_object_get(object, "arguments");
	g_autofree char *names = NULL;

	if (!check_keys(object, error))
		return FALSE;
	if (!tool || json_is_null(tool))
		return !arguments || json_is_null(arguments) ||
		       (json_is_object(arguments) && !json_object_size(arguments)) ||
		       wrong(error, "there are arguments, but \"tool\" names no tool");
	if (!json_is_string(tool))
		return wrong(error, "\"tool\" must be the name of a tool, or null");
	if (!is_tool(tools, json_string_value(tool))) {
		names = tool_names(tools);
		return wrong(error, "there is no tool \"%.60s\"; there are %s",
			     json_string_value(tool), names);
	}
	return json_is_object(arguments) ||
	       wrong(error, "\"arguments\" must be an object, {} when there are none");
}

/* Characters are counted from 1, as people and models do. */
static json_t *parse(const char *text, GError **error)
{
	json_error_t where;
	json_t *object;

	if (*text != '{') {
		wrong(error,
		      "it must begin with { and be one JSON object; it begins with "
		      "\"%.20s\"",
		      text);
		return NULL;
	}
	object = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, &where);
	if (!object)
		wrong(error, "it is no JSON object at character %d: %s",
		      where.position + 1, where.text);
	return object;
}

static void become_call(SpkLlmReply *reply, const json_t *object, guint turn)
{
	const char *name = spk_json_str(object, "tool");
	g_autofree char *id = g_strdup_printf("call_%u_0", turn);
	g_autofree char *arguments = NULL;

	g_free(reply->text);
	reply->text = g_strdup(spk_json_str(object, "say"));
	if (!name)
		return;
	arguments = spk_json_dump(json_object_get(object, "arguments"));
	json_array_append_new(reply->tool_calls,
			      json_pack("{s:s,s:s,s:o}", "id", id, "name", name,
					"arguments", spk_json_text(arguments)));
	g_free(reply->finish);
	reply->finish = g_strdup("tool_calls");
}

gboolean spk_textcall_parse(SpkLlmReply *reply, const json_t *tools, guint turn,
			    GError **error)
{
	g_autofree char *text = g_strstrip(g_strdup(reply->text));
	g_autoptr(json_t) object = NULL;

	if (strlen(text) > ANSWER_MAX)
		return wrong(error, "it is longer than 4 MiB");
	object = parse(text, error);
	if (!object || !check(object, tools, error))
		return FALSE;
	become_call(reply, object, turn);
	return TRUE;
}

/* ---- the words as they stream ---- */

void spk_textsay_init(SpkTextSay *say)
{
	*say = (SpkTextSay){ SAY_BEFORE, g_string_new(NULL) };
}

void spk_textsay_clear(SpkTextSay *say)
{
	if (say->pending)
		g_string_free(say->pending, TRUE);
	*say = (SpkTextSay){ 0 };
}

/* {"say":" with white space where JSON has it; TRUE once it is past. */
static gboolean skip_opening(SpkTextSay *say)
{
	static const char *const parts[] = { "{", "\"say\"", ":", "\"" };
	const char *at = say->pending->str;

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		at += strspn(at, " \t\r\n");
		if (g_str_has_prefix(at, parts[i])) {
			at += strlen(parts[i]);
			continue;
		}
		/* something else than our form: nothing of it is shown */
		if (strncmp(parts[i], at, strlen(at)) != 0)
			say->state = SAY_AFTER;
		return FALSE;
	}
	g_string_erase(say->pending, 0, at - say->pending->str);
	say->state = SAY_INSIDE;
	return TRUE;
}

/* Bytes of the first character or escape inside a JSON string; 0: it is not whole yet. */
static gsize unit_len(const char *text)
{
	gsize len = g_utf8_skip[(guchar)*text];

	if (*text == '\\')
		len = text[1] == 'u' ? 6 : 2;
	/* the first half of a pair */
	if (len == 6 && g_ascii_strncasecmp(text + 2, "d8", 2) >= 0 &&
	    g_ascii_strncasecmp(text + 2, "dc", 2) < 0)
		len = 12;
	return strnlen(text, len) < len ? 0 : len;
}

/* What is no JSON is explained later; it is not shown. */
static void decode_unit(GString *out, const char *text, gsize len)
{
	g_autofree char *quoted = g_strdup_printf("\"%.*s\"", (int)len, text);
	g_autoptr(json_t) value = json_loads(quoted, JSON_DECODE_ANY, NULL);

	if (json_is_string(value))
		g_string_append(out, json_string_value(value));
}

char *spk_textsay_feed(SpkTextSay *say, const char *piece)
{
	GString *out = g_string_new(NULL);
	const char *at;
	gsize len;

	if (say->state != SAY_AFTER)
		g_string_append(say->pending, piece);
	if (say->state == SAY_AFTER || (say->state == SAY_BEFORE && !skip_opening(say)))
		return g_string_free(out, FALSE);
	for (at = say->pending->str; *at && *at != '"' && (len = unit_len(at)); at += len)
		decode_unit(out, at, len);
	if (*at == '"')
		say->state = SAY_AFTER;
	g_string_erase(say->pending, 0, at - say->pending->str);
	return g_string_free(out, FALSE);
}
