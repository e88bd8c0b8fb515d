/* What a check runs without naming it. A script that is missed lets a task rewrite its own
 * judge; code that is taken for a script makes honest work wait for a person. */
#include "test_agent.h"

#include <string.h>

#include "agent/verify_reach.h"

static const char *const tree[] = {
	"Makefile",    "sub/Makefile",	 "package.json",    "meson.build", "check.sh",
	"tools/a.sh",  "tools/b.py",	 "tools/c",	    "src/calc.c",  "calc.py",
	"sub/lint.sh", "CMakeLists.txt", "tools/deep/d.sh", "ci-lib.sh",   NULL,
};

typedef struct {
	const char *path, *text;
	const char *check;
	const char *wanted; /* in the tree's order, without build files */
} Row;

static char *read_row(const char *path, gpointer user)
{
	const Row *row = user;

	if (!strcmp(path, "tools/deep/d.sh")) /* leads on to another */
		return g_strdup("#!/bin/sh\n. ./ci-lib.sh\n");
	return strcmp(path, row->path) ? NULL : g_strdup(row->text);
}

static char *found(const Row *row, const char *subdir)
{
	char *checks[] = { (char *)row->check, NULL };
	g_autoptr(GHashTable)
		reached = verify_reached(tree, checks, subdir, read_row, (gpointer)row);
	GString *text = g_string_new(NULL);

	for (const char *const *path = tree; *path; path++)
		if (g_hash_table_contains(reached, *path) && !strstr(*path, "Makefile") &&
		    !strstr(*path, "meson") && !strstr(*path, "json") &&
		    !strstr(*path, "CMake"))
			g_string_append_printf(text, "%s%s", text->len ? " " : "", *path);
	return g_string_free(text, FALSE);
}

static void finds_what_build_files_run(void **state)
{
	static const Row rows[] = {
		{ "Makefile", "test:\n\tsh tools/a.sh\n", "make test", "tools/a.sh" },
		{ "Makefile", "test: all\n\t@./check.sh -v\n", "make", "check.sh" },
		{ "Makefile", "t:\n\t$(PYTHON) -B tools/b.py x\n", "make", "tools/b.py" },
		{ "Makefile", "calc:\n\t$(CC) -o $@ calc.py src/calc.c\n", "make", "" },
		{ "Makefile", "t:\n\tpython3 -B tools/b.py x\n", "make", "tools/b.py" },
		{ "Makefile", "t:\n\tcd x && tools/c\n", "make", "tools/c" },
		{ "Makefile", "t:\n\ttimeout 10 sh $(TOP)/tools/a.sh\n", "make",
		  "tools/a.sh" },
		{ "Makefile", "t:\n\tsh tools/deep/d.sh\n", "make",
		  "tools/deep/d.sh ci-lib.sh" },
		{ "Makefile", "X := $(shell sh check.sh)\n", "make", "check.sh" },
		{ "sub/Makefile", "t:\n\tsh lint.sh\n", "make -C sub", "sub/lint.sh" },
		{ "sub/Makefile", "t:\n\tsh ../check.sh\n", "make -C sub", "check.sh" },
		{ "package.json", "{\"scripts\":{\"test\":\"node tools/b.py\"}}",
		  "npm test", "tools/b.py" },
		{ "meson.build", "test('x', find_program('check.sh'))", "meson test",
		  "check.sh" },
		{ "CMakeLists.txt",
		  "add_test(NAME x COMMAND sh ${CMAKE_SOURCE_DIR}/check.sh)", "ctest",
		  "check.sh" },
		{ "check.sh", "set -e\n. ci-lib.sh\n", "sh check.sh",
		  "check.sh ci-lib.sh" },
		{ "check.sh", "sh check.sh\n", "sh check.sh", "check.sh" },
		/* what is judged, and what is named without being run */
		{ "Makefile", "run:\n\tpython3 calc.py\n", "make", "" },
		{ "check.sh", "sh ./calc.py 2 3\n", "sh check.sh", "check.sh" },
		{ "Makefile", "calc: src/calc.c\n\tcc -o calc src/calc.c\n", "make", "" },
		{ "Makefile", "t:\n\tshellcheck check.sh\n", "make", "" },
		{ "Makefile", "t:\n\tpython3 -m pylint calc.py\n", "make", "" },
		{ "Makefile", "t:\n\tsh ../../outside.sh; rm calc.py\n", "make", "" },
		{ "Makefile", "", "make", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = found(&rows[i], "");

		if (strcmp(got, rows[i].wanted))
			fail_msg("%s: %s: got \"%s\"", rows[i].path, rows[i].text, got);
	}
}

static void stops_reading_in_a_circle_and_in_a_heap(void **state)
{
	g_autoptr(GPtrArray) many = g_ptr_array_new_with_free_func(g_free);
	char *checks[] = { (char *)"make", NULL };
	static const Row row = { "0/Makefile", "t:\n\tmake -C .\n", "make", "" };
	g_autoptr(GHashTable) reached = NULL;

	for (guint i = 0; i < 5000; i++)
		g_ptr_array_add(many, g_strdup_printf("%u/Makefile", i));
	g_ptr_array_add(many, NULL);
	reached = verify_reached((const char *const *)many->pdata, checks, "", read_row,
				 (gpointer)&row);
	assert_int_equal(g_hash_table_size(reached), 5000);
}

static void knows_a_runner_that_is_replaced(void **state)
{
	static const struct {
		const char *check, *path, *subdir;
		gboolean wanted;
	} rows[] = {
		{ "python3 -m unittest discover", "unittest.py", "", TRUE },
		{ "python3 -m unittest", "unittest/__main__.py", "", TRUE },
		{ "cd x; python3 -m pytest -q", "pytest/__init__.py", "", TRUE },
		{ "python3 -m unittest", "sub/unittest.py", "sub", TRUE },
		{ "python3 -m unittest", "unittest.py", "sub", TRUE },
		{ "python3 -m a.b", "a/b.py", "", TRUE },
		{ "python3 -m unittest", "sub/unittest.py", "", FALSE },
		{ "python3 -m unittest", "unittests.py", "", FALSE },
		{ "python3 -m unittest", "calc.py", "", FALSE },
		{ "make -m", "m.py", "", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *checks[] = { (char *)rows[i].check, NULL };

		if (verify_replaces_runner(rows[i].path, checks, rows[i].subdir) !=
		    rows[i].wanted)
			fail_msg("%s: %s", rows[i].check, rows[i].path);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(finds_what_build_files_run),
	cmocka_unit_test(stops_reading_in_a_circle_and_in_a_heap),
	cmocka_unit_test(knows_a_runner_that_is_replaced),
};

SUITE(reach_suite, tests);
