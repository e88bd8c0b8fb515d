/* Servers of every wire, played, over a real socket. */
#include "test_llm.h"

#include <string.h>

#include "base/json.h"
#include "../../play_server/play_server.h"

#define HEAD   "{\"play\":1}\n"
#define CANARY "sk-test-canary"

static const char *const simple = HEAD
	"{\"say\":{\"text\":\"Hello, world.\",\"chunks\":[\"Hello\",\", \","
	"\"world.\"],\"usage\":{\"input\":11,\"output\":3,\"cached\":5},"
	"\"repeat\":true}}";
static const char *const parallel = HEAD
	"{\"say\":{\"text\":\"Both.\",\"tool_calls\":[{\"name\":\"shell\",\"arguments\":{\"command\":"
	"\"make -j2 && ./run\"}},{\"name\":\"file_read\",\"arguments\":{\"path\":\"grüße/🌍.c\"}},"
	"{\"name\":\"finish\",\"arguments\":{}}]}}";

static PlayServer *serve(const char *play, const PlayServerOptions *options)
{
	PlayServer *server = play_server_start(
		play ? spk_play_parse(play, strlen(play), "x.play", NULL) : NULL, 0,
		options);

	assert_non_null(server);
	return server;
}

/* The tests that go over `wire` run once for each. */
static const struct {
	const char *name, *section, *word;
} wires[] = {
	{ "chat_completions", "openai", "openai.api_style=chat_completions" },
	{ "responses", "openai", "openai.api_style=responses" },
	{ "messages", "anthropic", "llm.provider=anthropic" },
	{ "ollama", "ollama", "llm.provider=ollama" },
};
static gsize wire;

static gboolean is_wire(const char *name)
{
	return strcmp(wires[wire].name, name) == 0;
}

