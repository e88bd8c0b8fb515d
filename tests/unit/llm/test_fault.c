#include "test_llm.h"

#include <string.h>

#include "llm/fault.h"
#include "llm/llm_impl.h"
#include "llm/quirks_priv.h"

typedef struct {
	long status;
	const char *body;
	SpkErr code;
	gboolean never;
	const char *words;
} Case;

/* clang-format off */
static const Case cases[] = {
	/* how servers say that the request is too long */
	{ 400, "{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens.\",\"type\":"
	       "\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}",
	  SPK_ERR_CONTEXT_LENGTH, FALSE, "8192" },
	{ 500, "{\"error\":{\"code\":500,\"message\":\"the request exceeds the available context size.\","
	       "\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":9,\"n_ctx\":8}}",
	  SPK_ERR_CONTEXT_LENGTH, FALSE, "available" },
	{ 500,
	  "{\"error\":{\"code\":500,\"message\":\"input (3001 tokens) is too large to process. "
	  "increase the physical batch size\"}}",
	  SPK_ERR_CONTEXT_LENGTH, FALSE, "3001" },
	{ 0, "{\"error\":{\"code\":400,\"message\":\"request (2358 tokens) exceeds the available context "
	     "size (2048 tokens), try increasing it\"}}", SPK_ERR_CONTEXT_LENGTH, FALSE, "2358" },
	{ 400, "{\"object\":\"error\",\"message\":\"The decoder prompt (length 9) is longer than the "
	       "maximum model length of 8.\",\"type\":\"BadRequestError\",\"code\":400}",
	  SPK_ERR_CONTEXT_LENGTH, FALSE, "decoder" },
	{ 413, "too large", SPK_ERR_CONTEXT_LENGTH, FALSE, "too large" },
	/* the key and the account */
	{ 401, "{\"error\":{\"message\":\"Incorrect API key provided\"}}", SPK_ERR_PROVIDER_AUTH, TRUE,
	  "refuses the key (HTTP 401): Incorrect" },
	{ 403, "{\"detail\":\"Forbidden\"}", SPK_ERR_PROVIDER_AUTH, TRUE, "Forbidden" },
	{ 429, "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"m\"}}", SPK_ERR_PROVIDER_AUTH,
	  TRUE, "no quota left" },
	{ 402, "{\"error\":{\"message\":\"Insufficient Balance\"}}", SPK_ERR_PROVIDER_AUTH, TRUE,
	  "Balance" },
	/* what waiting may mend */
	{ 429, "{\"error\":{\"message\":\"maximum context length per minute\"}}", SPK_ERR_RATE_LIMITED,
	  FALSE, "slow down" },
	{ 408, "", SPK_ERR_PROVIDER, FALSE, "no more is said" },
	{ 409, "{}", SPK_ERR_PROVIDER, FALSE, "409" },
	{ 500, "<html><body>Internal</body></html>", SPK_ERR_PROVIDER, FALSE, "Internal" },
	{ 529, "{\"error\":\"overloaded\"}", SPK_ERR_PROVIDER, FALSE, "overloaded" },
	{ 0, "{\"error\":{\"message\":\"m\",\"code\":503}}", SPK_ERR_PROVIDER, FALSE, "HTTP 503" },
	{ 0, "{\"error\":{\"message\":\"m\",\"code\":\"server_error\"}}", SPK_ERR_PROVIDER, FALSE,
	  "ended the answer" },
	/* what it won't */
	{ 400, "{\"error\":{\"message\":\"bad schema\"}}", SPK_ERR_REQUEST, TRUE, "bad schema" },
	{ 400, "[{\"error\":{\"code\":400,\"message\":\"Gemini wraps it\"}}]", SPK_ERR_REQUEST, TRUE,
	  "Gemini wraps it" },
	{ 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"Field required\"}]}", SPK_ERR_REQUEST, TRUE,
	  "Field required" },
	{ 404, "{\"error\":{\"message\":\"model \\\"x\\\" not found\"}}", SPK_ERR_CONFIG, TRUE,
	  "no such model or path (HTTP 404): model \"x\" not found" },
	{ 302, "", SPK_ERR_CONFIG, TRUE, "redirects" },
	{ 418, "\033[31mtea\033[0m\x01\xff", SPK_ERR_REQUEST, TRUE, "tea" },
};
/* clang-format on */

