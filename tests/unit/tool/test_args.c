/* Schemas and the check of arguments; nothing here needs a tree. */
#include "test_tool.h"

#include <string.h>

#include "base/json.h"

static const char *const names[] = { "shell", "file_read", "finish", "git", NULL };

/* The words JSON Schema knows that we use, and what they must be. */
static void check_schema(const json_t *schema)
{
	static const char *const types[] = { "object",	"string", "integer",
					     "boolean", "array",  NULL };
	const char *type = spk_json_str(schema, "type");
	const char *key;
	gsize i;
	json_t *value;

	assert_non_null(type);
	assert_true(g_strv_contains(types, type));
	if (!strcmp(type, "array"))
		check_schema(json_object_get(schema, "items"));
	if (!strcmp(type, "integer"))
		assert_true(spk_json_int(schema, "minimum", 1) <=
			    spk_json_int(schema, "maximum", 0));
	if (strcmp(type, "object"))
		return;
	assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	json_object_foreach(json_object_get(schema, "properties"), key, value) {
		assert_non_null(spk_json_str(value, "description"));
		check_schema(value);
	}
	json_array_foreach(json_object_get(schema, "required"), i, value)
		assert_non_null(json_object_get(json_object_get(schema, "properties"),
						json_string_value(value)));
}

static void schemas_are_valid(void **state)
{
	for (const SpkTool *const *tool = spk_tools; *tool; tool++) {
		const char *one[] = { (*tool)->name, NULL };
		g_autoptr(json_t) list = spk_tool_schemas(one);
		json_t *item = json_array_get(list, 0), *function;

		assert_int_equal(json_array_size(list), 1);
		assert_string_equal(spk_json_str(item, "type"), "function");
		function = json_object_get(item, "function");
		assert_string_equal(spk_json_str(function, "name"), (*tool)->name);
		assert_true(strlen(spk_json_str(function, "description")) > 20);
		check_schema(json_object_get(function, "parameters"));
	}
}

static void schemas_are_byte_stable(void **state)
{
	static const char *const other_order[] = { "git",	"finish", "nonsense",
						   "file_read", "shell",  NULL };
	g_autoptr(json_t) first = spk_tool_schemas(names);
	g_autoptr(json_t) second = spk_tool_schemas(other_order);
	g_autofree char *a = spk_json_dump(first), *b = spk_json_dump(second);

	assert_string_equal(a, b);
	assert_int_equal(json_array_size(first), 4);
	assert_true(g_str_has_prefix(a, "[{\"type\":\"function\",\"function\":{\"name\":"
					"\"file_read\",\"description\":\""));
}

typedef struct {
	const char *tool, *arguments; /* ' stands for " */
	const char *words;	      /* of the reason; NULL: fine */
} ArgRow;

