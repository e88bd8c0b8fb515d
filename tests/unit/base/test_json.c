#include "test_base.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	json_t *json = spk_json_parse(text, strlen(text), SPK_JSON_MAX, &error);

	if (!json)
		fail_msg("%s", error->message);
	return json;
}

static void takes_any_value(void **state)
{
	static const char *const good[] = {
		"{}",	       "[]",
		"null",	       "true",
		"0",	       "-1.5e3",
		"\"x\"",       " [1, {\"a\": []}]\n",
		"\"\\u0000\"", "\"\\ud83d\\ude00\"",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		json_decref(parse(good[i]));
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"[1,]",
		"{\"a\":1,}",
		"{a:1}",
		"'x'",
		"nul",
		"NaN",
		"Infinity",
		"01",
		"+1",
		"1 2",
		"{} {}",
		"\"\\ud800\"",
		"\"\\x41\"",
		"\"a\nb\"",
		"\"\xff\"",
		"\"\xc0\xaf\"",
		"\"\xed\xa0\x80\"",
		"\xef\xbb\xbf{}",
		"1e999",
		"99999999999999999999",
		"[1] // no",
		"{\"a\\u0000b\":1}",
		"{\"a\":1,\"a\":2}",
		"[{\"x\":{\"k\":1,\"k\":1}}]",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		if (spk_json_parse(bad[i], strlen(bad[i]), SPK_JSON_MAX, &error))
			fail_msg("taken: %s", bad[i]);
		expect_error(&error, SPK_ERR_BAD_INPUT);
	}
}

static void tells_the_place(void **state)
{
	g_autoptr(GError) error = NULL;
	const char *text = "{\n  \"a\": 1,\n  \"b\": oops\n}";

	assert_null(spk_json_parse(text, strlen(text), SPK_JSON_MAX, &error));
	assert_non_null(strstr(error->message, "line 3, column 11"));
}

static void quotes_no_escape_sequence(void **state)
{
	g_autoptr(GError) error = NULL;
	const char *text = "[\033]0;title\a oops";

	assert_null(spk_json_parse(text, strlen(text), SPK_JSON_MAX, &error));
	assert_null(strpbrk(error->message, "\033\a\n"));
}

static void bounds_the_length(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) fits = spk_json_parse("[1,2,3]", 7, 7, NULL);

	assert_non_null(fits);
	assert_null(spk_json_parse("[1,2,3]", 7, 6, &error));
	expect_error(&error, SPK_ERR_BAD_INPUT);
}

static void reads_no_byte_past_the_length(void **state)
{
	char exact[] = { '[', '1', ']' }; /* no NUL: ASan looks on */
	g_autoptr(json_t) json = spk_json_parse(exact, sizeof(exact), SPK_JSON_MAX, NULL);

	assert_int_equal(json_array_size(json), 1);
}

static void bounds_the_depth(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *open = g_strnfill(1000000, '[');
	g_autofree char *objects = g_malloc(500001);
	GString *fine = g_string_new(NULL);
	g_autoptr(json_t) json = NULL;
	g_autofree char *dumped = NULL;

	assert_null(spk_json_parse(open, strlen(open), SPK_JSON_MAX, &error));
	expect_error(&error, SPK_ERR_BAD_INPUT);
	for (int i = 0; i < 100000; i++)
		memcpy(objects + 5 * i, "{\"\":", 5);
	assert_null(spk_json_parse(objects, 499999, SPK_JSON_MAX, &error));
	expect_error(&error, SPK_ERR_BAD_INPUT);
	for (int i = 0; i < 1000; i++)
		g_string_append_c(fine, '[');
	for (int i = 0; i < 1000; i++)
		g_string_append_c(fine, ']');
	json = parse(fine->str);
	dumped = spk_json_dump(json);
	assert_string_equal(dumped, fine->str);
	g_string_free(fine, TRUE);
}

static void takes_large_text(void **state)
{
	GString *text = g_string_new("[");
	g_autoptr(json_t) json = NULL;

	for (int i = 0; i < 200000; i++)
		g_string_append_printf(text, "%s{\"n\":%d}", i ? "," : "", i);
	g_string_append_c(text, ']');
	json = parse(text->str);
	assert_int_equal(json_array_size(json), 200000);
	assert_int_equal(spk_json_int(json_array_get(json, 199999), "n", -1), 199999);
	g_string_free(text, TRUE);
}

