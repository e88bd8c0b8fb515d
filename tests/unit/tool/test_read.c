/* file_read, file_write, finish, and what spk_tool_call() does for all. */
#include "test_tool.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "tool/image.h"

static void read_lines(void **state)
{
	Fixture *f = *state;

	assert_string_equal(ok(f, "file_read", "{'path':'a.txt'}"),
			    "     1\tone\n     2\ttwo\n     3\tthree\n");
	assert_string_equal(ok(f, "file_read", "{'path':'a.txt','offset':2,'limit':1}"),
			    "     2\ttwo\n[lines 2 to 2 of 3; go on with offset 3]\n");
	assert_string_equal(ok(f, "file_read", "{'path':'a.txt','offset':3}"),
			    "     3\tthree\n[lines 3 to 3 of 3]\n");
	bad(f, "file_read", "{'path':'a.txt','offset':4}", "has only 3 lines");
}

static void read_pages(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) text = g_string_new(NULL);
	gint64 next = 1;
	guint pages = 0;

	for (int i = 1; i <= 500; i++)
		g_string_append_printf(text, "this is line number %d\n", i);
	put(f, "long.txt", text->str, -1);
	while (next <= 500) {
		g_autofree char *args =
			g_strdup_printf("{'path':'long.txt','offset':%d}", (int)next);
		const char *shown = ok(f, "file_read", args);
		const char *note = strstr(shown, "go on with offset ");
		g_autofree char *first = g_strdup_printf("%6d\tthis is line number %d\n",
							 (int)next, (int)next);

		assert_true(strlen(shown) <= 2000);
		assert_true(g_str_has_prefix(shown, first));
		next = note ? g_ascii_strtoll(note + strlen("go on with offset "), NULL,
					      10)
			    : 501;
		assert_true(++pages < 50);
	}
	assert_null(json_object_get(f->last.meta, "spill"));
}

