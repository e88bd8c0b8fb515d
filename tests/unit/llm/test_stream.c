/* What servers really send, fed in pieces of every size. */
#include "test_llm.h"

#include <string.h>

#include "base/json.h"
#include "llm/stream_priv.h"

static const SpkFaultSource source = { "openai", "OPENAI_API_KEY" };

#define D(data) "data: " data "\n\n"
#define DELTA(delta) \
	D("{\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}")
#define FINISH(why) \
	D("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" why "\"}]}")
#define DONE	     D("[DONE]")
#define CALLS(calls) DELTA("{\"tool_calls\":[" calls "]}")

/* clang-format off */
static const struct {
	const char *what, *body, *wanted;	/* wanted: a prefix of what describe() gives */
} cases[] = {
	{ "plain text",
	  DELTA("{\"role\":\"assistant\",\"content\":\"\"}") DELTA("{\"content\":\"Hel\"}")
	  DELTA("{\"content\":\"lo\"}") FINISH("stop")
	  D("{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,"
	    "\"prompt_tokens_details\":{\"cached_tokens\":4}}}") DONE,
	  "Hello / / stop / 9,2,4" },
	{ "no usage", DELTA("{\"content\":\"a\"}") FINISH("stop") DONE, "a / / stop / -1,-1,-1" },
	{ "usage null until the end", D("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}")
	  D("{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
	    "\"completion_tokens\":2,\"prompt_cache_hit_tokens\":1}}") DONE, "a / / stop / 1,2,1" },
	{ "no DONE", DELTA("{\"content\":\"a\"}") FINISH("stop"), "a / / stop" },
	{ "no finish_reason", DELTA("{\"content\":\"a\"}") DONE, "a / / stop" },
	{ "nothing after DONE counts", DELTA("{\"content\":\"a\"}") DONE D("junk"), "a / / stop" },
	{ "CRLF and comments", ": hi\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
	  ": OPENROUTER PROCESSING\r\n\r\ndata: [DONE]\r\n\r\n", "a / / stop" },
	{ "last line unfinished", DELTA("{\"content\":\"a\"}") "data: [DONE]", "a / / stop" },
	{ "null and empty", DELTA("{\"content\":null}") DELTA("{}") D("{\"choices\":[]}") D("{}")
	  D("") D("{\"choices\":[{\"index\":0}]}") D("{\"choices\":null}") DELTA("null")
	  DELTA("{\"content\":\"a\",\"tool_calls\":null}") FINISH("stop") DONE, "a / / stop" },
	{ "says nothing", DELTA("{\"content\":\"\"}") FINISH("stop") DONE, " / / stop" },
	{ "content in parts", DELTA("{\"content\":[{\"type\":\"thinking\"},{\"type\":\"text\","
	  "\"text\":\"a\"}]}") DONE, "a / / stop" },
	{ "reasoning is not text", DELTA("{\"reasoning_content\":\"hm\"}") DELTA("{\"content\":\"a\"}")
	  DONE, "a / / stop" },
	{ "refusal", DELTA("{\"refusal\":\"no\"}") FINISH("stop") DONE, "no / / stop" },
	{ "cut by length", DELTA("{\"content\":\"a\"}") FINISH("length") DONE, "a / / length" },
	{ "other choices", D("{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}},"
	  "{\"index\":0,\"delta\":{\"content\":\"a\"}}]}") DONE, "a / / stop" },
	{ "UTF-8", DELTA("{\"content\":\"gr\\u00fc\\ud83c\\udf0d\"}") DELTA("{\"content\":\"ße\"}") DONE,
	  "grü🌍ße / / stop" },
	{ "broken UTF-8", DELTA("{\"content\":\"a\xf0\x9f\"}") DONE, "a\xef\xbf\xbd" },
	{ "NUL in text", DELTA("{\"content\":\"a\\u0000b\"}") DONE, "a / / stop" },

	{ "a tool call in fragments",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"shell\",\"arguments\":\"\"}}")
	  CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}")
	  CALLS("{\"index\":0,\"function\":{\"arguments\":\":1}\"}}") FINISH("tool_calls") DONE,
	  " / c1:shell({\"a\":1}) / tool_calls" },
	{ "parallel, interleaved",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"a\"}}")
	  CALLS("{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"b\",\"arguments\":\"[\"}}")
	  CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\"}},{\"index\":1,\"function\":{\"arguments\":\"]\"}}")
	  CALLS("{\"index\":0,\"function\":{\"arguments\":\"}\"}}") FINISH("tool_calls") DONE,
	  " / c1:a({}) c2:b([]) / tool_calls" },
	{ "no index, ids tell them apart",
	  CALLS("{\"id\":\"c1\",\"function\":{\"name\":\"a\",\"arguments\":\"{\"}}")
	  CALLS("{\"function\":{\"arguments\":\"}\"}}")
	  CALLS("{\"id\":\"c2\",\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}}") DONE,
	  " / c1:a({}) c2:a({}) / tool_calls" },
	{ "neither index nor id",
	  CALLS("{\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}},"
	        "{\"function\":{\"name\":\"b\",\"arguments\":\"[]\"}}") DONE,
	  " / call_3_0:a({}) call_3_1:b([]) / tool_calls" },
	{ "index 0 for all (Ollama)",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}}")
	  CALLS("{\"index\":0,\"id\":\"c2\",\"function\":{\"name\":\"a\",\"arguments\":\"[]\"}}") FINISH("stop")
	  DONE, " / c1:a({}) c2:a([]) / tool_calls" },
	{ "another id in each fragment",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"a\",\"arguments\":\"{\"}}")
	  CALLS("{\"index\":0,\"id\":\"c2\",\"function\":{\"arguments\":\"}\"}}") DONE,
	  " / c1:a({}) / tool_calls" },
	{ "name repeated, id late",
	  CALLS("{\"index\":0,\"id\":\"\",\"function\":{\"name\":\"shell\",\"arguments\":\"\"}}")
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"shell\",\"arguments\":\"{}\"}}")
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"shell\",\"arguments\":\"\"}}") DONE,
	  " / c1:shell({}) / tool_calls" },
	{ "name in pieces",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"file_\"}}")
	  CALLS("{\"index\":0,\"function\":{\"name\":\"read\"}}")
	  CALLS("{\"index\":0,\"function\":{\"arguments\":\"{}\"}}") DONE, " / c1:file_read({}) / tool_calls" },
	{ "arguments as an object",
	  CALLS("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"a\",\"arguments\":{\"x\":[1]}}}") DONE,
	  " / c1:a({\"x\":[1]}) / tool_calls" },
	{ "arguments null", CALLS("{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"a\",\"arguments\":null}}")
	  DONE, " / c:a() / tool_calls" },
	{ "text and a call", DELTA("{\"content\":\"I look.\"}")
	  CALLS("{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"a\",\"arguments\":\"{}\"}}") FINISH("tool_calls")
	  DONE, "I look. / c:a({}) / tool_calls" },
	{ "a call cut by length", CALLS("{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"a\",\"arguments\":\"{\"}}")
	  FINISH("length") DONE, " / c:a({) / length" },
	{ "a call without a name", CALLS("{\"index\":0,\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}}") DONE,
	  "provider_bad_reply: tool call 1 of the answer has no name" },
	{ "a call that is no object", CALLS("7") DONE, "provider_bad_reply: a tool call is not" },

	{ "not streamed", "{\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
	  "\"content\":\"a\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"x\","
	  "\"arguments\":\"{}\"}},{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"y\",\"arguments\":"
	  "\"{}\"}}]},\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
	  "a / c1:x({}) c2:y({}) / tool_calls / 1,2,-1" },
	{ "not streamed, spaces first", "\n {\"choices\":[{\"message\":{\"content\":null}}]}\n", " / / stop" },
	{ "not streamed, cut", "{\"choices\":[{\"message\":{\"cont", "provider_bad_reply: not JSON" },
	{ "an error with status 200", "{\"error\":{\"message\":\"m\",\"code\":503}}",
	  "provider_unavailable: the server failed (HTTP 503): m" },
	{ "an error as a string", "{\"error\":\"no model loaded\"}",
	  "provider_unavailable: the server ended the answer with an error: no model loaded" },

	{ "broken off", DELTA("{\"content\":\"a\"}"), "provider_unavailable: broken stream" },
	{ "broken off in an event", DELTA("{\"content\":\"a\"}") "data: {\"cho", "provider_bad_reply: not JSON" },
	{ "an error in mid-stream", DELTA("{\"content\":\"a\"}")
	  D("{\"error\":{\"message\":\"exceeds the available context size\",\"code\":400}}"),
	  "context_length: the request is longer" },
	{ "an error of older vLLM", D("{\"object\":\"error\",\"message\":\"m\",\"code\":400}"),
	  "provider_refused: the server refuses the request (HTTP 400): m" },
	{ "bad JSON", D("{oops}"), "provider_bad_reply: not JSON: line 1" },
	{ "not an object", D("[1]"), "provider_bad_reply: not a JSON object" },
	{ "a web page", "<!DOCTYPE html><title>Log in</title>", "provider_bad_reply: there is no completion "
	  "in the answer: \"<!DOCTYPE html>" },
	{ "nothing", "", "provider_bad_reply: there is no completion" },
	{ "only DONE", DONE, "provider_bad_reply: there is no completion" },
};
/* clang-format on */

