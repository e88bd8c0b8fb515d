/* The repository's own test command, by the files at its top. The first row that fits wins. */
#include <string.h>

#include "agent/agent.h"
#include "base/fs.h"
#include "base/json.h"

#define FILE_MAX (1u << 20)

typedef struct {
	const char *file;	/* must exist at the top */
	const char *regex;	/* must match in that file; NULL: existence is enough */
	const char *with;	/* GPattern of another path that must exist; NULL */
	const char *command;
} Rule;

static const Rule rules[] = {
	{ "Makefile", "^check:", NULL, "make check" },
	{ "Makefile", "^test:", NULL, "make test" },
	{ "makefile", "^test:", NULL, "make test" },
	{ "GNUmakefile", "^test:", NULL, "make test" },
	{ "package.json", "\"test\"\\s*:\\s*\"(?!echo \\\\\"Error: no test)", NULL, "npm test" },
	{ "Cargo.toml", NULL, NULL, "cargo test --offline" },
	{ "go.mod", NULL, NULL, "go test ./..." },
	{ "pytest.ini", NULL, NULL, "python3 -m pytest -q" },
	{ "pyproject.toml", "^\\[tool\\.pytest", NULL, "python3 -m pytest -q" },
	{ "setup.cfg", "^\\[tool:pytest\\]", NULL, "python3 -m pytest -q" },
	{ "tox.ini", "^\\[pytest\\]", NULL, "python3 -m pytest -q" },
	{ "conftest.py", NULL, NULL, "python3 -m pytest -q" },
	{ "pom.xml", NULL, NULL, "mvn -q -o test" },
	{ "gradlew", NULL, NULL, "./gradlew --offline test" },
	{ "mix.exs", NULL, NULL, "mix test" },
	{ "meson.build", NULL, NULL,
	  "meson setup .sparks-build && meson test -C .sparks-build --print-errorlogs" },
	{ "CMakeLists.txt", "(enable_testing|include\\s*\\(\\s*CTest)", NULL,
	  "cmake -S . -B .sparks-build && cmake --build .sparks-build && "
	  "ctest --test-dir .sparks-build --output-on-failure" },
	{ NULL, NULL, "tests/test_*.py", "python3 -m unittest discover -s tests" },
	{ NULL, NULL, "test_*.py", "python3 -m unittest discover" },
};

static gboolean has_path(const char *const *paths, const char *wanted)
{
	for (; *paths; paths++)
		if (!strcmp(*paths, wanted))
			return TRUE;
	return FALSE;
}

static gboolean has_match(const char *const *paths, const char *pattern)
{
	for (; *paths; paths++)
		if (g_utf8_validate(*paths, -1, NULL) && g_pattern_match_simple(pattern, *paths) &&
		    !strchr(*paths + strcspn(pattern, "*"), '/'))
			return TRUE;
	return FALSE;
}

static gboolean file_matches(const char *work, const char *name, const char *regex)
{
	g_autofree char *path = g_build_filename(work, name, NULL);
	g_autofree char *text = spk_fs_read(path, FILE_MAX, NULL, NULL);
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid && g_regex_match_simple(regex, valid, G_REGEX_MULTILINE, 0);
}

char *spk_verify_recognise(const char *const *paths, const char *work)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		const Rule *rule = &rules[i];

		if (rule->file && !has_path(paths, rule->file))
			continue;
		if (rule->with && !has_match(paths, rule->with))
			continue;
		if (rule->regex && !file_matches(work, rule->file, rule->regex))
			continue;
		return g_strdup(rule->command);
	}
	return NULL;
}
