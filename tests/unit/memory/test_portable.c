/* A memory as a JSON line and back; lines of anybody. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "memory/portable.h"
#include "test_memory.h"

static SpkPortable *read_line(const char *line)
{
	SpkPortable *one = NULL;
	g_autoptr(GError) error = NULL;

	assert_true(spk_portable_read(line, strlen(line), "import:x", &one, &error));
	assert_null(error);
	return one;
}

static void there_and_back(void **state)
{
	SpkMemoryRow row = { .num = 7,
			     .id = (char *)"a1",
			     .text = (char *)"Ann: two\nlines",
			     .kind = (char *)"preference",
			     .scope = (char *)"repo:/srv/x",
			     .source = (char *)"spark:coder",
			     .task = (char *)"t1",
			     .entry = 12,
			     .untrusted = TRUE,
			     .time_us = G_GINT64_CONSTANT(1709209845123000),
			     .stored_us = G_GINT64_CONSTANT(1709209846000000),
			     .confidence = 0.25,
			     .speaker = (char *)"Ann",
			     .supersedes = (char *)"a0",
			     .superseded_by = (char *)"a2",
			     .state = SPK_MEMORY_SUPERSEDED };
	g_autoptr(json_t) object = spk_portable_row(&row);
	g_autofree char *line = spk_json_dump(object);
	g_autoptr(SpkPortable) back = read_line(line);
	g_autoptr(json_t) again = NULL;

	assert_non_null(back);
	assert_int_equal(back->row->num, 0);
	again = spk_portable_row(back->row);
	assert_true(json_equal(object, again));
}

static void what_is_left_out(void **state)
{
	g_autoptr(SpkPortable) one = read_line("{\"text\": \" a fact\\n\"}\n");

	assert_string_equal(one->row->text, "a fact");
	assert_string_equal(one->row->kind, "fact");
	assert_string_equal(one->row->scope, "user");
	assert_string_equal(one->row->source, "import:x");
	assert_int_equal(strlen(one->row->id), 12);
	assert_true(one->row->confidence == 1);
	assert_int_equal(one->row->state, SPK_MEMORY_ACTIVE);
	assert_int_equal(one->row->time_us, 0);
	assert_null(one->vector);
	assert_null(read_line(""));
	assert_null(read_line(" \r\n"));
	assert_null(read_line("{\"memories\": 1, \"count\": 3}"));
}

static void what_comes_in_is_cleaned(void **state)
{
	g_autoptr(SpkPortable) one = read_line(
		"{\"text\": \"a\\u001b[31mred\\u001b[0m key sk-proj-"
		"Zq3vT8nLw5XkR2pYb7HdC9mJf4GsA1eU6oWiKtBx0VyNrDhQ\", \"kind\": \"fact\"}");

	assert_null(strchr(one->row->text, '\033'));
	assert_non_null(strstr(one->row->text, "ared key [redacted"));
}

static void vectors(void **state)
{
	g_autoptr(SpkPortable) one = read_line(
		"{\"text\": \"x\", \"model\": \"m\", \"embedding\": [3, 0, 4.0]}");
	g_autoptr(SpkPortable) none = read_line("{\"text\": \"x\", \"model\": \"m\"}");

	assert_int_equal(one->dims, 3);
	assert_true(fabsf(one->vector[0] - 0.6f) < 1e-6 && one->vector[1] == 0 &&
		    fabsf(one->vector[2] - 0.8f) < 1e-6);
	/* a model's name without its vector says nothing */
	assert_null(none->row->model);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "[1]", "no JSON object" },
		{ "{\"text\": \"a\"", "" },
		{ "{}", "\"text\" is missing" },
		{ "{\"text\": \" \"}", "\"text\" is missing or empty" },
		{ "{\"text\": 7}", "\"text\" is not of its form" },
		{ "{\"text\": \"a\\u0000b\"}", "" },
		{ "{\"text\": \"a\", \"txet\": 1}", "\"txet\" is no key" },
		{ "{\"text\": \"a\", \"text\": \"b\"}", "" },
		{ "{\"text\": \"a\", \"time\": \"soon\"}", "\"time\" is not" },
		{ "{\"text\": \"a\", \"confidence\": 1.5}", "\"confidence\" is not" },
		{ "{\"text\": \"a\", \"confidence\": \"1\"}", "\"confidence\" is not" },
		{ "{\"text\": \"a\", \"state\": \"gone\"}", "\"state\" is not" },
		{ "{\"text\": \"a\", \"entry\": -1}", "\"entry\" is not" },
		{ "{\"text\": \"a\", \"untrusted\": 1}", "\"untrusted\" is not" },
		{ "{\"text\": \"a\", \"embedding\": [1]}", "of no model" },
		{ "{\"text\": \"a\", \"model\": \"m\", \"embedding\": [0, 0]}",
		  "\"embedding\" is not" },
		{ "{\"text\": \"a\", \"model\": \"m\", \"embedding\": []}",
		  "\"embedding\" is not" },
		{ "{\"text\": \"a\", \"model\": \"m\", \"embedding\": [\"1\"]}",
		  "\"embedding\" is not" },
		{ "{\"memories\": 2}", "not known here" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		SpkPortable *one = NULL;
		g_autoptr(GError) error = NULL;

		assert_false(spk_portable_read(cases[i].line, strlen(cases[i].line), "x",
					       &one, &error));
		assert_null(one);
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
		assert_non_null(strstr(error->message, cases[i].message));
	}
}

const struct CMUnitTest portable_tests[] = {
	cmocka_unit_test(there_and_back),	    cmocka_unit_test(what_is_left_out),
	cmocka_unit_test(what_comes_in_is_cleaned), cmocka_unit_test(vectors),
	cmocka_unit_test(what_is_refused),
};
const size_t n_portable_tests = G_N_ELEMENTS(portable_tests);