static void test_cases_at_every_split(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize len = strlen(cases[i].body);

		for (gsize step = 1; step <= MAX(len, 1); step += step < 64 ? 1 : 37) {
			g_autofree char *got =
				stream_reply(&spk_wire_chat, cases[i].body, step);

			if (!g_str_has_prefix(got, cases[i].wanted))
				fail_msg("%s, pieces of %zu: %s", cases[i].what, step,
					 got);
		}
	}
}

static void test_what_it_charged(void **state)
{
	static const struct {
		const char *cost, *wanted;
	} charges[] = {
		{ "0.0125", " $12500000" },
		{ "0", " $0" },
		{ "1.1e-9", " $2" },
		{ "-1", "" },
		{ "1e300", "" },
		{ "\"1\"", "" },
		{ "null", "" },
		{ "{}", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(charges); i++) {
		g_autofree char *body = g_strdup_printf(
			FINISH("stop") D(
				"{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"cost\":%s}}")
				DONE,
			charges[i].cost);
		g_autofree char *wanted =
			g_strconcat(" / / stop / 9,-1,-1", charges[i].wanted, NULL);
		g_autofree char *got = stream_reply(&spk_wire_chat, body, strlen(body));

		assert_string_equal(got, wanted);
	}
}

/* Feeds `event` until it is refused or ended; the error's code, SPK_N_ERRS for none. */
static SpkErr feed_until_refused(const char *event, guint times)
{
	g_autoptr(SpkStream) stream = spk_stream_new(&spk_wire_chat, &source, NULL, 0);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < times; i++)
		if (!spk_stream_feed(stream, event, strlen(event), &error))
			return spk_error_code(error);
	return SPK_N_ERRS;
}

