/* file_list and file_search. */
#include "test_tool.h"

#include <string.h>
#include <sys/stat.h>

static void list_tree(void **state)
{
	Fixture *f = *state;

	put(f, "build/out.o", "x", 1);
	put(f, "src/main.o", "x", 1);
	assert_string_equal(ok(f, "file_list", "{}"),
			    ".gitignore\na.txt\ndeep/1/2/ (2 files)\nrun.sh\nsrc/main.c\n"
			    "src/util.h\n");
	assert_string_equal(
		ok(f, "file_list", "{'depth':1}"),
		".gitignore\na.txt\ndeep/ (2 files)\nrun.sh\nsrc/ (2 files)\n");
	assert_string_equal(ok(f, "file_list", "{'path':'src'}"),
			    "src/main.c\nsrc/util.h\n");
	assert_string_equal(ok(f, "file_list", "{'path':'deep/1','depth':1}"),
			    "deep/1/2/ (2 files)\n");
}

static void list_pattern(void **state)
{
	Fixture *f = *state;

	assert_string_equal(ok(f, "file_list", "{'pattern':'*.txt'}"),
			    "a.txt\ndeep/1/2/3/4.txt\ndeep/1/2/3/5.txt\n");
	assert_string_equal(ok(f, "file_list", "{'pattern':'src/*.c'}"), "src/main.c\n");
	assert_string_equal(ok(f, "file_list", "{'pattern':'deep/**/4.*'}"),
			    "deep/1/2/3/4.txt\n");
	assert_string_equal(ok(f, "file_list", "{'pattern':'*.h','path':'src'}"),
			    "src/util.h\n");
	assert_string_equal(ok(f, "file_list", "{'pattern':'*.zig'}"), "[no files]\n");
	assert_string_equal(ok(f, "file_list", "{'pattern':':(top)a.txt'}"),
			    "[no files]\n");
}

/* What was deleted is not listed; what is new is. */
static void list_changes(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = in_work(f, "a.txt");

	assert_int_equal(unlink(gone), 0);
	put(f, "b.txt", "x\n", -1);
	ok(f, "file_list", "{'depth':1}");
	has(f, "b.txt\n");
	assert_null(strstr(f->last.text, "a.txt"));
}

static void list_is_bounded(void **state)
{
	Fixture *f = *state;

	for (int i = 0; i < 300; i++) {
		g_autofree char *name = g_strdup_printf("many/file-number-%03d", i);

		put(f, name, "", 0);
	}
	ok(f, "file_list", "{'path':'many'}");
	has(f, "many/file-number-000\n");
	has(f, "more files; narrow it");
	assert_true(strlen(f->last.text) <= 2000);
}

static void search_lines(void **state)
{
	Fixture *f = *state;

	put(f, "build/x.c", "int main(void)\n", -1);
	assert_string_equal(ok(f, "file_search", "{'pattern':'main\\\\('}"),
			    "src/main.c:1: int main(void)\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'^bottom$'}"),
			    "deep/1/2/3/4.txt:1: bottom\ndeep/1/2/3/5.txt:1: bottom\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'MAIN'}"), "[no match]\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'MAIN','ignore_case':true}"),
			    "src/main.c:1: int main(void)\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'.','include':'*.h'}"),
			    "src/util.h:1: #define UTIL 1\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'t','path':'a.txt'}"),
			    "a.txt:2: two\na.txt:3: three\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'return','path':'src'}"),
			    "src/main.c:3: \treturn 0;\n");
}

static void search_context(void **state)
{
	Fixture *f = *state;

	put(f, "c.txt", "1\n2\nhit\n4\n5\n6\n7\nhit\nhit\n10\n", -1);
	assert_string_equal(
		ok(f, "file_search", "{'pattern':'hit','path':'c.txt','context':1}"),
		"c.txt-2- 2\nc.txt:3: hit\nc.txt-4- 4\n--\nc.txt-7- 7\nc.txt:8: hit\n"
		"c.txt:9: hit\nc.txt-10- 10\n");
	assert_string_equal(ok(f, "file_search",
			       "{'pattern':'^1','path':'c.txt','context':2}"),
			    "c.txt:1: 1\nc.txt-2- 2\nc.txt-3- hit\n--\nc.txt-8- hit\n"
			    "c.txt-9- hit\nc.txt:10: 10\n");
}

static void search_odd_files(void **state)
{
	Fixture *f = *state;

	put(f, "latin.txt", "caf\xe9 x\n", -1);
	put(f, "binary", "needle\0", 7);
	put(f, "escape.txt", "needle\033[2J\n", -1);
	ok(f, "file_search", "{'pattern':'caf'}");
	has(f, "latin.txt:1: caf\xef\xbf\xbd x\n");
	assert_string_equal(ok(f, "file_search", "{'pattern':'needle'}"),
			    "escape.txt:1: needle\n");
	bad(f, "file_search", "{'pattern':'('}", "no regular expression");
	bad(f, "file_search", "{'pattern':'((a{1,1000}){1,1000}){1,1000}'}",
	    "no regular expression");
}

static void search_is_bounded(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) text = g_string_new(NULL);

	for (int i = 0; i < 5000; i++)
		g_string_append(text, "the same needle on every line\n");
	put(f, "many.txt", text->str, -1);
	ok(f, "file_search", "{'pattern':'needle'}");
	has(f, "narrow the search");
	assert_true(strlen(f->last.text) <= 2000);
}

/* Patterns that back-track without end on these lines stop by the limit of a match. */
static void hostile_pattern(void **state)
{
	Fixture *f = *state;
	g_autofree char *as = g_strnfill(7000, 'a');
	g_autoptr(GString) text = g_string_new(NULL);
	gint64 start = g_get_monotonic_time();

	for (int i = 0; i < 300; i++)
		g_string_append_printf(text, "%s!\n", as);
	put(f, "as.txt", text->str, -1);
	bad(f, "file_search", "{'pattern':'(a+)+$','path':'as.txt'}", "takes too long");
	bad(f, "file_search", "{'pattern':'(a|a)*$','path':'as.txt'}", "takes too long");
	assert_true(g_get_monotonic_time() - start < 50 * G_USEC_PER_SEC);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(list_tree, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(list_pattern, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(list_changes, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(list_is_bounded, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(search_lines, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(search_context, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(search_odd_files, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(search_is_bounded, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(hostile_pattern, fixture_setup, fixture_teardown),
};
SUITE(list_suite, tests);