static SpkLlm *open_llm(PlayServer *server, const char *model)
{
	g_autofree char *url = g_strdup_printf("%s.url=http://127.0.0.1:%d",
					       wires[wire].section,
					       play_server_port(server));
	g_autoptr(SpkConf) conf = conf_of(url, wires[wire].word, "llm.max_retries=3",
					  "llm.first_byte_timeout_secs=1",
					  "llm.idle_timeout_secs=1", NULL);
	SpkLlm *llm = spk_llm_open(conf, model ? model : "test-model", NULL);

	assert_non_null(llm);
	return llm;
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

/* Every way of sending the same answer, well or odd, gives the same reply. */
static void test_same_reply_however_sent_of_wire(void)
{
	static const PlayServerOptions ways[] = {
		{ 0 },
		{ .split = 1 },
		{ .split = 3, .crlf = TRUE, .comments = TRUE },
		{ .split = 7, .slow_ms = 1 },
		{ .fragment = 1 },
		{ .fragment = 5, .split = 2, .crlf = TRUE },
		{ .no_done = TRUE, .no_usage = TRUE },
		{ .plain = TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(PlayServer) server = serve(parallel, &ways[i]);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autofree char *calls = NULL;

		assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
		calls = spk_json_dump(reply.tool_calls);
		assert_string_equal(reply.text, "Both.");
		assert_string_equal(reply.finish, "tool_calls");
		assert_string_equal(reply.model, "play-model");
		assert_string_equal(
			calls,
			"[{\"id\":\"call_0_0\",\"name\":\"shell\",\"arguments\":\"{\\\"command\\\":\\\"make -j2 && "
			"./run\\\"}\"},{\"id\":\"call_0_1\",\"name\":\"file_read\",\"arguments\":\"{\\\"path\\\":"
			"\\\"grüße/🌍.c\\\"}\"},{\"id\":\"call_0_2\",\"name\":\"finish\",\"arguments\":\"{}\"}]");
		assert_int_equal(reply.usage.input, ways[i].no_usage ? -1 : 10);
		assert_int_equal(reply.attempts, 1);
	}
}

static void test_streaming_usage_and_keep_alive_of_wire(void)
{
	g_autoptr(PlayServer) server = serve(simple, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_autoptr(GString) seen = g_string_new(NULL);

	for (guint turn = 0; turn < 3; turn++) {
		g_auto(SpkLlmReply) reply = { 0 };

		assert_true(complete(llm, turn, seen, NULL, &reply, NULL));
		assert_string_equal(reply.text, "Hello, world.");
		assert_int_equal(reply.usage.input, 11);
		assert_int_equal(reply.usage.cached, is_wire("ollama") ? -1 : 5);
		assert_true(reply.seconds >= reply.first_token_seconds);
	}
	assert_true(g_str_has_prefix(seen->str, "Hello, |world.|Hello, |"));
	assert_int_equal(play_server_connections(server), 1);
}

/* The bytes of a request before its first message that isn't the system prompt. */
static char *prefix_of(PlayServer *server, guint n)
{
	g_autofree char *body = play_server_body(server, n);
	char *end = body ? strstr(body, "{\"role\":\"user\"") : NULL;

	assert_non_null(end);
	return g_strndup(body, end - body);
}

static void test_prefix_is_byte_stable(void **state)
{
	g_autoptr(PlayServer) server = serve(simple, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_autofree char *first = NULL, *body = NULL;

	for (guint turn = 0; turn < 5; turn++) {
		g_auto(SpkLlmReply) reply = { 0 };
		g_autofree char *prefix = NULL;

		assert_true(complete(llm, turn, NULL, NULL, &reply, NULL));
		prefix = prefix_of(server, turn);
		if (!first)
			first = g_strdup(prefix);
		assert_string_equal(first, prefix);
	}
	assert_string_equal(
		first,
		"{\"model\":\"test-model\",\"temperature\":0.3,\"max_tokens\":4096,\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true},\"tools\":[{\"type\":\"function\",\"function\":"
		"{\"name\":\"shell\",\"description\":\"runs a command\",\"parameters\":{\"type\":\"object\","
		"\"properties\":{\"command\":{\"type\":\"string\"}}}}}],\"messages\":[{\"role\":\"system\","
		"\"content\":\"You are a test.\"},");
	/* and what was said before stays as it was, too */
	body = play_server_body(server, 4);
	assert_non_null(
		strstr(body, "\"tool_call_id\":\"call_0_0\",\"content\":\"result 0\"}"));
}

typedef struct {
	const char *fault;
	SpkErr code; /* when it never mends */
	const char *words;
	gboolean retried;
} Fault;

static const Fault faults[] = {
	{ "408", SPK_ERR_PROVIDER, "HTTP 408", TRUE },
	{ "409", SPK_ERR_PROVIDER, "HTTP 409", TRUE },
	{ "429", SPK_ERR_RATE_LIMITED, "HTTP 429): slow down", TRUE },
	{ "500", SPK_ERR_PROVIDER, "HTTP 500): oh no", TRUE },
	{ "503", SPK_ERR_PROVIDER, "HTTP 503): loading", TRUE },
	{ "reset", SPK_ERR_PROVIDER, "broken stream", TRUE },
	{ "cut", SPK_ERR_PROVIDER, "broken stream", TRUE },
	{ "short", SPK_ERR_PROVIDER, "broken stream: the answer ends before", TRUE },
	{ "garbage", SPK_ERR_PROVIDER_REPLY, "not JSON", TRUE },
	{ "inside", SPK_ERR_PROVIDER, "the engine fell over", TRUE },
	{ "400", SPK_ERR_REQUEST, "that is no request", FALSE },
	{ "401", SPK_ERR_PROVIDER_AUTH, "refuses the key", FALSE },
	{ "402", SPK_ERR_PROVIDER_AUTH, "Insufficient Balance", FALSE },
	{ "404", SPK_ERR_CONFIG, "no such model", FALSE },
	{ "quota", SPK_ERR_PROVIDER_AUTH, "no quota", FALSE },
	{ "context", SPK_ERR_CONTEXT_LENGTH, "maximum context length is 8", FALSE },
	{ "endless", SPK_ERR_LIMIT, "longer than 4194304 bytes", FALSE },
};

static void test_faults_that_stay_of_wire(void)
{
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autofree char *section = g_strdup_printf("[%s] model", wires[wire].section);

	use_fast_clock(slept);
	for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
		PlayServerOptions options = { .fault = faults[i].fault };
		g_autoptr(PlayServer) server = serve(simple, &options);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autoptr(GError) error = NULL;

		assert_false(complete(llm, 0, NULL, NULL, &reply, &error));
		assert_error(error, faults[i].code, faults[i].words);
		/* what to look at is named as it is in this configuration */
		if (strcmp(faults[i].fault, "404") == 0)
			assert_non_null(strstr(spk_error_hint(error), section));
		if (!is_wire("ollama")) /* which was given no key */
			assert_null(strstr(error->message, CANARY));
		if (play_server_requests(server) != (faults[i].retried ? 4 : 1))
			fail_msg("%s: %u requests", faults[i].fault,
				 play_server_requests(server));
		assert_int_equal(strstr(error->message, "after 4 attempts") != NULL,
				 faults[i].retried);
	}
	use_real_clock();
}

static void test_faults_that_mend_of_wire(void)
{
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));

	use_fast_clock(slept);
	for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
		PlayServerOptions options = { .fault = faults[i].fault,
					      .fault_times = 2 };
		g_autoptr(PlayServer) server = serve(simple, &options);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_autoptr(GString) seen = g_string_new(NULL);
		g_auto(SpkLlmReply) reply = { 0 };

		if (!faults[i].retried)
			continue;
		assert_true(complete(llm, 0, seen, NULL, &reply, NULL));
		assert_string_equal(reply.text, "Hello, world.");
		assert_int_equal(reply.attempts, 3);
		/* a reader that heeds the restarts has the text once */
		assert_string_equal(strrchr(seen->str, '>') + 1, "Hello, |world.|");
	}
	use_real_clock();
}

