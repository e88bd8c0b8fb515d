/* The scripted provider, and the retries that wrap it as they wrap all. */
#include "test_llm.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"

#define HEAD "{\"play\":1}\n"

static SpkLlm *open_play(const char *lines)
{
	g_autofree char *text = g_strconcat(HEAD, lines, NULL);
	g_autoptr(SpkConf) conf = conf_of("llm.max_retries=3", NULL);

	assert_true(spk_fs_write_atomic("x.play", text, strlen(text), 0600, NULL));
	return spk_llm_open(conf, "script:x.play", NULL);
}

static gboolean complete(SpkLlm *llm, guint turn, GString *seen, SpkCancel *cancel,
			 SpkLlmReply *reply, GError **error)
{
	g_auto(SpkLlmRequest) request = request_of(turn);
	SpkLlmSink sink = { .on_text = note_piece,
			    .on_restart = note_restart,
			    .user = seen };

	return spk_llm_complete(llm, &request, seen ? &sink : NULL, cancel, reply, error);
}

static void test_answers(void **state)
{
	g_autoptr(SpkLlm) llm = open_play(
		"{\"say\":{\"text\":\"I look.\",\"tool_calls\":[{\"name\":\"shell\",\"arguments\":{\"command\":\"ls\"}},"
		"{\"name\":\"shell\",\"arguments\":\"{oops\",\"id\":\"mine\"}]}}\n"
		"{\"say\":{\"chunks\":[\"a\",\"b\"],\"usage\":{\"input\":7,\"output\":8,\"cached\":9},"
		"\"finish\":\"length\"}}\n");
	g_autoptr(GString) seen = g_string_new(NULL);
	g_auto(SpkLlmReply) first = { 0 }, second = { 0 };
	g_autofree char *calls = NULL;

	assert_string_equal(spk_llm_provider(llm), "script");
	assert_string_equal(spk_llm_model(llm), "x.play");
	assert_int_equal(spk_llm_context_window(llm), 128000);
	assert_true(spk_llm_ping(llm, NULL, NULL));
	assert_true(complete(llm, 0, seen, NULL, &first, NULL));
	calls = spk_json_dump(first.tool_calls);
	assert_string_equal(
		calls,
		"[{\"id\":\"call_0_0\",\"name\":\"shell\",\"arguments\":"
		"\"{\\\"command\\\":\\\"ls\\\"}\"},{\"id\":\"mine\",\"name\":\"shell\","
		"\"arguments\":\"{oops\"}]");
	assert_string_equal(first.finish, "tool_calls");
	assert_true(first.usage.input > 0 && first.usage.output > 0);
	assert_int_equal(first.attempts, 1);
	assert_true(complete(llm, 1, seen, NULL, &second, NULL));
	assert_string_equal(second.text, "ab");
	assert_string_equal(second.finish, "length");
	assert_int_equal(second.usage.cached, 9);
	assert_string_equal(seen->str, "I look.|ab|");
}

static void test_end_and_difference(void **state)
{
	g_autoptr(SpkLlm) llm = open_play(
		"{\"expect\":{\"last_contains\":[\"nowhere\"]}}\n{\"say\":{\"text\":\"a\"}}\n");
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) differs = NULL, ended = NULL;

	assert_false(complete(llm, 0, NULL, NULL, &reply, &differs));
	assert_error(differs, SPK_ERR_REPLAY_DIFFERS,
		     "x.play, answer 1: expected a request that contains");
	assert_false(complete(llm, 1, NULL, NULL, &reply, &ended));
	assert_error(ended, SPK_ERR_REPLAY_DIFFERS, "ends after 1 answers");
}

/* Runs turn 0 with sleeping made fast; the reply's attempts, or 0 and *error. */
static guint attempts_of(const char *lines, GArray *slept, GString *seen, GError **error)
{
	g_autoptr(SpkLlm) llm = open_play(lines);
	g_auto(SpkLlmReply) reply = { 0 };

	use_fast_clock(slept);
	if (!complete(llm, 0, seen, NULL, &reply, error))
		reply.attempts = 0;
	use_real_clock();
	return reply.attempts;
}

static void test_retries(void **state)
{
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(GString) seen = g_string_new(NULL);
	guint waits = 0;

	assert_int_equal(
		attempts_of(
			"{\"say\":{\"text\":\"ok\",\"error\":{\"kind\":\"reset\",\"times\":3}}}",
			slept, seen, NULL),
		4);
	/* 0.5, 1, 2 s times 0.5 to 1, beside the delay of the say, which is 0 */
	for (guint i = 0; i < slept->len; i++) {
		gint64 ms = g_array_index(slept, gint64, i);

		if (ms == 0)
			continue;
		assert_in_range(ms, 250 << waits, 500 << waits);
		waits++;
	}
	assert_int_equal(waits, 3);
	assert_true(g_str_has_prefix(
		seen->str, "<broken stream: reset, as the play says; trying again in "));
	assert_non_null(strstr(seen->str, "(3 of 3)>ok|"));
}