static void dump_keeps_order_and_canon_sorts(void **state)
{
	g_autoptr(json_t) a =
		parse("{\"b\": 1, \"a\": [true, null, 1.5], \"c\": {\"z\":1,\"y\":2}}");
	g_autoptr(json_t)
		b = parse("{\"c\":{\"y\":2,\"z\":1},\"a\":[true,null,1.5],\"b\":1}");
	g_autofree char *dumped = spk_json_dump(a);
	g_autofree char *canon_a = spk_json_canon(a);
	g_autofree char *canon_b = spk_json_canon(b);

	assert_string_equal(dumped,
			    "{\"b\":1,\"a\":[true,null,1.5],\"c\":{\"z\":1,\"y\":2}}");
	assert_string_equal(canon_a,
			    "{\"a\":[true,null,1.5],\"b\":1,\"c\":{\"y\":2,\"z\":1}}");
	assert_string_equal(canon_a, canon_b);
}

static void dump_gives_back_what_was_read(void **state)
{
	static const char *const texts[] = {
		"\"a\\u0000b\"",
		"\"\\u001b[31m\"",
		"9223372036854775807",
		"-9223372036854775808",
		"0.1",
		"\"ä€😀\"",
		"\"\\\"\\\\\\n\"",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(json_t) json = parse(texts[i]);
		g_autofree char *dumped = spk_json_dump(json);
		g_autoptr(json_t) again = parse(dumped);

		assert_true(json_equal(json, again));
		assert_null(strchr(dumped, '\033'));
	}
}

static void readers_treat_absent_and_wrong_alike(void **state)
{
	g_autoptr(json_t)
		o = parse("{\"s\":\"x\",\"i\":7,\"r\":1.5,\"b\":true,\"n\":null}");

	assert_string_equal(spk_json_str(o, "s"), "x");
	assert_null(spk_json_str(o, "i"));
	assert_null(spk_json_str(o, "n"));
	assert_null(spk_json_str(o, "absent"));
	assert_null(spk_json_str(NULL, "s"));
	assert_int_equal(spk_json_int(o, "i", -1), 7);
	assert_int_equal(spk_json_int(o, "s", -1), -1);
	assert_int_equal(spk_json_int(o, "r", -1), -1);
	assert_int_equal(spk_json_int(NULL, "i", -1), -1);
	assert_true(spk_json_real(o, "r", 0) == 1.5);
	assert_true(spk_json_real(o, "i", 0) == 7.0);
	assert_true(spk_json_real(o, "b", 0.25) == 0.25);
	assert_true(spk_json_bool(o, "b", FALSE));
	assert_true(spk_json_bool(o, "i", TRUE));
	assert_false(spk_json_bool(o, "i", FALSE));
}

static void text_is_made_valid(void **state)
{
	g_autoptr(json_t) null = spk_json_text(NULL);
	g_autoptr(json_t) plain = spk_json_text("ä");
	g_autoptr(json_t) broken = spk_json_text("a\xff\xe2\x82");
	g_autoptr(json_t) with_nul = spk_json_text_n("a\0b", 3);
	g_autoptr(json_t) part = spk_json_text_n("abcdef", 2);
	g_autoptr(json_t) both = spk_json_text_n("\xff\0x", 3);

	assert_true(json_is_null(null));
	assert_string_equal(json_string_value(plain), "ä");
	assert_true(g_str_has_prefix(json_string_value(broken), "a\xef\xbf\xbd"));
	assert_int_equal(json_string_length(with_nul), 3);
	assert_string_equal(json_string_value(part), "ab");
	assert_true(json_is_string(both));
	assert_non_null(strchr(json_string_value(both), 'x'));
}

static void set_takes_the_value(void **state)
{
	g_autoptr(json_t) o = json_object();

	spk_json_set(o, "a", json_integer(1));
	spk_json_set(o, "a", spk_json_text("x"));
	assert_string_equal(spk_json_str(o, "a"), "x");
	assert_int_equal(json_object_size(o), 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_any_value),
	cmocka_unit_test(refuses),
	cmocka_unit_test(tells_the_place),
	cmocka_unit_test(quotes_no_escape_sequence),
	cmocka_unit_test(bounds_the_length),
	cmocka_unit_test(reads_no_byte_past_the_length),
	cmocka_unit_test(bounds_the_depth),
	cmocka_unit_test(takes_large_text),
	cmocka_unit_test(dump_keeps_order_and_canon_sorts),
	cmocka_unit_test(dump_gives_back_what_was_read),
	cmocka_unit_test(readers_treat_absent_and_wrong_alike),
	cmocka_unit_test(text_is_made_valid),
	cmocka_unit_test(set_takes_the_value),
};

SUITE(json_suite, tests);
