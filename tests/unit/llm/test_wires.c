/* Answers of the wires other than chat completions, as servers really send them, fed in
 * pieces of every size. */
#include "test_llm.h"

#include <string.h>

#include "llm/stream_priv.h"

#define D(data) "data: " data "\n\n"
/* the event's name stands in the data, too */
#define E(type, more) "event: " type "\ndata: {\"type\":\"" type "\"" more "}\n\n"
#define L(line)	      line "\n"

/* ---- responses ---- */
#define CREATED               \
	E("response.created", \
	  ",\"response\":{\"id\":\"r\",\"model\":\"m1\",\"status\":\"in_progress\"}")
#define TEXT(delta)                     \
	E("response.output_text.delta", \
	  ",\"item_id\":\"i\",\"output_index\":0,\"delta\":\"" delta "\"")
#define ENDED(response) \
	E("response.completed", ",\"response\":{\"status\":\"completed\"" response "}")
#define USED \
	",\"usage\":{\"input_tokens\":9,\"output_tokens\":2,\"input_tokens_details\":{\"cached_tokens\":4}}"
#define ADDED(index, item)              \
	E("response.output_item.added", \
	  index ",\"item\":{\"type\":\"function_call\"" item "}")
#define ARGS(where, delta) \
	E("response.function_call_arguments.delta", where ",\"delta\":\"" delta "\"")
#define ITEM(index, item)              \
	E("response.output_item.done", \
	  index ",\"item\":{\"type\":\"function_call\"" item "}")
#define INDEX(n) ",\"output_index\":" n

/* ---- messages ---- */
#define START                                                                                \
	E("message_start",                                                                   \
	  ",\"message\":{\"role\":\"assistant\",\"content\":[],\"model\":\"m2\",\"usage\":{" \
	  "\"input_tokens\":3,\"cache_creation_input_tokens\":20,\"cache_read_input_tokens\":100,\"output_tokens\":1}}")
#define BLOCK(n, block) \
	E("content_block_start", ",\"index\":" n ",\"content_block\":{" block "}")
#define DELTA(n, delta) E("content_block_delta", ",\"index\":" n ",\"delta\":{" delta "}")
#define WORDS(n, text)	DELTA(n, "\"type\":\"text_delta\",\"text\":\"" text "\"")
#define JSON(n, text) \
	DELTA(n, "\"type\":\"input_json_delta\",\"partial_json\":\"" text "\"")
#define STOP(n) E("content_block_stop", ",\"index\":" n)
#define ENDS(why)                                                                      \
	E("message_delta",                                                             \
	  ",\"delta\":{\"stop_reason\":\"" why "\"},\"usage\":{\"output_tokens\":12}") \
	E("message_stop", "")

