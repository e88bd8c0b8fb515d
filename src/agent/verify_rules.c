#include "agent/verify_rules.h"

#include <string.h>

/* clang-format off */
/* Folders whose files are tests, whatever their name. */
static const char *const test_folders[] = {
	"test", "tests", "testing", "spec", "specs", "__tests__", "t", "testdata", "e2e",
	"fixtures", "__snapshots__", NULL,
};

/* Name patterns: pytest, unittest, go test, jest/vitest/mocha, JUnit/Surefire, RSpec,
 * minitest, cargo (tests/ above), ctest and cmocka habits, PHPUnit, ExUnit, bats. */
static const char *const test_names[] = {
	"test_*", "*_test.*", "*_tests.*", "*.test.*", "*.spec.*", "*_spec.*", "*Test.java",
	"*Tests.java", "*IT.java", "Test*.java", "*Test.kt", "*Tests.cs", "*Test.php",
	"*Test.cs", "*Tests.swift", "test.*", "tests.*", "*.bats", "*.snap", "conftest.py",
	"*-test.*", "*.t", "*_unittest.*", "*Tests.kt", "*Tests.fs", "*Test.scala",
	"*Spec.scala", "*Suite.scala", "*Test.groovy", "*Spec.groovy", "*Spec.kt", "*Spec.hs",
	"*.cy.*", "*.feature", "*.robot", NULL,
};

/* Files that decide which tests run and how. */
static const char *const build_names[] = {
	"Makefile", "makefile", "GNUmakefile", "*.mk", "*.mak", "CMakeLists.txt", "*.cmake",
	"CTestTestfile.cmake", "meson.build", "meson_options.txt", "meson.options",
	"configure", "configure.ac", "Makefile.am", "Makefile.in", "package.json",
	".mocharc*", "jest.config.*", "vitest.config.*", "vite.config.*", "karma.conf.*",
	"babel.config.*", ".babelrc*", "tsconfig*.json", "Cargo.toml", "build.rs",
	"pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", ".pytest.ini", "tox.ini",
	"noxfile.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "*.pth", "go.mod",
	"go.work", "pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle*",
	"gradle.properties", "BUILD", "BUILD.bazel", "WORKSPACE", "MODULE.bazel", ".bazelrc",
	"Rakefile", ".rspec", "phpunit.xml*", "mix.exs", "Justfile", "justfile", "Taskfile.y*ml",
	"composer.json", "SConstruct", "wscript", "xmake.lua", "dune", "dune-project", ".npmrc",
	"playwright.config.*", "cypress.config.*", "ava.config.*", "deno.json*", "bunfig.toml",
	"nx.json", "turbo.json", "lerna.json", "pnpm-workspace.yaml", "CMakePresets.json",
	"CMakeUserPresets.json", "Package.swift", "*.csproj", "*.fsproj", "*.sln",
	"*.runsettings", "Directory.Build.*", "build.sbt", "stack.yaml", "*.cabal",
	"rebar.config", "pubspec.yaml", "dart_test.yaml", "Gemfile", "unittest.cfg", "nose.cfg",
	NULL,
};

/* The same, for names that mean it in one folder only: the last two parts of the path.
 * Cargo's `runner`, for one, replaces the test binaries. */
static const char *const build_places[] = {
	".cargo/config", ".cargo/config.toml", ".config/nextest.toml", ".mvn/*", NULL,
};
/* clang-format on */

static gboolean matches_any(const char *name, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (g_pattern_match_simple(*patterns, name))
			return TRUE;
	return FALSE;
}

/* The last n parts of path. Matching wants UTF-8; other bytes cannot be part of any
 * convention. */
static char *last_parts(const char *path, int n)
{
	const char *start = path + strlen(path);

	while (start > path && (start[-1] != '/' || --n > 0))
		start--;
	return g_utf8_make_valid(start, -1);
}

gboolean verify_is_test(const char *path)
{
	g_autofree char *name = last_parts(path, 1);
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	guint n = g_strv_length(parts);

	for (guint i = 0; i + 1 < n; i++)
		if (g_strv_contains(test_folders, parts[i]))
			return TRUE;
	return matches_any(name, test_names);
}

gboolean verify_is_build(const char *path)
{
	g_autofree char *name = last_parts(path, 1);
	g_autofree char *place = last_parts(path, 2);

	return matches_any(name, build_names) || matches_any(place, build_places);
}

static const char *in_tree(const char *word, const char *folder,
			   const char *const *tree_paths)
{
	g_autofree char *absolute = g_canonicalize_filename(word, folder);

	for (; *tree_paths; tree_paths++)
		if (!strcmp(*tree_paths, absolute + 1))
			return *tree_paths;
	return NULL;
}

char **verify_scripts(const char *command, const char *const *tree_paths,
		      const char *subdir)
{
	g_autoptr(GStrvBuilder) found = g_strv_builder_new();
	g_auto(GStrv) words = g_strsplit_set(command, " \t\n;|&()<>'\"`$={}", -1);
	g_autofree char *below = g_strconcat("/", subdir, NULL);

	for (guint i = 0; words[i]; i++) {
		const char *path;

		if (!*words[i] || *words[i] == '/')
			continue;
		path = in_tree(words[i], below, tree_paths);
		if (!path)
			path = in_tree(words[i], "/", tree_paths);
		if (path)
			g_strv_builder_add(found, path);
	}
	return g_strv_builder_end(found);
}

#define EXIT_NOT_FOUND 127
#define NAME_CHARS     G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_"
/* Characters that mean themselves in any shell. */
#define PLAIN_CHARS NAME_CHARS "+-.,:@%/"

/* Past `VAR=value ` at the start of a command, else the same. */
static const char *skip_assignment(const char *command)
{
	const char *end = command + strspn(command, NAME_CHARS);

	if (end == command || *end != '=' || g_str_has_prefix(command, "PATH="))
		return command;
	end++;
	end += strspn(end, PLAIN_CHARS);
	return *end == ' ' || *end == '\t' ? end + strspn(end, " \t") : command;
}

char *verify_missing(const char *command, int exit_code, const char *output)
{
	const char *start = command + strspn(command, " \t\n"), *next;
	g_autofree char *word = NULL, *posix = NULL, *bash = NULL;
	gsize len;

	if (exit_code != EXIT_NOT_FOUND)
		return NULL;
	while ((next = skip_assignment(start)) != start)
		start = next;
	len = strspn(start, PLAIN_CHARS);
	word = g_strndup(start, len);
	if (!len || strchr(word, '/') ||
	    (start[len] && !strchr(" \t\n;&|<>", start[len])))
		return NULL;
	posix = g_strconcat(": ", word, ": not found", NULL);
	bash = g_strconcat(": ", word, ": command not found", NULL);
	if (!strstr(output, posix) && !strstr(output, bash))
		return NULL;
	return g_steal_pointer(&word);
}
