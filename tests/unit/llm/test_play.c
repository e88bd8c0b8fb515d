#include "test_llm.h"

#include <string.h>

#include "base/json.h"
#include "llm/play.h"

#define HEAD "{\"play\":1}\n"

static SpkPlay *parse(const char *text, GError **error)
{
	return spk_play_parse(text, strlen(text), "x.play", error);
}

static void test_whole_play(void **state)
{
	g_autoptr(SpkPlay) play = parse(
		"{\"play\":1,\"goal\":\"g\",\"repo\":{\"files\":{\"a/b.c\":\"text\",\"l\":{\"link\":\"a\"},"
		"\"x\":{\"text\":\"#!\",\"mode\":\"0755\"}},\"git\":true},\"options\":{\"checks\":[\"c\"]}}\n"
		"\n"
		"{\"expect\":{\"last_contains\":[\"g\"]}}\r\n"
		"{\"say\":{\"tool_calls\":[{\"name\":\"shell\",\"arguments\":{\"command\":\"ls\"}}]}}\n"
		"{\"say\":{\"chunks\":[\"a\",\"b\"],\"text\":\"ab\",\"usage\":{\"input\":1,\"output\":2}}}\n"
		"{\"say\":{\"text\":\"over\",\"repeat\":true}}\n"
		"{\"end\":{\"verdict\":\"verified\",\"tree\":\"abc\",\"limits\":{\"calls\":3}}}",
		NULL);

	assert_non_null(play);
	assert_string_equal(spk_json_str(spk_play_header(play), "goal"), "g");
	assert_int_equal(spk_play_turns(play), 3);
	assert_non_null(spk_play_expect(play, 0));
	assert_null(spk_play_expect(play, 1));
	assert_string_equal(spk_json_str(spk_play_say(play, 1), "text"), "ab");
	assert_string_equal(spk_json_str(spk_play_say(play, 99), "text"), "over");
	assert_string_equal(spk_json_str(spk_play_end(play), "verdict"), "verified");
}

static void test_past_the_end(void **state)
{
	g_autoptr(SpkPlay) play = parse(HEAD "{\"say\":{\"text\":\"a\"}}\n", NULL);
	g_autoptr(SpkPlay) empty = parse(HEAD, NULL);

	assert_non_null(spk_play_say(play, 0));
	assert_null(spk_play_say(play, 1));
	assert_null(spk_play_end(play));
	assert_null(spk_play_say(empty, 0));
	assert_int_equal(spk_play_turns(empty), 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "x.play: a play begins with" },
		{ "\n\n{\"say\":{\"text\":\"a\"}}",
		  "x.play:3: the first line has no key \"say\"" },
		{ "[]", "x.play:1: the first line" },
		{ "{\"play\":2}", "x.play:1: this is a play of another version" },
		{ "{\"goal\":\"g\"}", "needs \"play\"" },
		{ "{\"play\":1,\"gol\":\"g\"}",
		  "no key \"gol\" (did you mean \"goal\"?)" },
		{ "{\"play\":1,\"goal\":7}",
		  "\"goal\" of the first line must be a string" },
		{ "{\"play\":1,\"repo\":{\"files\":{\"../x\":\"\"}}}",
		  "leaves the repository" },
		{ "{\"play\":1,\"repo\":{\"files\":{\"/x\":\"\"}}}",
		  "leaves the repository" },
		{ "{\"play\":1,\"repo\":{\"files\":{\"x\":7}}}",
		  "must be an object or a string" },
		{ HEAD "{\"say\":", "x.play:2: not JSON" },
		{ HEAD "7", "one key: expect, say or end" },
		{ HEAD "{\"say\":{\"text\":\"a\"},\"end\":{}}", "one key" },
		{ HEAD "{\"says\":{\"text\":\"a\"}}", "did you mean \"say\"" },
		{ HEAD "{\"say\":{\"txt\":\"a\"}}", "x.play:2: say has no key \"txt\"" },
		{ HEAD "{\"say\":{}}", "needs text, chunks" },
		{ HEAD "{\"say\":{\"text\":\"ab\",\"chunks\":[\"a\"]}}", "don't add up" },
		{ HEAD "{\"say\":{\"chunks\":[1]}}", "must be a string" },
		{ HEAD "{\"say\":{\"tool_calls\":[{\"arguments\":{}}]}}",
		  "tool_calls needs \"name\"" },
		{ HEAD "{\"say\":{\"text\":\"\",\"error\":\"rest\"}}",
		  "\"reset\", \"garbage\"" },
		{ HEAD "{\"say\":{\"error\":{\"status\":200}}}", "between 400 and 599" },
		{ HEAD "{\"say\":{\"error\":{\"status\":500,\"times\":0}}}",
		  "at least 1" },
		{ HEAD "{\"say\":{\"text\":\"a\",\"delay_ms\":-1}}", "delay_ms" },
		{ HEAD
		  "{\"say\":{\"text\":\"a\",\"repeat\":true}}\n{\"say\":{\"text\":\"b\"}}",
		  "x.play:3: nothing is said after" },
		{ HEAD "{\"expect\":{\"last_matches\":\"(\"}}", "last_matches: " },
		{ HEAD "{\"expect\":{\"last_role\":\"model\"}}", "last_role" },
		{ HEAD "{\"expect\":{}}\n{\"expect\":{}}", "followed by its \"say\"" },
		{ HEAD "{\"expect\":{}}\n{\"end\":{}}", "followed by its \"say\"" },
		{ HEAD "{\"expect\":{}}", "x.play: the last \"expect\" has no \"say\"" },
		{ HEAD "{\"end\":{}}\n{\"say\":{\"text\":\"a\"}}",
		  "nothing comes after \"end\"" },
		{ HEAD "{\"say\":{\"text\":\"a\",\"text\":\"b\"}}", "not JSON" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(parse(cases[i].text, &error));
		assert_error(error, SPK_ERR_BAD_INPUT, cases[i].words);
	}
}