static const ArgRow rows[] = {
	{ "file_read", "{'path':'a'}", NULL },
	{ "file_read", "{'path':'a','offset':3,'limit':10}", NULL },
	{ "file_read", "{'path':'a','offset':null}", NULL },
	{ "file_list", "{}", NULL },
	{ "file_list", "", NULL },
	{ "git", "{'args':[]}", NULL },
	{ "git", "{'args':['log','-1']}", NULL },
	{ "file_edit", "{'path':'a','old_string':'x','new_string':'','replace_all':true}",
	  NULL },
	{ "file_read", "{}", "missing \"path\"" },
	{ "file_read", "", "missing \"path\"" },
	{ "file_read", "{'path':null}", "must be a string" },
	{ "file_read", "{'path':1}", "\"path\" must be a string" },
	{ "file_read", "{'path':['a']}", "must be a string" },
	{ "file_read", "{'path':'a','offset':'3'}", "must be an integer" },
	{ "file_read", "{'path':'a','offset':1.5}", "must be an integer" },
	{ "file_read", "{'path':'a','offset':0}", "from 1" },
	{ "file_read", "{'path':'a','offset':-9223372036854775808}", "from 1" },
	{ "file_read", "{'path':'a','offset':99999999999999999999}", "not JSON" },
	{ "file_read", "{'pth':'a'}", "did you mean \"path\"" },
	{ "file_read", "{'path':'a','encoding':'x'}",
	  "the arguments are: path, offset, limit" },
	{ "file_read", "{'path':'a','path':'b'}", "duplicate" },
	{ "file_read", "[1]", "one JSON object" },
	{ "file_read", "null", "one JSON object" },
	{ "file_read", "'path'", "one JSON object" },
	{ "file_read", "path=a", "not JSON" },
	{ "file_read", "{'path':'a'", "not JSON" },
	{ "file_read", "{'path':'a'} {}", "not JSON" },
	{ "file_read", "{'path':'a\\u0000b'}", "NUL" },
	{ "file_edit", "{'path':'a','old_string':'x','new_string':'','replace_all':1}",
	  "true or false" },
	{ "git", "{'args':'log -1'}", "must be a list of strings" },
	{ "git", "{'args':['log',1]}", "\"args\"[1] must be a string" },
	{ "git", "{'args':['a\\u0000b']}", "\"args\"[0] holds a NUL" },
	{ "shell", "{'command':'x','timeout_secs':0}", "from 1 to 86400" },
};

static void arguments_table(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text =
			g_strdelimit(g_strdup(rows[i].arguments), "'", '"');
		g_autofree char *reason = NULL;
		g_autoptr(json_t) args =
			spk_tool_parse_args(spk_tool_find(rows[i].tool), text, &reason);

		if ((args == NULL) != (rows[i].words != NULL) ||
		    (args != NULL) == (reason != NULL))
			fail_msg("%s %s: %s", rows[i].tool, rows[i].arguments, reason);
		if (reason && !strstr(reason, rows[i].words))
			fail_msg("%s %s: %s", rows[i].tool, rows[i].arguments, reason);
	}
}

static void huge_arguments(void **state)
{
	g_autofree char *fill = g_strnfill(SPK_JSON_MAX, 'a');
	g_autofree char *over = g_strdup_printf("{\"path\":\"%s\"}", fill);
	g_autofree char *long_path = g_strdup_printf("{\"path\":\"%.5000s\"}", fill);
	g_autofree char *key = g_strdup_printf("{\"%.100000s\":1}", fill);
	g_autoptr(GString) many = g_string_new("{\"args\":[\"log\"");
	g_autoptr(GString) deep = g_string_new("{\"path\":");
	const char *texts[5];

	for (int i = 0; i < 300; i++)
		g_string_append(many, ",\"x\"");
	g_string_append(many, "]}");
	for (int i = 0; i < 100000; i++)
		g_string_append_c(deep, '[');
	texts[0] = over;
	texts[1] = long_path;
	texts[2] = key;
	texts[3] = deep->str;
	texts[4] = many->str;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const SpkTool *tool = spk_tool_find(i == 4 ? "git" : "file_read");
		g_autofree char *reason = NULL;

		assert_null(spk_tool_parse_args(tool, texts[i], &reason));
		assert_true(strlen(reason) < 500);
	}
}

static void registry(void **state)
{
	assert_null(spk_tool_find("rm"));
	assert_null(spk_tool_find(""));
	for (const SpkTool *const *tool = spk_tools; *tool; tool++) {
		assert_ptr_equal(spk_tool_find((*tool)->name), *tool);
		/* what changes files is never run again unasked without being idempotent */
		assert_true(!(*tool)->writes || (*tool)->effect != SPK_EFFECT_PURE);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(schemas_are_valid), cmocka_unit_test(schemas_are_byte_stable),
	cmocka_unit_test(arguments_table),   cmocka_unit_test(huge_arguments),
	cmocka_unit_test(registry),
};
SUITE(args_suite, tests);
