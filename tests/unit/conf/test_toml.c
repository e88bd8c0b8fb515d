/* The TOML reader: what comes out, where it stood, and what is refused. */
#include <string.h>

#include "base/error.h"
#include "test_conf.h"

/* "key=text@line:column " for each entry. */
static char *flat(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = spk_toml_parse(text, strlen(text), "t", &error);
	GString *out = g_string_new(NULL);

	if (!entries)
		print_error("%s\n", error->message);
	assert_non_null(entries);
	for (guint i = 0; i < entries->len; i++) {
		const SpkConfEntry *e = entries->pdata[i];

		g_string_append_printf(out, "%s=%s@%u:%u/%d ", e->key, e->text, e->line,
				       e->column, e->type);
	}
	return g_string_free(out, FALSE);
}

static char *refused(const char *text, gsize len)
{
	g_autoptr(GError) error = NULL;

	assert_null(spk_toml_parse(text, len, "t.toml", &error));
	assert_true(spk_error_is(error, SPK_ERR_CONFIG));
	return g_strdup(error->message);
}

static void test_entries(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "# only a comment\n", "" },
		{ "[a]\nb = 'x'\nc = 1\n", "a.b=x@2:5/0 a.c=1@3:5/1 " },
		{ "a.b.c = true", "a.b.c=true@1:9/3 " },
		{ "[m.l]\nr = 0.5", "m.l.r=0.5@2:5/2 " },
		{ "i = { x = 1, y.z = 2 }", "i.x=1@1:11/1 i.y.z=2@1:20/1 " },
		{ "[[g]]\nname='a'\n[[g]]\nname='b'",
		  "g=@1:1/7 g[0]=@1:1/6 g[0].name=a@2:6/0 g[1]=@3:1/6 g[1].name=b@4:6/0 " },
		{ "g = [{n=1}, {}]",
		  "g=@1:5/7 g[0]=@1:6/6 g[0].n=1@1:9/1 g[1]=@1:13/6 " },
		{ "d = 2020-01-01\nl = [1, 2]", "d=@1:5/5 l=[\"1\",\"2\"]@2:6/8 " },
		{ "l = ['a', 7, 'b', 8]", "l=[\"a\",\"7\",\"b\",\"8\"]@1:11/8 " },
		{ "l = ['a', 7, true]", "l=@1:14/5 " },
		{ "[empty]\n", "empty=@1:1/6 " },
		{ "\"a.b\" = 1", "\"a.b\"=1@1:9/1 " },
		{ "s = \"\"\"two\nlines\"\"\"\r\nt = 1",
		  "s=two\nlines@1:5/0 t=1@3:5/1 " },
		{ "s = \"\"\"\\\n  é\"\"\"\"\"\nt = 'Ĕ'\n\"Ĕ\" = 1",
		  "s=é\"\"@1:5/0 t=Ĕ@3:5/0 \"Ĕ\"=1@4:7/1 " },
		{ "h = 0xff\nn = -7\nf = 1e3", "h=255@1:5/1 n=-7@2:5/1 f=1000@3:5/2 " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = flat(rows[i].text);

		assert_string_equal(got, rows[i].want);
	}
}

static void test_refusals_name_the_place(void **state)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
		{ "a = 1\nb = \n", "t.toml:2:" },
		{ "a = 1\na = 2\n", "t.toml:2:" },
		{ "a = \"x\xff\"", "t.toml:1:7: invalid UTF-8" },
		{ "a = 'ä\xff'", "t.toml:1:7: invalid UTF-8" },
		{ "\n\na = \"\x01\"", "t.toml:3:" },
		{ "a = 'open\n", "t.toml:1:" },
		{ "a = \"\"\"open", "t.toml:1:" },
		{ "[a\n", "t.toml:1:" },
		{ "a = \"x\\u0000y\"", "t.toml:1:5: a NUL character in a value" },
		{ "\"x\\u0000y\" = 1", "t.toml:1:1: a NUL character in a key" },
		{ "i = 99999999999999999999", "t.toml:1:" },
		{ "a = 1\nb = 2\n[[~c]]\nd = 1\n\ne = 1\n",
		  "t.toml:3:1: this is not TOML" },
		{ "a = 1\nĔ = 1", "t.toml:2:1" },
		{ "[[~", "t.toml:1:1: this is not TOML" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = refused(rows[i].text, strlen(rows[i].text));

		if (!strstr(got, rows[i].where))
			print_error("%s: %s\n", rows[i].text, got);
		assert_has(got, rows[i].where);
	}
}

static void test_nul_byte(void **state)
{
	static const char text[] = "a = 1\n\0b = 2\n";
	g_autofree char *got = refused(text, sizeof(text) - 1);

	assert_has(got, "t.toml:2:1: a NUL character");
}

/* Repeats `part` to about a megabyte: nothing of that may use up the stack. */
static char *many(const char *head, const char *part, const char *tail)
{
	GString *out = g_string_new(head);

	while (out->len < SPK_CONF_MAX_BYTES - 64)
		g_string_append(out, part);
	g_string_append(out, tail);
	return g_string_free(out, FALSE);
}

static void test_depth_is_bounded(void **state)
{
	g_autofree char *header = many("[a", ".a", "]\nb = 1\n");
	g_autofree char *key = many("a", " . a", " = 1\n");
	g_autofree char *quoted = many("x = 1\n\"a\"", ".'a'", " = 1\n");
	g_autofree char *arrays = many("a = ", "[", "\n");
	g_autofree char *tables = many("a = ", "{a=", "\n");
	g_autofree char *mixed = many("a = ", "{a.a.a=[", "\n");
	g_autofree char *behind =
		many("a = { b = \"\"\"x\"\"\"\"\", c", ".c", " = 1 }\n");
	g_autofree char *m7 = refused(behind, strlen(behind));
	g_autofree char *m1 = refused(header, strlen(header));
	g_autofree char *m2 = refused(key, strlen(key));
	g_autofree char *m3 = refused(quoted, strlen(quoted));
	g_autofree char *m4 = refused(arrays, strlen(arrays));
	g_autofree char *m5 = refused(tables, strlen(tables));
	g_autofree char *m6 = refused(mixed, strlen(mixed));

	assert_has(m1, "t.toml:1:66: more than 32 names");
	assert_has(m2, "more than 32 names");
	assert_has(m3, "t.toml:2:");
	assert_has(m4, "t.toml:1:");
	assert_has(m5, "t.toml:1:");
	assert_has(m6, "t.toml:1:");
	assert_has(m7, "more than 32 names");
}

static void test_dots_in_text_are_free(void **state)
{
	g_autofree char *dots = g_strnfill(200, '.');
	g_autofree char *text =
		g_strdup_printf("# %s\na = '%s'\nb = \"\\\"%s\"\n"
				"c = '''%s\n%s'''\nd = \"\"\"\n%s\\\"\"\"\"\n",
				dots, dots, dots, dots, dots, dots);
	g_autofree char *got = flat(text);

	assert_has(got, "a=....");
	assert_has(got, "d=....");
}

const struct CMUnitTest toml_tests[] = {
	cmocka_unit_test(test_entries),
	cmocka_unit_test(test_refusals_name_the_place),
	cmocka_unit_test(test_nul_byte),
	cmocka_unit_test(test_depth_is_bounded),
	cmocka_unit_test(test_dots_in_text_are_free),
};
const size_t n_toml_tests = G_N_ELEMENTS(toml_tests);