/* clang-format off */
static const struct {
	const SpkWire *wire;
	const char *what, *body, *wanted;	/* wanted: a prefix */
} cases[] = {
	{ &spk_wire_responses, "plain text",
	  CREATED TEXT("Hel") TEXT("lo") ENDED(USED), "Hello / / stop / 9,2,4" },
	{ &spk_wire_responses, "text and two calls, interleaved",
	  CREATED E("response.in_progress", "") E("response.output_item.added", ",\"output_index\":0,\"item\":{\"type\":\"reasoning\"}")
	  E("response.reasoning_summary_text.delta", ",\"delta\":\"hm\"") TEXT("I look.")
	  ADDED(INDEX("1"), ",\"id\":\"fc1\",\"call_id\":\"c1\",\"name\":\"a\",\"arguments\":\"\"")
	  ADDED(INDEX("2"), ",\"id\":\"fc2\",\"call_id\":\"c2\",\"name\":\"b\",\"arguments\":\"\"")
	  ARGS(INDEX("1") ",\"item_id\":\"fc1\"", "{\\\"x\\\"") ARGS(INDEX("2") ",\"item_id\":\"fc2\"", "{}")
	  ARGS(INDEX("1") ",\"item_id\":\"fc1\"", ":1}")
	  E("response.function_call_arguments.done", ",\"item_id\":\"fc1\",\"arguments\":\"{\\\"x\\\":1}\"")
	  ITEM(INDEX("1"), ",\"id\":\"fc1\",\"call_id\":\"c1\",\"name\":\"a\",\"arguments\":\"{\\\"x\\\":1}\"")
	  ENDED(USED ",\"output\":[{\"type\":\"function_call\",\"id\":\"fc1\",\"call_id\":\"c1\",\"name\":\"a\",\"arguments\":\"{\\\"x\\\":1}\"}]"),
	  "I look. / c1:a({\"x\":1}) c2:b({}) / tool_calls / 9,2,4" },
	{ &spk_wire_responses, "fragments name only the place, the item has an id",
	  CREATED ADDED(INDEX("0"), ",\"id\":\"fc1\",\"call_id\":\"c1\",\"name\":\"a\"") ARGS(INDEX("0"), "{}")
	  ENDED(",\"output\":[{\"type\":\"function_call\",\"id\":\"fc1\",\"call_id\":\"c1\",\"name\":\"a\",\"arguments\":\"{}\"}]"),
	  " / c1:a({}) / tool_calls / -1,-1,-1" },
	{ &spk_wire_responses, "fragments name the call (llama.cpp)",
	  CREATED ADDED("", ",\"call_id\":\"fc_1\",\"name\":\"a\",\"arguments\":\"\"") ARGS(",\"item_id\":\"fc_1\"", "{}")
	  ITEM("", ",\"call_id\":\"fc_1\",\"name\":\"a\",\"arguments\":\"{}\"") ENDED(""), " / fc_1:a({}) / tool_calls" },
	{ &spk_wire_responses, "arguments only at the end of the item",
	  CREATED ITEM(INDEX("0"), ",\"id\":\"x\",\"call_id\":\"c1\",\"name\":\"a\",\"arguments\":\"{}\"") ENDED(""),
	  " / c1:a({}) / tool_calls" },
	{ &spk_wire_responses, "everything only at the end",
	  CREATED ENDED(",\"output\":[{\"type\":\"reasoning\"},{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]},"
	  "{\"type\":\"function_call\",\"name\":\"x\",\"arguments\":\"{}\"},{\"type\":\"function_call\",\"name\":\"y\",\"arguments\":\"{}\"}]"),
	  "a / call_3_0:x({}) call_3_1:y({}) / tool_calls" },
	{ &spk_wire_responses, "a summary of thoughts is not the answer", CREATED E("response.reasoning_summary_text.delta", ",\"delta\":\"h\"")
	  E("response.reasoning_summary_text.done", ",\"text\":\"hm\"") TEXT("a") ENDED(""), "a / / stop" },
	{ &spk_wire_responses, "refusal", CREATED E("response.refusal.delta", ",\"delta\":\"no\"") ENDED(""), "no / / stop" },
	{ &spk_wire_responses, "cut by length", CREATED TEXT("a")
	  E("response.incomplete", ",\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}" USED "}"),
	  "a / / length / 9,2,4" },
	{ &spk_wire_responses, "a call cut by length", CREATED ADDED(INDEX("0"), ",\"call_id\":\"c\",\"name\":\"a\"") ARGS(INDEX("0"), "{")
	  E("response.incomplete", ",\"response\":{\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}"), " / c:a({) / length" },
	{ &spk_wire_responses, "filtered", CREATED
	  E("response.incomplete", ",\"response\":{\"incomplete_details\":{\"reason\":\"content_filter\"}}"), " / / content_filter" },
	{ &spk_wire_responses, "nothing after the end counts", CREATED TEXT("a") ENDED("") D("junk"), "a / / stop" },
	{ &spk_wire_responses, "DONE after the end", CREATED TEXT("a") ENDED("") D("[DONE]"), "a / / stop" },
	{ &spk_wire_responses, "failed", CREATED E("response.failed", ",\"response\":{\"status\":\"failed\",\"error\":{\"code\":"
	  "\"rate_limit_exceeded\",\"message\":\"slow\"}}"), "rate_limited: the server asks to slow down: slow" },
	{ &spk_wire_responses, "failed, in the end's words", CREATED
	  ENDED(",\"status2\":1") , " / / stop" },
	{ &spk_wire_responses, "an error event", CREATED TEXT("a") E("error", ",\"code\":\"context_length_exceeded\",\"message\":\"m\",\"param\":null"),
	  "context_length: the request is longer" },
	{ &spk_wire_responses, "a wrapped error", D("{\"error\":{\"message\":\"m\",\"code\":503}}"), "provider_unavailable: the server failed (HTTP 503)" },
	{ &spk_wire_responses, "broken off", CREATED TEXT("a"), "provider_unavailable: broken stream" },
	{ &spk_wire_responses, "broken off at once", CREATED, "provider_unavailable: broken stream" },
	{ &spk_wire_responses, "garbage", CREATED D("{oops}"), "provider_bad_reply: not JSON" },
	{ &spk_wire_responses, "chat completions instead", D("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}") D("[DONE]"),
	  "provider_bad_reply: there is no completion" },
	{ &spk_wire_responses, "arguments of no call", CREATED ARGS(INDEX("0"), "{}") ENDED(""),
	  "provider_bad_reply: arguments came for a tool call that never began" },
	{ &spk_wire_responses, "a call without a name", CREATED ADDED(INDEX("0"), "") ENDED(""), "provider_bad_reply: tool call 1" },
	{ &spk_wire_responses, "odd types", CREATED E("response.output_text.delta", ",\"delta\":7") E("response.output_item.added", ",\"item\":[]")
	  E("response.output_item.done", "") D("{\"type\":null}") D("{\"type\":\"error.of.tomorrow\"}") TEXT("a") ENDED(",\"output\":7,\"usage\":7"), "a / / stop" },
	{ &spk_wire_responses, "not streamed", "{\"object\":\"response\",\"status\":\"completed\",\"model\":\"m\",\"output\":[{\"type\":\"message\","
	  "\"content\":[{\"type\":\"output_text\",\"text\":\"a\"},{\"type\":\"output_text\",\"text\":\"b\"}]}]" USED "}", "ab / / stop / 9,2,4" },
	{ &spk_wire_responses, "not streamed, failed", "{\"object\":\"response\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
	  "\"message\":\"m\"}}", "provider_unavailable: the server ended the answer with an error: m" },

	{ &spk_wire_messages, "plain text", START BLOCK("0", "\"type\":\"text\",\"text\":\"\"") E("ping", "") WORDS("0", "Hel") WORDS("0", "lo")
	  STOP("0") ENDS("end_turn"), "Hello / / stop / 123,12,100,20" },
	{ &spk_wire_messages, "text and two calls", START BLOCK("0", "\"type\":\"text\",\"text\":\"I \"") WORDS("0", "look.") STOP("0")
	  BLOCK("1", "\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\",\"input\":{}") JSON("1", "") JSON("1", "{\\\"x\\\"") JSON("1", ":1}") STOP("1")
	  BLOCK("2", "\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"b\",\"input\":{}") STOP("2") ENDS("tool_use"),
	  "I look. / t1:a({\"x\":1}) t2:b({}) / tool_calls / 123,12,100,20" },
	{ &spk_wire_messages, "blocks interleaved", START BLOCK("0", "\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\",\"input\":{}")
	  BLOCK("1", "\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"b\",\"input\":{}") JSON("0", "{\\\"x\\\"") JSON("1", "{\\\"y\\\"") JSON("0", ":1}")
	  JSON("1", ":2}") STOP("0") STOP("1") ENDS("tool_use"), " / t1:a({\"x\":1}) t2:b({\"y\":2}) / tool_calls" },
	{ &spk_wire_messages, "input at once", START BLOCK("0", "\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\",\"input\":{\"x\":1}") STOP("0")
	  ENDS("tool_use"), " / t1:a({\"x\":1}) / tool_calls" },
	{ &spk_wire_messages, "thoughts and tools of the server are nothing", START
	  BLOCK("0", "\"type\":\"thinking\",\"thinking\":\"\"") DELTA("0", "\"type\":\"thinking_delta\",\"thinking\":\"hm\"")
	  DELTA("0", "\"type\":\"signature_delta\",\"signature\":\"x\"") STOP("0")
	  BLOCK("1", "\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web\"") JSON("1", "{}") STOP("1")
	  BLOCK("2", "\"type\":\"text\",\"text\":\"\"") WORDS("2", "a") ENDS("end_turn"), "a / / stop" },
	{ &spk_wire_messages, "cut by length", START WORDS("0", "a") ENDS("max_tokens"), "a / / length" },
	{ &spk_wire_messages, "window full", START WORDS("0", "a") ENDS("model_context_window_exceeded"), "a / / length" },
	{ &spk_wire_messages, "refused", START ENDS("refusal"), " / / content_filter" },
	{ &spk_wire_messages, "a stop of tomorrow", START WORDS("0", "a") ENDS("tired"), "a / / tired" },
	{ &spk_wire_messages, "no cache in the usage", E("message_start", ",\"message\":{\"usage\":{\"input_tokens\":3}}") WORDS("0", "a")
	  ENDS("end_turn"), "a / / stop / 3,12,-1" },
	{ &spk_wire_messages, "the usage of the end counts", START WORDS("0", "a")
	  E("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":5,\"output_tokens\":7}") E("message_stop", ""),
	  "a / / stop / 125,7,100,20" },
	{ &spk_wire_messages, "an error", START WORDS("0", "a") E("error", ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}"),
	  "provider_unavailable: the server failed: busy" },
	{ &spk_wire_messages, "an error of ours", E("error", ",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"bad\"}"),
	  "provider_refused: the server refuses the request: bad" },
	{ &spk_wire_messages, "too long", E("error", ",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 9 tokens > 8\"}"),
	  "context_length" },
	{ &spk_wire_messages, "stop without a reason", START WORDS("0", "a") E("message_stop", ""), "a / / stop" },
	{ &spk_wire_messages, "broken off", START WORDS("0", "a"), "provider_unavailable: broken stream" },
	{ &spk_wire_messages, "garbage", START D("{\"type\":"), "provider_bad_reply: not JSON" },
	{ &spk_wire_messages, "chat completions instead", D("{\"choices\":[]}") D("[DONE]"), "provider_bad_reply: there is no completion" },
	{ &spk_wire_messages, "odd types", START BLOCK("0", "\"type\":7") DELTA("7", "\"type\":\"input_json_delta\",\"partial_json\":\"{\"")
	  E("content_block_start", "") E("content_block_delta", ",\"delta\":null") E("content_block_stop", ",\"index\":\"x\"") E("new_thing", "")
	  WORDS("0", "a") ENDS("end_turn"), "a / / stop" },
	{ &spk_wire_messages, "not streamed", "{\"type\":\"message\",\"model\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"tool_use\","
	  "\"id\":\"t\",\"name\":\"x\",\"input\":{}},{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"y\",\"input\":{\"z\":1}}],\"stop_reason\":\"tool_use\","
	  "\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}", "a / t:x({}) u:y({\"z\":1}) / tool_calls / 1,2,-1" },

	{ &spk_wire_ollama, "plain text", L("{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"done\":false}")
	  L("{\"message\":{\"content\":\"lo\"},\"done\":false}") L("{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\","
	  "\"prompt_eval_count\":9,\"eval_count\":2}"), "Hello / / stop / 9,2,-1" },
	{ &spk_wire_ollama, "CRLF, empty lines, no end of line", "\r\n{\"message\":{\"content\":\"a\"}}\r\n\n{\"done\":true}", "a / / stop" },
	{ &spk_wire_ollama, "calls", L("{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"a\",\"arguments\":{\"x\":1}}},"
	  "{\"function\":{\"index\":1,\"name\":\"a\",\"arguments\":{}}}]}}") L("{\"message\":{\"tool_calls\":[{\"id\":\"k\",\"function\":{\"name\":\"b\","
	  "\"arguments\":{}}}]}}") L("{\"done\":true,\"done_reason\":\"stop\"}"),
	  " / call_3_0:a({\"x\":1}) call_3_1:a({}) k:b({}) / tool_calls" },
	{ &spk_wire_ollama, "thoughts", L("{\"message\":{\"content\":\"\",\"thinking\":\"hm\"}}") L("{\"message\":{\"content\":\"a\"},\"done\":true}"), "a / / stop" },
	{ &spk_wire_ollama, "cut by length", L("{\"message\":{\"content\":\"a\"},\"done\":true,\"done_reason\":\"length\"}"), "a / / length" },
	{ &spk_wire_ollama, "an error", L("{\"message\":{\"content\":\"a\"}}") L("{\"error\":\"the input length exceeds the context length\"}"), "context_length" },
	{ &spk_wire_ollama, "broken off", L("{\"message\":{\"content\":\"a\"}}"), "provider_unavailable: broken stream" },
	{ &spk_wire_ollama, "broken off in a line", L("{\"message\":{\"content\":\"a\"}}") "{\"mess", "provider_bad_reply: not JSON" },
	{ &spk_wire_ollama, "garbage", L("<html>"), "provider_bad_reply: not JSON" },
	{ &spk_wire_ollama, "nothing", "", "provider_bad_reply: there is no completion" },
};
/* clang-format on */

