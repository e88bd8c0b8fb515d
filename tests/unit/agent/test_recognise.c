/* The test command of a repository, found in folders made for it. */
#include "test_agent.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fs.h"

#define MESON "meson setup .sparks-build && meson test -C .sparks-build --print-errorlogs"
#define CMAKE                                                            \
	"cmake -S . -B .sparks-build && cmake --build .sparks-build && " \
	"ctest --test-dir .sparks-build --output-on-failure"
#define PYTEST "python3 -m pytest -q"

typedef struct {
	const char *files[7]; /* path, text, path, text, … */
	const char *wanted;   /* NULL: none */
} Repository;

static const Repository repositories[] = {
	{ { NULL }, NULL },
	{ { "README", "make test\n" }, NULL },
	/* make */
	{ { "Makefile", "all:\n\ttrue\ncheck: all\n\t./t\n" }, "make check" },
	{ { "Makefile", "test:\n\t./t\n" }, "make test" },
	{ { "Makefile", "test: all\n\t./t\ncheck:\n\t./t\n" }, "make check" },
	{ { "Makefile", "all test: x\n\t./t\n" }, "make test" },
	{ { "Makefile", "test ::\n\t./t\n" }, "make test" },
	{ { "Makefile", ".PHONY: test\nall:\n\ttrue\n" }, NULL },
	{ { "Makefile", "test := 1\ncheck=2\n" }, NULL },
	{ { "Makefile", "test::=1\ntest ?= 1\ncheck += x\n" }, NULL },
	{ { "Makefile", "mytest:\ntests:\nall: test\n\ttest: x\n# test: y\n" }, NULL },
	{ { "Makefile", "check\xff:\ntest:\n\t./\xff\n" }, "make test" },
	{ { "GNUmakefile", "test:\n", "Makefile", "check:\n" }, "make test" },
	{ { "sub/Makefile", "check:\n" }, NULL },
	/* JavaScript */
	{ { "package.json", "{\"scripts\": {\"test\" : \"jest\"}}" }, "npm test" },
	{ { "package.json",
	    "{\"scripts\":{\"test\":\"echo \\\"Error: no test specified\\\" "
	    "&& exit 1\"}}" },
	  NULL },
	{ { "package.json", "{\"scripts\":{\"build\":\"tsc\"}}" }, NULL },
	/* Rust, Go, Java, Elixir */
	{ { "Cargo.toml", "[package]\n" }, "cargo test --offline" },
	{ { "go.mod", "module x\n" }, "go test ./..." },
	{ { "pom.xml", "<project/>" }, "mvn -q -o test" },
	{ { "gradlew", "#!/bin/sh\n", "build.gradle", "" }, "./gradlew --offline test" },
	{ { "mix.exs", "" }, "mix test" },
	/* C */
	{ { "meson.build", "project('x', 'c')\n" }, MESON },
	{ { "CMakeLists.txt", "project(x)\nenable_testing()\n" }, CMAKE },
	{ { "CMakeLists.txt", "include( CTest )\n" }, CMAKE },
	{ { "CMakeLists.txt", "project(x)\n" }, NULL },
	/* Python */
	{ { "pytest.ini", "" }, PYTEST },
	{ { "pyproject.toml", "[project]\n[tool.pytest.ini_options]\n" }, PYTEST },
	{ { "pyproject.toml", "[project]\n# [tool.pytest]\n" }, NULL },
	{ { "setup.cfg", "[metadata]\n[tool:pytest]\n" }, PYTEST },
	{ { "tox.ini", "[pytest]\n" }, PYTEST },
	{ { "tests/conftest.py", "" }, PYTEST },
	{ { "tests/test_a.py", "import unittest\n" },
	  "python3 -m unittest discover -s tests" },
	{ { "test_a.py", "from unittest import TestCase\n" },
	  "python3 -m unittest discover" },
	{ { "tests/test_a.py", "from a import f\n\ndef test_f():\n\tassert f()\n" },
	  PYTEST },
	{ { "test_a.py", "async def test_f():\n\tpass\n" }, PYTEST },
	{ { "tests/test_a.py", "def test_f(): pass\n", "tests/test_b.py",
	    "import unittest\n" },
	  "python3 -m unittest discover -s tests" },
	{ { "tests/test_a.py", "print('no tests here')\n" }, NULL },
	{ { "tests/deep/test_a.py", "import unittest\n" }, NULL },
	/* the first row that fits */
	{ { "Makefile", "check:\n", "Cargo.toml", "", "tests/test_a.py",
	    "import unittest\n" },
	  "make check" },
	{ { "Makefile", "all:\n", "meson.build", "" }, MESON },
};