static void test_retry_after_is_obeyed(void **state)
{
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 longest = 0;

	assert_int_equal(
		attempts_of(
			"{\"say\":{\"text\":\"ok\",\"error\":{\"status\":429,\"retry_after\":20,"
			"\"times\":1}}}",
			slept, NULL, NULL),
		2);
	for (guint i = 0; i < slept->len; i++)
		longest = MAX(longest, g_array_index(slept, gint64, i));
	assert_in_range(longest, 20000, 20100);
}

static void test_gives_up(void **state)
{
	static const struct {
		const char *said;
		SpkErr code;
		const char *words;
	} cases[] = {
		{ "{\"status\":500,\"message\":\"m\"}", SPK_ERR_PROVIDER,
		  "after 4 attempts: the server failed" },
		{ "\"garbage\"", SPK_ERR_PROVIDER_REPLY, "after 4 attempts: not JSON" },
		{ "{\"status\":429,\"retry_after\":3000}", SPK_ERR_RATE_LIMITED,
		  "asks to wait 3000 s" },
		{ "{\"status\":400}", SPK_ERR_REQUEST, "the server refuses the request" },
		{ "{\"status\":401}", SPK_ERR_PROVIDER_AUTH,
		  "the server refuses the key" },
		{ "{\"status\":400,\"code\":\"context_length_exceeded\"}",
		  SPK_ERR_CONTEXT_LENGTH, "the request" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));
		g_autofree char *line =
			g_strdup_printf("{\"say\":{\"error\":%s}}", cases[i].said);
		g_autoptr(GError) error = NULL;

		assert_int_equal(attempts_of(line, slept, NULL, &error), 0);
		assert_error(error, cases[i].code, cases[i].words);
		if (!strstr(cases[i].words, "after") &&
		    strstr(error->message, "attempts"))
			fail_msg("tried again: %s", error->message);
	}
}

static void test_no_wait_past_the_deadline(void **state)
{
	g_autoptr(SpkLlm) llm =
		open_play("{\"say\":{\"error\":{\"status\":429,\"retry_after\":60}}}");
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();

	spk_cancel_set_deadline(cancel, 20000);
	assert_false(complete(llm, 0, NULL, cancel, &reply, &error));
	assert_error(error, SPK_ERR_RATE_LIMITED, "no time left");
	assert_true(g_get_monotonic_time() - start < 5 * G_USEC_PER_SEC);
}

static gpointer fire_soon(gpointer cancel)
{
	g_usleep(50 * 1000);
	spk_cancel_fire(cancel, "enough");
	return NULL;
}

static void test_cancel_while_waiting(void **state)
{
	static const char *const lines[] = {
		"{\"say\":{\"text\":\"a\",\"delay_ms\":60000}}",
		"{\"say\":{\"error\":{\"status\":429,\"retry_after\":60}}}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(SpkLlm) llm = open_play(lines[i]);
		g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autoptr(GError) error = NULL;
		GThread *thread = g_thread_new("fire", fire_soon, cancel);
		gint64 start = g_get_monotonic_time();

		assert_false(complete(llm, 0, NULL, cancel, &reply, &error));
		g_thread_join(thread);
		assert_error(error, SPK_ERR_CANCELLED, "enough");
		assert_true(g_get_monotonic_time() - start < 2 * G_USEC_PER_SEC);
	}
}

static void test_opening(void **state)
{
	g_autoptr(SpkConf) conf = conf_of("llm.provider=script", NULL);
	g_autoptr(SpkConf)
		named = conf_of("llm.provider=script", "script.play=x.play", NULL);
	g_autoptr(SpkLlm) play = open_play("{\"say\":{\"text\":\"a\"}}");
	g_autoptr(SpkLlm) from_conf = spk_llm_open(named, NULL, NULL);
	g_autoptr(GError) none = NULL, missing = NULL;

	assert_non_null(play);
	assert_non_null(from_conf);
	assert_null(spk_llm_open(conf, NULL, &none));
	assert_error(none, SPK_ERR_CONFIG, "no play");
	assert_null(spk_llm_open(conf, "script:nowhere.play", &missing));
	assert_error(missing, SPK_ERR_NOT_FOUND, "nowhere.play");
}

const struct CMUnitTest script_tests[] = {
	cmocka_unit_test(test_answers),
	cmocka_unit_test(test_end_and_difference),
	cmocka_unit_test(test_retries),
	cmocka_unit_test(test_retry_after_is_obeyed),
	cmocka_unit_test(test_gives_up),
	cmocka_unit_test(test_no_wait_past_the_deadline),
	cmocka_unit_test(test_cancel_while_waiting),
	cmocka_unit_test(test_opening),
};
const size_t n_script_tests = G_N_ELEMENTS(script_tests);
