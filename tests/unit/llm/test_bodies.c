/* What each wire makes of one conversation, byte for byte. */
#include "test_llm.h"

#include <string.h>

#include "base/json.h"

static const char *const conversation =
	"[{'role':'system','content':'You are a test.'},"
	"{'role':'user','content':'Fix it.'},"
	"{'role':'assistant','content':'I look.','tool_calls':["
	"{'id':'call_0_0','type':'function','function':{'name':'shell','arguments':'{\\'c\\':1}'}},"
	"{'id':'x.y:z','type':'function','function':{'name':'odd.name','arguments':'oops'}}]},"
	"{'role':'tool','tool_call_id':'call_0_0','content':'done'},"
	"{'role':'tool','tool_call_id':'x.y:z','content':'no such tool'},"
	"{'role':'user','content':'Go on.'},"
	"{'role':'assistant','content':' \\n'},"
	"{'role':'user','content':[{'type':'text','text':'Now '},{'type':'text','text':'stop.'}]}]";

/* JSON written with ' for ", and \' for \". */
static json_t *quoted(const char *text)
{
	g_autoptr(GString) out = g_string_new(text);
	json_t *json;

	g_string_replace(out, "\\'", "\001", 0);
	g_string_replace(out, "'", "\"", 0);
	g_string_replace(out, "\001", "\\\"", 0);
	json = spk_json_parse(out->str, out->len, SPK_JSON_MAX, NULL);
	assert_non_null(json);
	return json;
}

static json_t *body_of(const SpkWire *wire, SpkWireParams params, const char *schema)
{
	g_auto(SpkLlmRequest) request = request_of(0);
	g_autoptr(json_t) held = schema ? quoted(schema) : NULL;

	json_decref(request.messages);
	request.messages = quoted(conversation);
	request.schema = held;
	if (!params.model)
		params.model = "m";
	if (!params.effort)
		params.effort = params.summary = "";
	return wire->body(&params, &request);
}

static void assert_part(const json_t *body, const char *key, const char *wanted)
{
	g_autoptr(json_t) json = quoted(wanted);
	g_autofree char *want = spk_json_dump(json);
	g_autofree char *got = json_object_get(body, key)
				       ? spk_json_dump(json_object_get(body, key))
				       : g_strdup("nothing");

	assert_string_equal(got, want);
}

static void test_responses_body(void **state)
{
	SpkWireParams params = { .temperature = 0.3, .max_tokens = 100 };
	g_autoptr(json_t)
		body = body_of(&spk_wire_responses, params, "{'type':'object'}");

	assert_part(body, "instructions", "'You are a test.'");
	assert_part(
		body, "input",
		"[{'type':'message','role':'user','content':[{'type':'input_text','text':'Fix it.'}]},"
		"{'type':'message','role':'assistant','content':[{'type':'output_text','text':'I look.'}]},"
		"{'type':'function_call','call_id':'call_0_0','name':'shell','arguments':'{\\'c\\':1}'},"
		"{'type':'function_call','call_id':'x.y:z','name':'odd.name','arguments':'oops'},"
		"{'type':'function_call_output','call_id':'call_0_0','output':'done'},"
		"{'type':'function_call_output','call_id':'x.y:z','output':'no such tool'},"
		"{'type':'message','role':'user','content':[{'type':'input_text','text':'Go on.'}]},"
		"{'type':'message','role':'assistant','content':[{'type':'output_text','text':' \\n'}]},"
		"{'type':'message','role':'user','content':[{'type':'input_text','text':'Now stop.'}]}]");
	assert_part(
		body, "tools",
		"[{'type':'function','name':'shell','description':'runs a command','parameters':"
		"{'type':'object','properties':{'command':{'type':'string'}}},'strict':false}]");
	assert_part(
		body, "text",
		"{'format':{'type':'json_schema','name':'answer','strict':true,'schema':{'type':'object'}}}");
	assert_part(body, "store", "false");
	assert_part(body, "stream", "true");
	assert_part(body, "max_output_tokens", "100");
	assert_null(json_object_get(body, "reasoning"));
}