static void test_cases(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		g_auto(SpkFault) fault = { 0 };
		g_autoptr(GError) error = NULL;
		double retry = SPK_RETRY_DEFAULT;

		spk_fault_parse(&fault, c->status, c->body, strlen(c->body));
		spk_fault_to_error(&fault,
				   &(SpkFaultSource){ "openai", "OPENAI_API_KEY" },
				   &retry, &error);
		assert_error(error, c->code, c->words);
		assert_null(strchr(error->message, '\033'));
		if ((retry == SPK_RETRY_NEVER) != c->never)
			fail_msg("%ld %s: retry %f", c->status, c->body, retry);
	}
}

static void test_long_bodies_are_clipped(void **state)
{
	g_autofree char *page = g_strnfill(1 << 20, 'x');
	g_auto(SpkFault) fault = { 0 };

	spk_fault_parse(&fault, 500, page, 1 << 20);
	assert_true(strlen(fault.message) <= 300);
}

static guint quirks_of(long status, const char *body)
{
	g_auto(SpkFault) fault = { 0 };

	spk_fault_parse(&fault, status, body, strlen(body));
	return spk_quirks_of_fault(&fault);
}

static void test_quirks_of_other_wires(void **state)
{
	static const struct {
		const char *body;
		guint quirk;
	} refusals[] = {
		{ "{\"error\":{\"message\":\"Unsupported parameter: max_output_tokens\"}}",
		  SPK_QUIRK_NO_LIMIT },
		{ "{\"error\":{\"message\":\"Unknown parameter: 'store'.\",\"param\":\"store\"}}",
		  SPK_QUIRK_NO_STORE },
		{ "{\"error\":\"unknown model; see the store for others\"}", 0 },
		{ "{\"error\":{\"message\":\"Unsupported parameter: 'reasoning.effort' is not supported "
		  "with this model.\",\"param\":\"reasoning.effort\"}}",
		  SPK_QUIRK_NO_EFFORT },
		{ "{\"error\":\"unknown reasoning\"}", 0 },
		{ "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
		  "\"tools.0.cache_control: Extra inputs are not permitted\"}}",
		  SPK_QUIRK_NO_CACHE },
		{ "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
		  "\"`temperature` is deprecated for this model.\"}}",
		  SPK_QUIRK_NO_TEMPERATURE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++)
		if (quirks_of(400, refusals[i].body) != refusals[i].quirk)
			fail_msg("%s", refusals[i].body);
}

static void test_quirks(void **state)
{
	const char *tokens =
		"{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported with this "
		"model. Use 'max_completion_tokens' instead.\",\"param\":\"max_tokens\","
		"\"code\":\"unsupported_parameter\"}}";

	assert_int_equal(quirks_of(400, tokens), SPK_QUIRK_COMPLETION_TOKENS);
	assert_int_equal(quirks_of(500, tokens), 0);
	assert_int_equal(
		quirks_of(
			400,
			"{\"error\":{\"message\":\"Unsupported value: 'temperature' does "
			"not support 0.3\",\"param\":\"temperature\","
			"\"code\":\"unsupported_value\"}}"),
		SPK_QUIRK_NO_TEMPERATURE);
	assert_int_equal(
		quirks_of(422,
			  "{\"detail\":[{\"loc\":[\"body\",\"stream_options\"],\"msg\":"
			  "\"Extra inputs are not permitted\"}]}"),
		SPK_QUIRK_NO_STREAM_OPTIONS);
	assert_int_equal(quirks_of(400, "{\"error\":\"unknown field stream_options\"}"),
			 SPK_QUIRK_NO_STREAM_OPTIONS);
	assert_int_equal(quirks_of(400, "{\"error\":\"max_tokens must be positive\"}"),
			 0);
	assert_int_equal(
		quirks_of(
			400,
			"{\"error\":{\"message\":\"unsupported\",\"param\":\"tools\"}}"),
		0);
	assert_int_equal(spk_known_model("gpt-4o")->quirks, 0);
	assert_int_not_equal(spk_known_model("gpt-5.3-codex")->quirks, 0);
	assert_int_not_equal(spk_known_model("openai/o3-mini")->quirks, 0);
	assert_int_equal(spk_known_model("qwen2.5:7b")->quirks, 0);
}

const struct CMUnitTest fault_tests[] = {
	cmocka_unit_test(test_cases),
	cmocka_unit_test(test_long_bodies_are_clipped),
	cmocka_unit_test(test_quirks),
	cmocka_unit_test(test_quirks_of_other_wires),
};
const size_t n_fault_tests = G_N_ELEMENTS(fault_tests);
