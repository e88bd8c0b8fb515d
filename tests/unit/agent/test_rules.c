/* What a path is to verification. A test file taken for code lets a task rewrite its own
 * judge; code taken for a test refuses honest work. */
#include "test_agent.h"

#include "agent/verify_rules.h"

enum { CODE = 0, TEST = 1, BUILD = 2, BOTH = 3 };

/* clang-format off */
static const struct {
	const char *path;
	int wanted;
} paths[] = {
	/* C and C++ */
	{ "src/list.c",				CODE },
	{ "tests/list.c",			TEST },
	{ "src/list_test.c",			TEST },
	{ "src/test_list.c",			TEST },
	{ "src/list_unittest.cc",		TEST },
	{ "t/0001-basic.sh",			TEST },
	{ "Makefile",				BUILD },
	{ "sub/Makefile",			BUILD },
	{ "Makefile.am",			BUILD },
	{ "rules.mk",				BUILD },
	{ "CMakeLists.txt",			BUILD },
	{ "cmake/FindFoo.cmake",		BUILD },
	{ "CMakePresets.json",			BUILD },
	{ "meson.build",			BUILD },
	{ "tests/meson.build",			BOTH },
	{ "docs/Makefile.txt",			CODE },
	/* Python */
	{ "calc.py",				CODE },
	{ "test_calc.py",			TEST },
	{ "calc_test.py",			TEST },
	{ "pkg/tests/data.json",		TEST },
	{ "conftest.py",			BOTH },
	{ "deep/er/conftest.py",		BOTH },
	{ "pyproject.toml",			BUILD },
	{ "setup.cfg",				BUILD },
	{ "tox.ini",				BUILD },
	{ "sitecustomize.py",			BUILD },
	{ "x.pth",				BUILD },
	{ "contest.py",				CODE },
	{ "latest.py",				CODE },
	{ "attestation/key.py",			CODE },
	/* JavaScript and TypeScript */
	{ "src/app.ts",				CODE },
	{ "src/app.test.ts",			TEST },
	{ "src/app.spec.tsx",			TEST },
	{ "src/__tests__/app.js",		TEST },
	{ "src/__snapshots__/app.snap",		TEST },
	{ "login.cy.ts",			TEST },
	{ "package.json",			BUILD },
	{ "packages/a/package.json",		BUILD },
	{ "jest.config.mjs",			BUILD },
	{ ".babelrc.js",			BUILD },
	{ "tsconfig.test.json",			BOTH },
	{ ".npmrc",				BUILD },
	{ "package-list.json",			CODE },
	/* Go, Rust */
	{ "list.go",				CODE },
	{ "list_test.go",			TEST },
	{ "testdata/golden.txt",		TEST },
	{ "go.mod",				BUILD },
	{ "src/lib.rs",				CODE },
	{ "src/tests.rs",			TEST },
	{ "tests/it.rs",			TEST },
	{ "Cargo.toml",				BUILD },
	{ "build.rs",				BUILD },
	{ ".cargo/config.toml",			BUILD },
	{ "crates/a/.cargo/config.toml",	BUILD },
	{ "config.toml",			CODE },
	{ "cargo/config.toml",			CODE },
	/* Java and its family */
	{ "src/main/java/App.java",		CODE },
	{ "src/main/java/AppTest.java",		TEST },
	{ "src/main/java/TestApp.java",		TEST },
	{ "src/main/java/AppIT.java",		TEST },
	{ "src/test/resources/a.xml",		TEST },
	{ "a/AppSpec.scala",			TEST },
	{ "a/AppSpec.groovy",			TEST },
	{ "pom.xml",				BUILD },
	{ "app/build.gradle.kts",		BUILD },
	{ ".mvn/jvm.config",			BUILD },
	{ "jvm.config",				CODE },
	{ "Latest.java",			CODE },
	/* Ruby, PHP, Elixir, .NET, shell, Perl */
	{ "lib/a.rb",				CODE },
	{ "spec/a_spec.rb",			TEST },
	{ "a_test.exs",				TEST },
	{ "ATest.php",				TEST },
	{ "ATests.cs",				TEST },
	{ "a.bats",				TEST },
	{ "lib/a.t",				TEST },
	{ "Rakefile",				BUILD },
	{ "Gemfile",				BUILD },
	{ "phpunit.xml.dist",			BUILD },
	{ "mix.exs",				BUILD },
	{ "App/App.csproj",			BUILD },
	/* edges */
	{ "",					CODE },
	{ "test",				CODE },	/* a file, not the folder */
	{ "tests",				CODE },
	{ "testing.md",				CODE },
	{ "protest/sign.txt",			CODE },
	{ "my-tests-old/a.c",			CODE },
	{ "a/\xff\xfe.c",			CODE },
	{ "tests/\xff\xfe",			TEST },
	{ "\xff_test.go",			TEST },
	{ "a\nb/tests/c",			TEST },
	{ "README.md",				CODE },
	{ "docs/spec.md",			CODE },
};
/* clang-format on */

