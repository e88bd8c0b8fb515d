/* file_edit, above all its failures: they decide whether the next try is right. */
#include "test_tool.h"

#include <string.h>
#include <sys/stat.h>

#define EDIT(path, old, new) \
	"{'path':'" path "','old_string':'" old "','new_string':'" new "'}"

static void content_is(Fixture *f, const char *path, const char *wanted)
{
	g_autofree char *text = get(f, path);

	assert_string_equal(text, wanted);
}

static void one_place(void **state)
{
	Fixture *f = *state;
	g_autofree char *script = in_work(f, "run.sh");
	struct stat st;

	assert_string_equal(ok(f, "file_edit", EDIT("a.txt", "two\\n", "2\\n2b\\n")),
			    "edited a.txt: 1 place, line 2");
	content_is(f, "a.txt", "one\n2\n2b\nthree\n");
	ok(f, "file_edit", EDIT("a.txt", "2b\\n", ""));
	content_is(f, "a.txt", "one\n2\nthree\n");
	ok(f, "file_edit", EDIT("run.sh", "#!/bin/sh", "#!/bin/sh -e"));
	assert_int_equal(stat(script, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void several_places(void **state)
{
	Fixture *f = *state;

	put(f, "m.txt", "x = 1\ny = 2\nx = 1\nx = 1\n", -1);
	bad(f, "file_edit", EDIT("m.txt", "x = 1", "x = 3"), "3 times (lines 1, 3, 4)");
	has(f, "replace_all");
	content_is(f, "m.txt", "x = 1\ny = 2\nx = 1\nx = 1\n");
	ok(f, "file_edit",
	   "{'path':'m.txt','old_string':'x = 1','new_string':'x = 3',"
	   "'replace_all':true}");
	has(f, "3 places, lines 1, 3, 4");
	content_is(f, "m.txt", "x = 3\ny = 2\nx = 3\nx = 3\n");
}

static void overlaps_and_growth(void **state)
{
	Fixture *f = *state;

	put(f, "o.txt", "aaaa", -1);
	ok(f, "file_edit",
	   "{'path':'o.txt','old_string':'aa','new_string':'aaa',"
	   "'replace_all':true}");
	content_is(f, "o.txt", "aaaaaa");
}

static void white_space(void **state)
{
	Fixture *f = *state;

	bad(f, "file_edit", EDIT("src/main.c", "    return 0;", "    return 1;"),
	    "White space differs: line 3 begins with 1 tab in the file, with 4 blanks in "
	    "old_string");
	has(f, "\treturn 0;");
	bad(f, "file_edit", EDIT("src/main.c", "{\\n\\treturn  0;\\n}", "x"),
	    "line 3 has other white space");
	bad(f, "file_edit", EDIT("src/main.c", "int main( void )\\n", "x"),
	    "line 1 has other white space");
	put(f, "tail.txt", "end", -1);
	bad(f, "file_edit", EDIT("tail.txt", "end\\n", "x"), "line end around them");
	bad(f, "file_edit", EDIT("tail.txt", "  \\n ", "x"), "white space only");
}

static void similar_line(void **state)
{
	Fixture *f = *state;

	bad(f, "file_edit", EDIT("src/main.c", "int main(int argc)", "x"),
	    "most like its first one is line 1:\nint main(void)");
	bad(f, "file_edit", EDIT("src/main.c", "qqqqzzzz", "x"), "No line is like");
	bad(f, "file_edit", EDIT("a.txt", "     1\\tone\\n     2\\ttwo", "x"),
	    "line numbers of file_read");
}

static void line_ends(void **state)
{
	Fixture *f = *state;

	put(f, "dos.txt", "one\r\ntwo\r\nthree\r\n", -1);
	ok(f, "file_edit", EDIT("dos.txt", "one\\ntwo\\n", "1\\n2\\n"));
	has(f, "line ends stay CRLF");
	content_is(f, "dos.txt", "1\r\n2\r\nthree\r\n");
	ok(f, "file_edit", EDIT("dos.txt", "2\\r\\nthree", "3\\r\\n4"));
	content_is(f, "dos.txt", "1\r\n3\r\n4\r\n");
	put(f, "mixed.txt", "one\r\ntwo\nthree\n", -1);
	bad(f, "file_edit", EDIT("mixed.txt", "one\\ntwo\\n", "x"),
	    "Line ends are mixed");
	ok(f, "file_edit", EDIT("mixed.txt", "two\\n", "2\\n"));
	content_is(f, "mixed.txt", "one\r\n2\nthree\n");
}

static void refused(void **state)
{
	Fixture *f = *state;

	put(f, "bin", "a\0b", 3);
	put(f, "latin", "caf\xe9 au lait\n", -1);
	bad(f, "file_edit", EDIT("a.txt", "", "x"), "file_write makes new files");
	bad(f, "file_edit", EDIT("a.txt", "one", "one"), "are the same");
	bad(f, "file_edit", EDIT("bin", "a", "x"), "binary file");
	bad(f, "file_edit", EDIT("none.txt", "a", "x"), "there is no file");
	ok(f, "file_edit", EDIT("latin", "lait", "th\\u00e9"));
	content_is(f, "latin", "caf\xe9 au th\xc3\xa9\n");
}

/* A file made to be slow: every line begins like the wanted text. */
static void hostile_file(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString)
		args = g_string_new("{'path':'slow','new_string':'','old_string':'");
	gint64 start = g_get_monotonic_time();

	for (int i = 0; i < 2000000; i++)
		g_string_append(text, "a \n");
	for (int i = 0; i < 50000; i++)
		g_string_append(args, "a\\n");
	g_string_append(args, "b'}");
	put(f, "slow", text->str, -1);
	bad(f, "file_edit", args->str, "old_string is not in slow");
	assert_true(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
	assert_true(strlen(f->last.text) < 2200);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(one_place, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(several_places, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(overlaps_and_growth, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(white_space, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(similar_line, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(line_ends, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(refused, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(hostile_file, fixture_setup, fixture_teardown),
};
SUITE(edit_suite, tests);