static void test_retry_after(void **state)
{
	PlayServerOptions options = { .fault = "429",
				      .fault_times = 1,
				      .retry_after = "7" };
	g_autoptr(PlayServer) server = serve(simple, &options);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_auto(SpkLlmReply) reply = { 0 };

	use_fast_clock(slept);
	assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
	use_real_clock();
	assert_int_equal(slept->len, 1);
	assert_in_range(g_array_index(slept, gint64, 0), 7000, 7100);
}

static void test_waits_are_bounded(void **state)
{
	static const struct {
		const char *fault, *words;
	} cases[] = {
		{ "mute", "no first byte of an answer within 1.0 s" },
		{ "stall", "nothing more of the answer (idle) within 1.0 s" },
	};
	g_autoptr(GArray) slept = g_array_new(FALSE, FALSE, sizeof(gint64));

	use_fast_clock(slept);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PlayServerOptions options = { .fault = cases[i].fault, .fault_times = 1 };
		g_autoptr(PlayServer) server = serve(simple, &options);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_autoptr(GString) seen = g_string_new(NULL);
		g_auto(SpkLlmReply) reply = { 0 };

		assert_true(complete(llm, 0, seen, NULL, &reply, NULL));
		assert_int_equal(reply.attempts, 2);
		if (!strstr(seen->str, cases[i].words))
			fail_msg("%s: %s", cases[i].fault, seen->str);
	}
	use_real_clock();
}

/* A server that says it is done, but keeps the connection: no waiting for it. */
static void test_open_end_of_wire(void)
{
	PlayServerOptions options = { .fault = "open-end" };
	g_autoptr(PlayServer) server = serve(simple, &options);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_auto(SpkLlmReply) reply = { 0 };

	assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
	assert_string_equal(reply.text, "hal");
	assert_true(reply.seconds < 0.9);
}

static gint64 fired_at;

static gpointer fire_soon(gpointer cancel)
{
	g_usleep(100 * 1000);
	fired_at = g_get_monotonic_time();
	spk_cancel_fire(cancel, "enough");
	return NULL;
}

static void test_cancel_of_wire(void)
{
	static const PlayServerOptions ways[] = {
		{ .fault = "mute" },
		{ .fault = "stall" },
		{ .fault = "endless", .slow_ms = 1 },
		{ .split = 1, .slow_ms = 20 },
		{ .fault = "429", .retry_after = "60" },
	};
	gint64 worst = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autoptr(PlayServer) server = serve(simple, &ways[i]);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autoptr(GError) error = NULL;
		GThread *thread = g_thread_new("fire", fire_soon, cancel);
		gint64 end;

		assert_false(complete(llm, 0, NULL, cancel, &reply, &error));
		end = g_get_monotonic_time();
		g_thread_join(thread);
		assert_error(error, SPK_ERR_CANCELLED, "enough");
		worst = MAX(worst, end - fired_at);
	}
	print_message("# cancelled within %.1f ms\n", worst / 1000.0);
	assert_true(worst < G_USEC_PER_SEC);
}