static void test_responses_parameters(void **state)
{
	SpkWireParams params = { .max_tokens = 100, .effort = "high", .summary = "auto" };
	g_autoptr(json_t) all = body_of(&spk_wire_responses, params, NULL), none = NULL;

	assert_part(all, "reasoning", "{'effort':'high','summary':'auto'}");
	params.quirks = SPK_QUIRK_NO_EFFORT | SPK_QUIRK_NO_LIMIT | SPK_QUIRK_NO_STORE |
			SPK_QUIRK_NO_TEMPERATURE;
	none = body_of(&spk_wire_responses, params, NULL);
	assert_null(json_object_get(none, "reasoning"));
	assert_null(json_object_get(none, "max_output_tokens"));
	assert_null(json_object_get(none, "store"));
	assert_null(json_object_get(none, "temperature"));
	assert_null(json_object_get(none, "text"));
}

#define MARK ",'cache_control':{'type':'ephemeral'}"

static void test_messages_body(void **state)
{
	SpkWireParams params = { .temperature = 1.5, .max_tokens = 100 };
	g_autoptr(json_t) body = body_of(&spk_wire_messages, params, NULL), plain = NULL;
	g_autofree char *text = NULL;

	assert_part(body, "system", "[{'type':'text','text':'You are a test.'" MARK "}]");
	/* one turn for the results and what the user says next; no turn of blanks */
	assert_part(
		body, "messages",
		"[{'role':'user','content':[{'type':'text','text':'Fix it.'}]},"
		"{'role':'assistant','content':[{'type':'text','text':'I look.'},"
		"{'type':'tool_use','id':'call_0_0','name':'shell','input':{'c':1}},"
		"{'type':'tool_use','id':'x_y_z','name':'odd_name','input':{'text':'oops'}}]},"
		"{'role':'user','content':[{'type':'tool_result','tool_use_id':'call_0_0','content':'done'},"
		"{'type':'tool_result','tool_use_id':'x_y_z','content':'no such tool'},"
		"{'type':'text','text':'Go on.'},{'type':'text','text':'Now stop.'" MARK
		"}]}]");
	assert_part(body, "tools",
		    "[{'name':'shell','description':'runs a command','input_schema':"
		    "{'type':'object','properties':{'command':{'type':'string'}}}" MARK
		    "}]");
	assert_part(body, "temperature", "1.0");
	assert_part(body, "max_tokens", "100");
	params.quirks = SPK_QUIRK_NO_CACHE | SPK_QUIRK_NO_TEMPERATURE;
	params.max_tokens = 0;
	plain = body_of(&spk_wire_messages, params, NULL);
	text = spk_json_dump(plain);
	assert_null(strstr(text, "cache_control"));
	assert_null(strstr(text, "temperature"));
	assert_part(plain, "max_tokens", "4096");
}

static void test_ollama_body(void **state)
{
	SpkWireParams params = { .temperature = 0.5,
				 .max_tokens = 100,
				 .context_window = 8192 };
	g_autoptr(json_t) body = body_of(&spk_wire_ollama, params, "{'type':'object'}");

	assert_part(body, "options",
		    "{'temperature':0.5,'num_ctx':8192,'num_predict':100}");
	assert_part(body, "format", "{'type':'object'}");
	assert_part(body, "truncate", "false");
	assert_part(
		body, "messages",
		"[{'role':'system','content':'You are a test.'},{'role':'user','content':'Fix it.'},"
		"{'role':'assistant','content':'I look.','tool_calls':[{'function':{'name':'shell','arguments':{'c':1}}},"
		"{'function':{'name':'odd.name','arguments':{'text':'oops'}}}]},"
		"{'role':'tool','content':'done','tool_name':'shell'},"
		"{'role':'tool','content':'no such tool','tool_name':'odd.name'},"
		"{'role':'user','content':'Go on.'},{'role':'assistant','content':' \\n'},"
		"{'role':'user','content':'Now stop.'}]");
}

static void test_chat_body(void **state)
{
	SpkWireParams params = { .max_tokens = 100, .effort = "low", .summary = "auto" };
	g_autoptr(json_t) body = body_of(&spk_wire_chat, params, "{'type':'object'}");

	assert_part(
		body, "response_format",
		"{'type':'json_schema','json_schema':{'name':'answer','strict':true,'schema':{'type':'object'}}}");
	assert_part(body, "reasoning_effort", "'low'");
}

const struct CMUnitTest bodies_tests[] = {
	cmocka_unit_test(test_chat_body),
	cmocka_unit_test(test_responses_body),
	cmocka_unit_test(test_responses_parameters),
	cmocka_unit_test(test_messages_body),
	cmocka_unit_test(test_ollama_body),
};
const size_t n_bodies_tests = G_N_ELEMENTS(bodies_tests);