static void test_bounds(void **state)
{
	g_autofree char *word = g_strnfill(65536, 'x');
	g_autofree char *text = g_strdup_printf(DELTA("{\"content\":\"%s\"}"), word);
	g_autofree char *arguments = g_strdup_printf(
		CALLS("{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"a\",\"arguments\":\"%s\"}}"),
		word);
	g_autofree char *plain = g_strconcat("{", word, NULL);
	g_autoptr(GString) many = g_string_new(NULL);

	assert_int_equal(feed_until_refused(text, 64), SPK_N_ERRS);
	assert_int_equal(feed_until_refused(text, 65), SPK_ERR_LIMIT);
	assert_int_equal(feed_until_refused(arguments, 16), SPK_N_ERRS);
	assert_int_equal(feed_until_refused(arguments, 17), SPK_ERR_LIMIT);
	assert_int_equal(feed_until_refused(plain, 300), SPK_ERR_LIMIT);
	assert_int_equal(feed_until_refused(word, 80),
			 SPK_ERR_LIMIT); /* a line without end */
	for (guint i = 0; i < 129; i++)
		g_string_append_printf(
			many, CALLS("{\"index\":%u,\"function\":{\"name\":\"a\"}}"), i);
	assert_int_equal(feed_until_refused(many->str, 1), SPK_ERR_LIMIT);
}

static void test_whole_before_the_end(void **state)
{
	g_autoptr(SpkStream) stream = spk_stream_new(&spk_wire_chat, &source, NULL, 0);
	const char *first = DELTA("{\"content\":\"a\"}"), *finish = FINISH("stop"),
		   *done = DONE;

	assert_true(spk_stream_feed(stream, first, strlen(first), NULL));
	assert_false(spk_stream_is_whole(stream));
	assert_true(spk_stream_feed(stream, finish, strlen(finish), NULL));
	assert_true(spk_stream_is_whole(stream));
	assert_false(spk_stream_is_done(stream));
	assert_true(spk_stream_feed(stream, done, strlen(done), NULL));
	assert_true(spk_stream_is_done(stream));
}

static void test_pieces(void **state)
{
	g_autoptr(GString) pieces = g_string_new(NULL);
	SpkLlmSink sink = { .on_text = note_piece, .user = pieces };
	g_autoptr(SpkStream) stream = spk_stream_new(&spk_wire_chat, &source, &sink, 0);
	const char *body = DELTA("{\"content\":\"\"}") DELTA("{\"content\":\"a\"}")
		DELTA("{\"content\":\"b\"}");

	assert_true(spk_stream_feed(stream, body, strlen(body), NULL));
	assert_string_equal(pieces->str, "a|b|");
}

const struct CMUnitTest stream_tests[] = {
	cmocka_unit_test(test_cases_at_every_split),
	cmocka_unit_test(test_what_it_charged),
	cmocka_unit_test(test_bounds),
	cmocka_unit_test(test_whole_before_the_end),
	cmocka_unit_test(test_pieces),
};
const size_t n_stream_tests = G_N_ELEMENTS(stream_tests);