static void test_raw_quirks(void **state)
{
	static const struct {
		const char *raw, *calls;
	} cases[] = {
		{ "data: {\"choices\":[{\"delta\":{\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
		  "{\"name\":\"x\",\"arguments\":\"{}\"}}]}}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{"
		  "\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"y\",\"arguments\":\"{}\"}}]}}]}\n\n"
		  "data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
		  "[{\"id\":\"a\",\"name\":\"x\",\"arguments\":\"{}\"},{\"id\":\"b\",\"name\":\"y\",\"arguments\":\"{}\"}]" },
		{ "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"x\",\"arguments\":\"{}\"}}]},"
		  "\"finish_reason\":\"stop\"}]}\n\n",
		  "[{\"id\":\"call_0_0\",\"name\":\"x\",\"arguments\":\"{}\"}]" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PlayServerOptions options = { .raw = cases[i].raw, .split = 5 };
		g_autoptr(PlayServer) server = serve(NULL, &options);
		g_autoptr(SpkLlm) llm = open_llm(server, NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autofree char *calls = NULL;

		assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
		calls = spk_json_dump(reply.tool_calls);
		assert_string_equal(calls, cases[i].calls);
	}
}

static void test_limit_is_left_out(void **state)
{
	PlayServerOptions options = { .fault = "max_tokens", .fault_times = 1 };
	g_autoptr(PlayServer) server = serve(simple, &options);
	g_autoptr(SpkLlm) llm = NULL;
	g_auto(SpkLlmReply) reply = { 0 };
	g_autofree char *before = NULL, *after = NULL;

	wire = 1;
	llm = open_llm(server, NULL);
	wire = 0;
	assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
	before = play_server_body(server, 0);
	after = play_server_body(server, 1);
	assert_non_null(strstr(before, "\"max_output_tokens\":4096"));
	assert_null(strstr(after, "max_output_tokens"));
}

static void test_parameter_is_learned(void **state)
{
	PlayServerOptions options = { .fault = "max_tokens", .fault_times = 1 };
	g_autoptr(PlayServer) server = serve(simple, &options);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_auto(SpkLlmReply) first = { 0 }, second = { 0 };
	g_autofree char *before = NULL, *after = NULL;

	assert_true(complete(llm, 0, NULL, NULL, &first, NULL));
	assert_int_equal(first.attempts, 1);
	assert_true(complete(llm, 1, NULL, NULL, &second, NULL));
	assert_int_equal(play_server_requests(server), 3);
	before = play_server_body(server, 0);
	after = play_server_body(server, 1);
	assert_non_null(strstr(before, "\"max_tokens\":4096"));
	assert_non_null(strstr(after, "\"max_completion_tokens\":4096"));
	assert_null(strstr(after, "\"max_tokens\""));
}

static void test_thinking_models(void **state)
{
	g_autoptr(PlayServer) server = serve(simple, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, "gpt-5.3-codex");
	g_auto(SpkLlmReply) reply = { 0 };
	g_autofree char *body = NULL;

	assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
	body = play_server_body(server, 0);
	assert_non_null(strstr(body, "max_completion_tokens"));
	assert_null(strstr(body, "temperature"));
}

/* A gateway that passes each maker's own API on. */
static void test_wire_by_model(void **state)
{
	static const struct {
		const char *model, *line;
	} cases[] = {
		{ "claude-sonnet-4-5", "POST /v1/messages " },
		{ "gpt-5.3-codex", "POST /v1/responses " },
		{ "qwen3-coder", "POST /v1/chat/completions " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(PlayServer) server = serve(simple, NULL);
		g_autofree char *url = g_strdup_printf("zen.url=http://127.0.0.1:%d",
						       play_server_port(server));
		g_autoptr(SpkConf) conf = conf_of("llm.provider=zen", url, NULL);
		g_autoptr(SpkLlm) llm = spk_llm_open(conf, cases[i].model, NULL);
		g_auto(SpkLlmReply) reply = { 0 };
		g_autofree char *head = NULL;

		assert_non_null(llm);
		assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
		assert_string_equal(reply.text, "Hello, world.");
		head = play_server_head(server, 0);
		if (!g_str_has_prefix(head, cases[i].line))
			fail_msg("%s: %s", cases[i].model, head);
	}
}

/* Whatever the server calls it: as many tokens as were allowed are a cut answer. */
static void test_cut_is_named(void **state)
{
	static const char *const cut = HEAD
		"{\"say\":{\"text\":\"a\",\"finish\":\"stop\",\"usage\":{\"output\":4096}}}";
	g_autoptr(PlayServer) server = serve(cut, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_auto(SpkLlmReply) reply = { 0 };

	assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
	assert_string_equal(reply.finish, "length");
}

static void test_images_are_refused(void **state)
{
	g_autoptr(PlayServer) server = serve(simple, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_auto(SpkLlmRequest) request = request_of(0);
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;

	json_array_append_new(request.messages,
			      json_pack("{s:s,s:[{s:s,s:s},{s:s,s:{s:s}}]}", "role",
					"user", "content", "type", "text", "text", "a",
					"type", "image_url", "image_url", "url",
					"data:"));
	assert_false(spk_llm_complete(llm, &request, NULL, NULL, &reply, &error));
	assert_error(error, SPK_ERR_BAD_INPUT, "no images");
	assert_int_equal(play_server_requests(server), 0);
}

static void test_play_differs(void **state)
{
	g_autoptr(PlayServer)
		server = serve(HEAD "{\"expect\":{\"last_contains\":[\"nowhere\"]}}\n"
				    "{\"say\":{\"text\":\"a\"}}",
			       NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(complete(llm, 0, NULL, NULL, &reply, &error));
	assert_error(error, SPK_ERR_REQUEST, "nowhere");
}

static void test_ping(void **state)
{
	PlayServerOptions refuses = { .fault = "401" }, lacks = { .fault = "404" };
	g_autoptr(PlayServer) well = serve(simple, NULL),
			      refusing = serve(simple, &refuses),
			      lacking = serve(simple, &lacks);
	g_autoptr(SpkLlm) llm = open_llm(well, NULL), refused = open_llm(refusing, NULL),
			  bare = open_llm(lacking, NULL);
	g_autoptr(GError) error = NULL, gone = NULL, no_list = NULL;

	assert_true(spk_llm_ping(llm, NULL, NULL));
	assert_false(spk_llm_ping(refused, NULL, &error));
	assert_error(error, SPK_ERR_PROVIDER_AUTH, "refuses the key");
	assert_null(strstr(error->message, CANARY));
	assert_false(spk_llm_ping(bare, NULL, &no_list));
	assert_error(no_list, SPK_ERR_NOT_FOUND, "answers, but has no /models");
	play_server_stop(g_steal_pointer(&well));
	assert_false(spk_llm_ping(llm, NULL, &gone));
	assert_error(gone, SPK_ERR_PROVIDER, "http://127.0.0.1:");
}

/* Keys go where the wire has them, and nowhere else; the version is named. */
static void test_headers(void **state)
{
	static const struct {
		gsize wire;
		const char *key, *header;
	} cases[] = {
		{ 0, "OPENAI_API_KEY", "\r\nAuthorization: Bearer " CANARY "\r\n" },
		{ 1, "OPENAI_API_KEY", "\r\nAuthorization: Bearer " CANARY "\r\n" },
		{ 2, "ANTHROPIC_API_KEY", "\r\nx-api-key: " CANARY "\r\n" },
		{ 3, "OPENAI_API_KEY", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(PlayServer) server = serve(simple, NULL);
		g_autoptr(SpkLlm) llm = NULL;
		g_auto(SpkLlmReply) reply = { 0 };
		g_autofree char *head = NULL;

		wire = cases[i].wire;
		g_unsetenv("OPENAI_API_KEY");
		g_unsetenv("ANTHROPIC_API_KEY");
		g_setenv(cases[i].key, CANARY, TRUE);
		llm = open_llm(server, NULL);
		assert_true(complete(llm, 0, NULL, NULL, &reply, NULL));
		head = play_server_head(server, 0);
		if (cases[i].header && !strstr(head, cases[i].header))
			fail_msg("%s", head);
		if (!cases[i].header && strstr(head, CANARY))
			fail_msg("%s", head);
		assert_int_equal(strstr(head, "\r\nanthropic-version: 2023-06-01\r\n") !=
					 NULL,
				 is_wire("messages"));
		g_unsetenv(cases[i].key);
	}
	g_setenv("OPENAI_API_KEY", CANARY, TRUE);
	g_setenv("ANTHROPIC_API_KEY", CANARY, TRUE);
	wire = 0;
}

static gpointer complete_many(gpointer llm)
{
	for (guint turn = 0; turn < 5; turn++) {
		g_auto(SpkLlmReply) reply = { 0 };

		if (!complete(llm, turn, NULL, NULL, &reply, NULL))
			return GINT_TO_POINTER(1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	g_autoptr(PlayServer) server = serve(simple, NULL);
	g_autoptr(SpkLlm) llm = open_llm(server, NULL);
	GThread *threads[8];
	guint failed = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("complete", complete_many, llm);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		failed += g_thread_join(threads[i]) != NULL;
	assert_int_equal(failed, 0);
}

static void refused_to_open(const char *word, const char *words)
{
	g_autoptr(SpkConf) conf = conf_of("llm.provider=openai", word, NULL);
	g_autoptr(GError) error = NULL;

	assert_null(spk_llm_open(conf, NULL, &error));
	assert_error(error, SPK_ERR_CONFIG, words);
	assert_non_null(spk_error_hint(error));
}

static void test_opening(void **state)
{
	g_autoptr(SpkConf) keyed = NULL;
	g_autoptr(SpkConf) local = conf_of("openai.url=http://localhost:11434/v1/", NULL);
	g_autoptr(SpkLlm) with_colon = spk_llm_open(local, "qwen2.5:7b", NULL);
	g_autoptr(SpkLlm) with_provider = spk_llm_open(local, "openai:llama3", NULL);
	g_autoptr(SpkLlm) by_key = NULL;

	assert_string_equal(spk_llm_model(with_colon), "qwen2.5:7b");
	assert_string_equal(spk_llm_model(with_provider), "llama3");
	refused_to_open("openai.model=x", "no model is configured");
	refused_to_open("openai.url=nonsense", "not a URL");
	refused_to_open("openai.url=ftp://example.com", "takes http or https");
	refused_to_open("openai.url=https://chatgpt.com/backend-api/codex",
			"subscription");
	g_setenv("OPENAI_API_KEY", "sk with blanks", TRUE);
	refused_to_open("openai.model=x", "OPENAI_API_KEY holds a character");
	g_setenv("OPENAI_API_KEY", CANARY, TRUE);
	g_setenv("ANTHROPIC_API_KEY", CANARY, TRUE);
	keyed = conf_of("openai.model=x", NULL);
	by_key = spk_llm_open(keyed, NULL, NULL);
	assert_string_equal(spk_llm_model(by_key), "x");
}

#define OVER_WIRES(test)                                             \
	static void test(void **state)                               \
	{                                                            \
		for (wire = 0; wire < G_N_ELEMENTS(wires); wire++) { \
			print_message("# %s\n", wires[wire].name);   \
			test##_of_wire();                            \
		}                                                    \
		wire = 0;                                            \
	}
OVER_WIRES(test_same_reply_however_sent)
OVER_WIRES(test_streaming_usage_and_keep_alive)
OVER_WIRES(test_faults_that_stay)
OVER_WIRES(test_faults_that_mend)
OVER_WIRES(test_open_end)
OVER_WIRES(test_cancel)

/* test_opening comes first: it leaves the key in the environment for the others. */
const struct CMUnitTest server_tests[] = {
	cmocka_unit_test(test_opening),
	cmocka_unit_test(test_same_reply_however_sent),
	cmocka_unit_test(test_streaming_usage_and_keep_alive),
	cmocka_unit_test(test_prefix_is_byte_stable),
	cmocka_unit_test(test_faults_that_stay),
	cmocka_unit_test(test_faults_that_mend),
	cmocka_unit_test(test_retry_after),
	cmocka_unit_test(test_waits_are_bounded),
	cmocka_unit_test(test_open_end),
	cmocka_unit_test(test_cancel),
	cmocka_unit_test(test_raw_quirks),
	cmocka_unit_test(test_parameter_is_learned),
	cmocka_unit_test(test_limit_is_left_out),
	cmocka_unit_test(test_headers),
	cmocka_unit_test(test_thinking_models),
	cmocka_unit_test(test_cut_is_named),
	cmocka_unit_test(test_images_are_refused),
	cmocka_unit_test(test_wire_by_model),
	cmocka_unit_test(test_play_differs),
	cmocka_unit_test(test_ping),
	cmocka_unit_test(test_threads),
};
const size_t n_server_tests = G_N_ELEMENTS(server_tests);
