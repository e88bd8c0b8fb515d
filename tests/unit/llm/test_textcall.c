/* The text protocol: what the model is told, what is accepted of it, what is shown of it. */
#include "test_llm.h"

#include <string.h>

#include "base/json.h"
#include "llm/textcall_priv.h"

static json_t *tools(void)
{
	return json_pack("[{s:s,s:{s:s,s:s,s:{s:s,s:{s:{s:s}}}}}]", "type", "function",
			 "function", "name", "shell", "description", "runs a command",
			 "parameters", "type", "object", "properties", "command", "type",
			 "string");
}

static SpkLlmReply reply_of(const char *text)
{
	return (SpkLlmReply){ .text = g_strdup(text),
			      .tool_calls = json_array(),
			      .finish = g_strdup("stop") };
}

static void test_a_call(void **state)
{
	g_autoptr(json_t) offered = tools();
	g_auto(SpkLlmReply) reply = reply_of(
		" {\"say\": \"I look.\",\n\"tool\": \"shell\", \"arguments\": {\"command\": \"ls\"}}\n");
	g_autoptr(GError) error = NULL;
	const json_t *call;

	assert_true(spk_textcall_parse(&reply, offered, 3, &error));
	assert_string_equal(reply.text, "I look.");
	assert_string_equal(reply.finish, "tool_calls");
	assert_int_equal(json_array_size(reply.tool_calls), 1);
	call = json_array_get(reply.tool_calls, 0);
	assert_string_equal(spk_json_str(call, "id"), "call_3_0");
	assert_string_equal(spk_json_str(call, "name"), "shell");
	assert_string_equal(spk_json_str(call, "arguments"), "{\"command\":\"ls\"}");
}

static void test_words_alone(void **state)
{
	static const char *const texts[] = {
		"{\"say\":\"Hi.\"}",
		"{\"say\":\"Hi.\",\"tool\":null}",
		"{\"say\":\"Hi.\",\"tool\":null,\"arguments\":{}}",
	};
	g_autoptr(json_t) offered = tools();

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(SpkLlmReply) reply = reply_of(texts[i]);

		assert_true(spk_textcall_parse(&reply, offered, 0, NULL));
		assert_string_equal(reply.text, "Hi.");
		assert_int_equal(json_array_size(reply.tool_calls), 0);
	}
}

static void test_what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "Hello", "must begin with {" },
		{ "", "must begin with {" },
		{ "```json\n{}\n```", "must begin with {" },
		{ "{\"say\":\"x\" \"tool\":null}", "at character 18" },
		{ "{\"say\":\"x\"} and more", "at character" },
		{ "{\"say\":\"x\",\"say\":\"y\"}", "duplicate" },
		{ "{\"tool\":\"shell\",\"arguments\":{}}", "\"say\" must be there" },
		{ "{\"say\":1}", "\"say\" must be there" },
		{ "{\"say\":\"x\",\"call\":1}", "\"call\" is none of" },
		{ "{\"say\":\"x\",\"tool\":7}", "must be the name of a tool" },
		{ "{\"say\":\"x\",\"tool\":\"rm\",\"arguments\":{}}",
		  "no tool \"rm\"; there are shell" },
		{ "{\"say\":\"x\",\"tool\":\"shell\"}",
		  "\"arguments\" must be an object" },
		{ "{\"say\":\"x\",\"tool\":\"shell\",\"arguments\":\"ls\"}",
		  "\"arguments\" must be an object" },
		{ "{\"say\":\"x\",\"arguments\":{\"a\":1}}", "names no tool" },
		{ "[1]", "must begin with {" },
	};
	g_autoptr(json_t) offered = tools();

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SpkLlmReply) reply = reply_of(rows[i].text);
		g_autoptr(GError) error = NULL;

		assert_false(spk_textcall_parse(&reply, offered, 0, &error));
		assert_error(error, SPK_ERR_BAD_INPUT, rows[i].why);
		assert_string_equal(reply.text, rows[i].text);
	}
}

static void test_the_request(void **state)
{
	g_auto(SpkLlmRequest) request = request_of(2);
	SpkLlmRequest one = spk_textcall_request(&request, TRUE);
	SpkLlmRequest other = spk_textcall_request(&request, FALSE);
	g_autofree char *first = spk_json_dump(one.messages);
	g_autofree char *second = spk_json_dump(other.messages);
	const json_t *message;
	size_t i;

	assert_string_equal(first, second);
	assert_non_null(strstr(first, "shell"));
	assert_null(one.tools);
	assert_null(other.schema);
	assert_int_equal(json_array_size(json_object_get(one.schema, "anyOf")), 2);
	json_array_foreach(one.messages, i, message) {
		assert_null(json_object_get(message, "tool_calls"));
		assert_string_not_equal(spk_json_str(message, "role"), "tool");
		if (!strcmp(spk_json_str(message, "role"), "assistant")) {
			g_auto(SpkLlmReply)
				reply = reply_of(spk_json_str(message, "content"));

			/* the model reads its own calls in the form it is to write */
			assert_true(spk_textcall_parse(&reply, request.tools, 0, NULL));
		}
	}
	json_decref(one.messages);
	json_decref(one.schema);
	json_decref(other.messages);
}

static char *said(const char *text, gsize step)
{
	GString *out = g_string_new(NULL);
	SpkTextSay say;

	spk_textsay_init(&say);
	for (gsize at = 0; at < strlen(text); at += step) {
		g_autofree char *piece = g_strndup(text + at, step);
		g_autofree char *more = spk_textsay_feed(&say, piece);

		g_string_append(out, more);
	}
	spk_textsay_clear(&say);
	return g_string_free(out, FALSE);
}

static void test_words_as_they_stream(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "{\"say\": \"I \\\"look\\\"\\nnow \\u00e4 \\ud83d\\ude42.\", \"tool\": \"shell\"}",
		  "I \"look\"\nnow ä 🙂." },
		{ " {\n \"say\" : \"\", \"tool\": null}", "" },
		{ "{\"tool\": \"shell\", \"say\": \"late\"}", "" },
		{ "Just words.", "" },
		{ "{\"say\": \"cut off \\u00", "cut off " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize step = 1; step < 40; step++) {
			g_autofree char *text = said(rows[i].text, step);

			assert_string_equal(text, rows[i].want);
		}
}

const struct CMUnitTest textcall_tests[] = {
	cmocka_unit_test(test_a_call),
	cmocka_unit_test(test_words_alone),
	cmocka_unit_test(test_what_is_wrong_is_told),
	cmocka_unit_test(test_the_request),
	cmocka_unit_test(test_words_as_they_stream),
};
const size_t n_textcall_tests = G_N_ELEMENTS(textcall_tests);
