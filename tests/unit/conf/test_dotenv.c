/* The .env reader. */
#include <string.h>

#include "base/error.h"
#include "test_conf.h"

static void test_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "\n  # comment\n\t\n", "" },
		{ "A=1", "A=1@1;" },
		{ "A=1\r\nB=2\r\n", "A=1@1;B=2@2;" },
		{ "\xef\xbb\xbf"
		  "A=1",
		  "A=1@1;" },
		{ "export A=1\nexport\tB=2", "A=1@1;B=2@2;" },
		{ "export=1", "export=1@1;" },
		{ " A = b c  # note", "A=b c@1;" },
		{ "A=b#c", "A=b#c@1;" },
		{ "A=#c", "A=@1;" },
		{ "A=", "A=@1;" },
		{ "A='x # \\n $B'  # note", "A=x # \\n $B@1;" },
		{ "A=\"x\\n\\\"y\\\" \\$B \\q\"", "A=x\n\"y\" $B \\q@1;" },
		{ "A=$(touch x)`id`", "A=$(touch x)`id`@1;" },
		{ "A=1\nA=2", "A=1@1;A=2@2;" },
		{ "A==b", "A==b@1;" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) entries =
			spk_dotenv_parse(rows[i].text, strlen(rows[i].text), "e", NULL);
		g_autoptr(GString) got = g_string_new(NULL);

		assert_non_null(entries);
		for (guint j = 0; j < entries->len; j++) {
			const SpkConfEntry *e = entries->pdata[j];

			g_string_append_printf(got, "%s=%s@%u;", e->key, e->text,
					       e->line);
		}
		assert_string_equal(got->str, rows[i].want);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "A=1\nB", "e:2:2: = is missing" },
		{ "1A=1", "e:1:1: this is no variable name" },
		{ "=1", "e:1:1: this is no variable name" },
		{ "A-B=1", "e:1:2: = is missing" },
		{ "A=\"x", "e:1:3: this quote is not closed" },
		{ "A='x\n'", "e:1:3: this quote is not closed" },
		{ "A='x' y", "e:1:7: text after" },
		{ "\nA=\xff", "e:2:3: this is not UTF-8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(spk_dotenv_parse(rows[i].text, strlen(rows[i].text), "e",
					     &error));
		assert_true(spk_error_is(error, SPK_ERR_CONFIG));
		assert_has(error->message, rows[i].message);
	}
}

static void test_nul(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(spk_dotenv_parse("A=1\nB=x\0y\n", 10, "e", &error));
	assert_has(error->message, "e:2:");
}

const struct CMUnitTest dotenv_tests[] = {
	cmocka_unit_test(test_lines),
	cmocka_unit_test(test_refusals),
	cmocka_unit_test(test_nul),
};
const size_t n_dotenv_tests = G_N_ELEMENTS(dotenv_tests);