/* The error of checking a request with one answered turn against `expect`; NULL: it fits. */
static char *differs(const char *expect)
{
	g_autofree char *text = g_strdup_printf(
		HEAD
		"{\"say\":{\"text\":\"\"}}\n{\"expect\":%s}\n{\"say\":{\"text\":\"\"}}\n",
		expect);
	g_autoptr(SpkPlay) play = parse(text, NULL);
	g_auto(SpkLlmRequest) request = request_of(1);
	g_autoptr(GError) error = NULL;

	assert_non_null(play);
	if (spk_play_check(play, 1, &request, &error))
		return NULL;
	assert_true(spk_error_is(error, SPK_ERR_REPLAY_DIFFERS));
	return g_strdup(error->message);
}

static void test_check(void **state)
{
	static const char *const fits[] = {
		"{}",
		"{\"last_role\":\"tool\"}",
		"{\"last_contains\":[\"result\",\"0\"]}",
		"{\"last_matches\":\"result \\\\d\"}",
		"{\"tools\":[\"shell\"]}",
		"{\"prefix_stable\":true}",
	};
	static const struct {
		const char *expect, *words;
	} not [] = {
		{ "{\"last_role\":\"user\"}",
		  "x.play, answer 2: expected a last message of role \"user\"" },
		{ "{\"last_contains\":[\"result\",\"Fix\"]}",
		  "contains \"Fix\", what came: \"result 0\"" },
		{ "{\"last_matches\":\"^x\"}", "matches \"^x\"" },
		{ "{\"tools\":[\"shell\",\"git\"]}", "the tool \"git\"" },
		{ "{\"prefix\":\"00\"}", "the prefix \"00\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(fits); i++) {
		g_autofree char *why = differs(fits[i]);

		assert_null(why);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(not ); i++) {
		g_autofree char *why = differs(not [i].expect);

		if (!why || !strstr(why, not [i].words))
			fail_msg("%s: %s", not [i].expect, why);
	}
}

static void test_prefix_stable(void **state)
{
	g_autoptr(SpkPlay) play = parse(
		HEAD
		"{\"expect\":{\"prefix_stable\":true}}\n{\"say\":{\"text\":\"\",\"repeat\":true}}",
		NULL);
	g_auto(SpkLlmRequest) first = request_of(0), second = request_of(1),
			      other = request_of(2);
	g_autoptr(GError) error = NULL;

	json_object_set_new(json_array_get(other.messages, 0), "content",
			    json_string("changed"));
	assert_true(spk_play_check(play, 0, &first, NULL));
	assert_true(spk_play_check(play, 1, &second, NULL));
	assert_false(spk_play_check(play, 2, &other, &error));
	assert_error(error, SPK_ERR_REPLAY_DIFFERS, "answer 3: expected the same prefix");
	other.turn = 0; /* another task begins */
	assert_true(spk_play_check(play, 0, &other, NULL));
}

static void test_values(void **state)
{
	g_auto(SpkLlmRequest) a = request_of(0), b = request_of(3);
	g_autofree char *hash_a = spk_llm_prefix_hash(&a),
			*hash_b = spk_llm_prefix_hash(&b);
	g_autofree char *without_tools = NULL;
	g_autoptr(json_t) text = json_string("abcde"); /* 7 bytes with its quotes */

	assert_string_equal(hash_a, hash_b);
	assert_int_equal(strlen(hash_a), 64);
	g_clear_pointer(&b.tools, json_decref);
	without_tools = spk_llm_prefix_hash(&b);
	assert_string_not_equal(hash_a, without_tools);
	assert_int_equal(spk_llm_estimate_tokens(text), 2);
	assert_int_equal(spk_llm_estimate_tokens(NULL), 0);
}

const struct CMUnitTest play_tests[] = {
	cmocka_unit_test(test_whole_play),    cmocka_unit_test(test_past_the_end),
	cmocka_unit_test(test_refused),	      cmocka_unit_test(test_check),
	cmocka_unit_test(test_prefix_stable), cmocka_unit_test(test_values),
};
const size_t n_play_tests = G_N_ELEMENTS(play_tests);