static char *make_folder(void)
{
	char *folder = g_dir_make_tmp("sparks-agent-XXXXXX", NULL);

	assert_non_null(folder);
	return folder;
}

static void put(const char *folder, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(folder, path, NULL);
	g_autofree char *above = g_path_get_dirname(full);

	assert_int_equal(g_mkdir_with_parents(above, 0700), 0);
	assert_true(g_file_set_contents(full, text, -1, NULL));
}

static char *recognise(const Repository *repository)
{
	g_autofree char *folder = make_folder();
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	char *command;

	for (int i = 0; repository->files[i]; i += 2) {
		put(folder, repository->files[i], repository->files[i + 1]);
		g_ptr_array_add(paths, (char *)repository->files[i]);
	}
	g_ptr_array_add(paths, NULL);
	command = spk_verify_recognise((const char *const *)paths->pdata, folder);
	assert_true(spk_fs_remove_tree(folder, NULL));
	return command;
}

static void recognises(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(repositories); i++) {
		const Repository *one = &repositories[i];
		g_autofree char *got = recognise(one);

		if (g_strcmp0(got, one->wanted))
			fail_msg("row %zu, %s: \"%s\"", i,
				 one->files[0] ? one->files[0] : "-", got ? got : "none");
	}
}

/* What stands in the list but is no plain file of the tree is not looked into. */
static void looks_into_plain_files_only(void **state)
{
	static const char *const paths[] = { "Makefile", "package.json", "setup.cfg",
					     "tox.ini", NULL };
	g_autofree char *folder = make_folder();
	g_autofree char *work = g_build_filename(folder, "work", NULL);
	g_autofree char *outside = g_build_filename(work, "Makefile", NULL);
	g_autofree char *fifo = g_build_filename(work, "package.json", NULL);
	g_autofree char *gone = NULL;

	put(folder, "Makefile", "check:\n");
	put(folder, "work/setup.cfg/x", "[tool:pytest]\n");
	assert_int_equal(symlink("../Makefile", outside), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(spk_verify_recognise(paths, work)); /* and does not hang */
	gone = spk_verify_recognise(paths, "/nonexistent");
	assert_null(gone);
	assert_true(spk_fs_remove_tree(folder, NULL));
}

static void large_files_are_left_alone(void **state)
{
	static const char *const paths[] = { "Makefile", NULL };
	g_autofree char *folder = make_folder();
	GString *text = g_string_new("check:\n");
	g_autofree char *command = NULL;

	for (int i = 0; i < 100000; i++)
		g_string_append(text, "# 16 bytes long\n");
	put(folder, "Makefile", text->str);
	command = spk_verify_recognise(paths, folder);
	assert_null(command);
	assert_true(spk_fs_remove_tree(folder, NULL));
	g_string_free(text, TRUE);
}

/* A line made to keep a regular expression busy. */
static void hostile_makefile_ends(void **state)
{
	static const char *const paths[] = { "Makefile", NULL };
	g_autofree char *folder = make_folder();
	GString *text = g_string_new(NULL);
	gint64 before = g_get_monotonic_time();
	g_autofree char *command = NULL;

	for (int i = 0; i < 60000; i++)
		g_string_append(text, "check    test ");
	put(folder, "Makefile", text->str);
	command = spk_verify_recognise(paths, folder);
	assert_null(command);
	assert_true(g_get_monotonic_time() - before < 20 * G_USEC_PER_SEC);
	assert_true(spk_fs_remove_tree(folder, NULL));
	g_string_free(text, TRUE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(recognises),
	cmocka_unit_test(looks_into_plain_files_only),
	cmocka_unit_test(large_files_are_left_alone),
	cmocka_unit_test(hostile_makefile_ends),
};

SUITE(recognise_suite, tests);