static void test_wires_at_every_split(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize len = strlen(cases[i].body);

		for (gsize step = 1; step <= MAX(len, 1); step += step < 64 ? 1 : 37) {
			g_autofree char *got =
				stream_reply(cases[i].wire, cases[i].body, step);

			if (!g_str_has_prefix(got, cases[i].wanted))
				fail_msg("%s, %s, pieces of %zu: %s", cases[i].wire->name,
					 cases[i].what, step, got);
		}
	}
}

/* Cut anywhere, an answer is either whole or an error; never a crash, never half an answer
 * that passes for a whole one. */
static void test_cut_anywhere(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize len = strlen(cases[i].body);
		g_autofree char *whole = stream_reply(cases[i].wire, cases[i].body, len);

		for (gsize cut = 0; cut < len; cut++) {
			g_autofree char *part = g_strndup(cases[i].body, cut);
			g_autofree char *got =
				stream_reply(cases[i].wire, part, MAX(cut, 1));
			char *finish = strstr(got, " / ");

			if (finish && !strstr(got, ": ") &&
			    strncmp(got, whole, finish - got) != 0)
				fail_msg("%s, %s, cut at %zu: %s", cases[i].wire->name,
					 cases[i].what, cut, got);
		}
	}
}

static SpkErr feed_until_refused(const SpkWire *wire, const char *event, guint times)
{
	SpkFaultSource source = { "openai", "OPENAI_API_KEY", NULL };
	g_autoptr(SpkStream) stream = spk_stream_new(wire, &source, NULL, 0);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < times; i++)
		if (!spk_stream_feed(stream, event, strlen(event), &error))
			return spk_error_code(error);
	return SPK_N_ERRS;
}