static void images_by_name(void **state)
{
	static const struct {
		const char *text, *image; /* NULL: none is named */
	} cases[] = {
		{ "make it look like shot.png.", "shot.png" },
		{ "(see `./Sub/Mock.JPG`) and do", "./Sub/Mock.JPG" },
		{ "other.png is not there, shot.png is", "shot.png" },
		{ "a .png and shot.pngx and shot", NULL },
		{ "Sub.png", NULL },
		{ "", NULL },
	};
	g_autofree char *folder = g_dir_make_tmp("sparks-image-XXXXXX", NULL);
	g_autofree char *sub = g_build_filename(folder, "Sub", NULL);
	g_autofree char *shot = g_build_filename(folder, "shot.png", NULL);
	g_autofree char *mock = g_build_filename(sub, "Mock.JPG", NULL);
	g_autofree char *dir = g_build_filename(folder, "Sub.png", NULL);

	assert_int_equal(mkdir(sub, 0700) | mkdir(dir, 0700), 0);
	assert_true(g_file_set_contents(shot, "x", 1, NULL));
	assert_true(g_file_set_contents(mock, "x", 1, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = spk_image_named(cases[i].text, folder);

		if (g_strcmp0(got, cases[i].image) != 0)
			fail_msg("%s: %s", cases[i].text, got);
	}
	assert_true(spk_fs_remove_tree(folder, NULL));
	assert_null(spk_image_kind("RIFF\0\0\0\0WAVE", 12));
	assert_null(spk_image_kind("GIF", 3));
	assert_string_equal(spk_image_kind("RIFF\0\0\0\0WEBP", 12), "WebP");
}

static void odd_content(void **state)
{
	Fixture *f = *state;
	g_autofree char *wide = g_strnfill(50000, 'w');

	put(f, "empty", "", 0);
	put(f, "crlf", "a\r\nb\r\n", -1);
	put(f, "mixed", "a\r\nb\n", -1);
	put(f, "open", "a\nb", -1);
	put(f, "binary", "a\0b", 3);
	put(f, "latin", "caf\xe9\n", -1);
	put(f, "escape", "x\033[2Jy\033]0;t\ay\n", -1);
	put(f, "wide", wide, -1);
	assert_string_equal(ok(f, "file_read", "{'path':'empty'}"), "[empty is empty]");
	assert_string_equal(ok(f, "file_read", "{'path':'crlf'}"),
			    "     1\ta\n     2\tb\n[line ends are CRLF]\n");
	ok(f, "file_read", "{'path':'mixed'}");
	has(f, "mixed: CRLF and LF");
	ok(f, "file_read", "{'path':'open'}");
	has(f, "no newline at the end");
	bad(f, "file_read", "{'path':'binary'}", "binary file of 3 bytes");
	put(f, "mock.txt", "\x89PNG\r\n\x1a\n\0\0", 10);
	bad(f, "file_read", "{'path':'mock.txt'}",
	    "an image (PNG), and images are not shown");
	ok(f, "file_read", "{'path':'latin'}");
	has(f, "caf\xef\xbf\xbd");
	has(f, "not shown as they are");
	ok(f, "file_read", "{'path':'escape'}");
	has(f, "     1\txyy\n");
	ok(f, "file_read", "{'path':'wide'}");
	has(f, "more bytes in this line");
	assert_true(strlen(f->last.text) < 3000);
}

static void too_large(void **state)
{
	Fixture *f = *state;
	g_autofree char *full = in_work(f, "huge");

	put(f, "huge", "x", 1);
	assert_int_equal(truncate(full, 1ll << 40), 0);
	bad(f, "file_read", "{'path':'huge'}", "read parts of it with the shell tool");
	bad(f, "file_edit", "{'path':'huge','old_string':'a','new_string':'b'}",
	    "larger than");
	ok(f, "file_search", "{'pattern':'x'}");
	assert_null(strstr(f->last.text, "huge"));
}

static void write_files(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL, *script = in_work(f, "run.sh"),
			*plain = in_work(f, "n/e/w");
	struct stat st;

	assert_string_equal(ok(f, "file_write", "{'path':'n/e/w','content':'a\\nb'}"),
			    "created n/e/w: 2 lines, 3 bytes");
	assert_string_equal(ok(f, "file_write",
			       "{'path':'run.sh','content':'#!/bin/sh\\n:\\n'}"),
			    "replaced run.sh: 2 lines, 12 bytes");
	text = get(f, "n/e/w");
	assert_string_equal(text, "a\nb");
	assert_int_equal(stat(script, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(stat(plain, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	ok(f, "file_write", "{'path':'n/e/w','content':''}");
	has(f, "0 lines, 0 bytes");
}

static void leaves_no_temporary_files(void **state)
{
	Fixture *f = *state;

	ok(f, "file_write", "{'path':'t/a','content':'x'}");
	ok(f, "file_write", "{'path':'t/a','content':'y'}");
	bad(f, "file_write", "{'path':'t','content':'y'}", "not a file");
	assert_string_equal(ok(f, "file_list", "{'path':'t'}"), "t/a\n");
}

static void read_only_spark(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = NULL;

	f->ctx.read_only = TRUE;
	ok(f, "file_read", "{'path':'a.txt'}");
	bad(f, "file_write", "{'path':'a.txt','content':'x'}", "may read only");
	bad(f, "file_write", "{'path':'new/x','content':'x'}", "may read only");
	bad(f, "file_edit", "{'path':'a.txt','old_string':'one','new_string':'x'}",
	    "may read only");
	text = get(f, "a.txt");
	assert_string_equal(text, "one\ntwo\nthree\n");
}

static void finish(void **state)
{
	Fixture *f = *state;

	assert_string_equal(ok(f, "finish", "{'summary':'all\\u001b[1m done'}"),
			    "all done");
	assert_true(f->last.finished);
	bad(f, "finish", "{}", "missing \"summary\"");
	assert_false(f->last.finished);
}

static void tools_that_are_not_there(void **state)
{
	static const char *const few[] = { "file_read", "finish", NULL };
	Fixture *f = *state;
	g_auto(SpkToolResult) result = { 0 };

	bad(f, "file_raed", "{}", "did you mean \"file_read\"");
	bad(f, "\033[2Jrm", "{}", "the tools are: file_read, ");
	assert_true(spk_tool_call(&f->ctx, few, "shell", "{\"command\":\"id\"}", NULL,
				  &result, NULL));
	assert_false(result.ok);
	assert_string_equal(
		result.text,
		"there is no tool \"shell\"; the tools are: file_read, finish");
	bad(f, "shell", "{'comand':'id'}", "did you mean \"command\"");
}

static void cancelled(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	static const char *const names[] = { "file_read", NULL };
	g_autoptr(GError) error = NULL;

	spk_cancel_fire(cancel, "test");
	assert_false(spk_tool_call(&f->ctx, names, "file_read", "{\"path\":\"a.txt\"}",
				   cancel, &f->last, &error));
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
	assert_null(f->last.text);
}

static void spill_files(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) summary = g_string_new("{'summary':'");

	bad(f, "file_read", "{'path':'spill:7'}", "there is no spill file spill:7");
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(summary, "line %d\\n", i);
	g_string_append(summary, "'}");
	ok(f, "finish", summary->str);
	has(f, "file_read with path \"spill:7\"");
	has(f, "line 0\n");
	has(f, "line 999\n");
	assert_int_equal(spk_json_int(f->last.meta, "spill", 0), 7);
	assert_true(strlen(f->last.text) < 2200);
	ok(f, "file_read", "{'path':'spill:7','offset':501,'limit':1}");
	has(f, "   501\tline 500\n");
	bad(f, "file_read", "{'path':'spill:8'}", "there is no spill file");
	bad(f, "file_read", "{'path':'spill:../../x'}", "there is no spill file");
	bad(f, "file_read", "{'path':'spill:-1'}", "there is no spill file");
	bad(f, "file_read", "{'path':'spill:'}", "there is no spill file");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(read_lines, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(read_pages, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(odd_content, fixture_setup, fixture_teardown),
	cmocka_unit_test(images_by_name),
	cmocka_unit_test_setup_teardown(too_large, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(write_files, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(leaves_no_temporary_files, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(read_only_spark, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(finish, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(tools_that_are_not_there, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(cancelled, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(spill_files, fixture_setup, fixture_teardown),
};
SUITE(read_suite, tests);