static const char *const words[] = { "code", "a test", "a build file", "both" };

static void sorts_paths(void **state)
{
	guint wrong = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		int got = (verify_is_test(paths[i].path) ? TEST : 0) |
			  (verify_is_build(paths[i].path) ? BUILD : 0);

		if (got == paths[i].wanted)
			continue;
		print_message("# \"%s\" is %s, taken for %s\n", paths[i].path,
			      words[paths[i].wanted], words[got]);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static const char *const tree[] = { "check.sh",	    "tools/run-tests",
				    "sub/check.sh", "sub/deep/x.py",
				    "Makefile",	    "a b.sh",
				    "tests/all.sh", NULL };

static const struct {
	const char *command;
	const char *subdir;
	const char *wanted; /* joined by ' ' */
} commands[] = {
	{ "make check", "", "" },
	{ "./check.sh", "", "check.sh" },
	{ "sh check.sh -v", "", "check.sh" },
	{ "././check.sh", "", "check.sh" },
	{ "tools/run-tests && ./check.sh", "", "tools/run-tests check.sh" },
	{ "bash -c './check.sh; true'", "", "check.sh" },
	{ "bash -c \"exec tools/run-tests\"", "", "tools/run-tests" },
	{ "X=check.sh; sh $X", "", "check.sh" },
	{ "sh<check.sh>log", "", "check.sh" },
	{ "(tests/all.sh)|cat", "", "tests/all.sh" },
	{ "`tools/run-tests`", "", "tools/run-tests" },
	{ "make -f Makefile", "", "Makefile" },
	{ "./check.sh", "sub", "sub/check.sh" },
	{ "../check.sh", "sub", "check.sh" },
	{ "tools/../check.sh", "", "check.sh" },
	{ "/check.sh", "", "" },
	{ "python3 deep/x.py", "sub", "sub/deep/x.py" },
	{ "tools/run-tests", "sub", "tools/run-tests" },
	{ "mycheck.sh check.shx", "", "" },
	{ "", "", "" },
	{ " \t\n ", "", "" },
};

static void finds_the_scripts_of_a_check(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_auto(GStrv) found =
			verify_scripts(commands[i].command, tree, commands[i].subdir);
		g_autofree char *joined = g_strjoinv(" ", found);

		if (g_strcmp0(joined, commands[i].wanted))
			fail_msg("%s in \"%s\": found \"%s\"", commands[i].command,
				 commands[i].subdir, joined);
	}
}

static void knows_a_program_that_is_missing(void **state)
{
	static const struct {
		const char *command;
		int exit_code;
		const char *output, *wanted;
	} rows[] = {
		{ "pytest -q", 127, "/bin/sh: 1: pytest: not found\n", "pytest" },
		{ "pytest", 127, "/bin/sh: line 1: pytest: command not found", "pytest" },
		{ " A=1 B_2=x/y:z g++-12 x", 127, "sh: 1: g++-12: not found", "g++-12" },
		{ "nope && true", 127, "sh: 1: nope: not found", "nope" },
		/* its own words about something else */
		{ "make test", 127, "sh: 1: cargo: not found", NULL },
		{ "pytest", 1, "sh: 1: pytest: not found", NULL },
		{ "pytest", 127, "pytest: a fixture was not found", NULL },
		{ "./run", 127, "sh: 1: ./run: not found", NULL },
		{ "/opt/x/run", 127, "sh: 1: /opt/x/run: not found", NULL },
		/* the task could put it there */
		{ "PATH=bin:/usr/bin tool", 127, "sh: 1: tool: not found", NULL },
		{ "A=$HOME tool", 127, "sh: 1: tool: not found", NULL },
		{ "tool() { x; }; tool", 127, "sh: 1: tool: not found", NULL },
		{ "\"tool\"", 127, "sh: 1: tool: not found", NULL },
		{ "", 127, "sh: 1: : not found", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *found = verify_missing(
			rows[i].command, rows[i].exit_code, rows[i].output);

		if (g_strcmp0(found, rows[i].wanted))
			fail_msg("\"%s\": found %s", rows[i].command,
				 found ? found : "nothing");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sorts_paths),
	cmocka_unit_test(finds_the_scripts_of_a_check),
	cmocka_unit_test(knows_a_program_that_is_missing),
};

SUITE(rules_suite, tests);