/* 4 MiB of text, 1 MiB of arguments, 128 calls, 4 MiB without an end. */
static void test_wires_are_bounded(void **state)
{
	static const struct {
		const SpkWire *wire;
		const char *text, *begin, *arguments, *call;
	} wires[] = {
		{ &spk_wire_responses, TEXT("%s"),
		  ADDED(INDEX("0"), ",\"call_id\":\"c\",\"name\":\"a\""),
		  ARGS(INDEX("0"), "%s"),
		  ADDED(INDEX("%u"), ",\"call_id\":\"c%u\",\"name\":\"a\"") },
		{ &spk_wire_messages, WORDS("0", "%s"),
		  BLOCK("0", "\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"a\""),
		  JSON("0", "%s"),
		  BLOCK("%u", "\"type\":\"tool_use\",\"id\":\"c%u\",\"name\":\"a\"") },
		{ &spk_wire_ollama, L("{\"message\":{\"content\":\"%s\"}}"), NULL, NULL,
		  L("{\"message\":{\"tool_calls\":[{\"index\":%u,\"function\":{"
		    "\"name\":\"a%u\"}}]}}") },
	};
	g_autofree char *word = g_strnfill(65536, 'x');

	for (gsize i = 0; i < G_N_ELEMENTS(wires); i++) {
		const SpkWire *wire = wires[i].wire;
		g_auto(GStrv) around = g_strsplit(wires[i].text, "%s", 2);
		g_autofree char *text = g_strjoinv(word, around);
		g_autoptr(GString) many = g_string_new(NULL);

		assert_int_equal(feed_until_refused(wire, text, 64), SPK_N_ERRS);
		assert_int_equal(feed_until_refused(wire, text, 65), SPK_ERR_LIMIT);
		assert_int_equal(feed_until_refused(wire, word, 80), SPK_ERR_LIMIT);
		for (guint n = 0; n < 129; n++) {
			g_autofree char *number = g_strdup_printf("%u", n);
			g_auto(GStrv) parts = g_strsplit(wires[i].call, "%u", 3);
			g_autofree char *call = g_strjoinv(number, parts);

			g_string_append(many, call);
		}
		assert_int_equal(feed_until_refused(wire, many->str, 1), SPK_ERR_LIMIT);
		if (wires[i].begin) {
			g_auto(GStrv) pieces = g_strsplit(wires[i].arguments, "%s", 2);
			g_autofree char *more = g_strjoinv(word, pieces);
			g_autoptr(GString) all = g_string_new(wires[i].begin);

			for (guint n = 0; n < 16; n++)
				g_string_append(all, more);
			assert_int_equal(feed_until_refused(wire, all->str, 1),
					 SPK_N_ERRS);
			g_string_append(all, more);
			assert_int_equal(feed_until_refused(wire, all->str, 1),
					 SPK_ERR_LIMIT);
		}
	}
}

const struct CMUnitTest wires_tests[] = {
	cmocka_unit_test(test_wires_at_every_split),
	cmocka_unit_test(test_cut_anywhere),
	cmocka_unit_test(test_wires_are_bounded),
};
const size_t n_wires_tests = G_N_ELEMENTS(wires_tests);
