/* The repository's own test command, by the files at its top. The first row that fits wins. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "base/fs.h"

#define FILE_MAX  (1u << 20)
#define FILES_MAX 50 /* looked into for one row */

/* A rule of make with this target, alone or among others; no assignment to that name. */
#define TARGET(name) "^([\\w./%-]+ +)*" name "( +[\\w./%-]+)* *::?(?![:=])"

typedef struct {
	const char *file;  /* a GPattern: a path at the top or in the folder it names */
	const char *regex; /* must match in such a file; NULL: existence is enough */
	const char *command;
} Rule;

/* make itself looks for its file in this order. `unittest discover` finds nothing in tests
 * written for pytest and is content with that, so the words in the file decide. */
static const Rule rules[] = {
	{ "GNUmakefile", TARGET("check"), "make check" },
	{ "GNUmakefile", TARGET("test"), "make test" },
	{ "makefile", TARGET("check"), "make check" },
	{ "makefile", TARGET("test"), "make test" },
	{ "Makefile", TARGET("check"), "make check" },
	{ "Makefile", TARGET("test"), "make test" },
	{ "package.json", "\"test\"\\s*:\\s*\"(?!echo \\\\\"Error: no test)",
	  "npm test" },
	{ "Cargo.toml", NULL, "cargo test --offline" },
	{ "go.mod", NULL, "go test ./..." },
	{ "pytest.ini", NULL, "python3 -m pytest -q" },
	{ "pyproject.toml", "^\\[tool\\.pytest", "python3 -m pytest -q" },
	{ "setup.cfg", "^\\[tool:pytest\\]", "python3 -m pytest -q" },
	{ "tox.ini", "^\\[pytest\\]", "python3 -m pytest -q" },
	{ "conftest.py", NULL, "python3 -m pytest -q" },
	{ "tests/conftest.py", NULL, "python3 -m pytest -q" },
	{ "pom.xml", NULL, "mvn -q -o test" },
	{ "gradlew", NULL, "./gradlew --offline test" },
	{ "mix.exs", NULL, "mix test" },
	{ "meson.build", NULL,
	  "meson setup .sparks-build && meson test -C .sparks-build --print-errorlogs" },
	{ "CMakeLists.txt", "(enable_testing|include\\s*\\(\\s*CTest)",
	  "cmake -S . -B .sparks-build && cmake --build .sparks-build && "
	  "ctest --test-dir .sparks-build --output-on-failure" },
	{ "tests/test_*.py", "^\\s*(import|from) +unittest\\b",
	  "python3 -m unittest discover -s tests" },
	{ "test_*.py", "^\\s*(import|from) +unittest\\b",
	  "python3 -m unittest discover" },
	{ "tests/test_*.py", "^(async +)?def +test_", "python3 -m pytest -q" },
	{ "test_*.py", "^(async +)?def +test_", "python3 -m pytest -q" },
};

/* The star stands for no slash. */
static gboolean is_match(const char *path, const char *pattern)
{
	return g_utf8_validate(path, -1, NULL) && g_pattern_match_simple(pattern, path) &&
	       !strchr(path + strcspn(pattern, "*"), '/');
}

/* A link in the repository may lead to any file of this machine, or to one that blocks. */
static char *read_file(int work, const char *path)
{
	spk_autofd int fd = spk_fs_open_beneath(
		work, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0, NULL);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return spk_fs_read_fd(fd, path, FILE_MAX, NULL, NULL);
}

static gboolean file_matches(int work, const char *path, const char *regex)
{
	g_autofree char *text = read_file(work, path);
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid && g_regex_match_simple(regex, valid, G_REGEX_MULTILINE, 0);
}

static gboolean fits(const Rule *rule, const char *const *paths, int work)
{
	guint looked = 0;

	for (; *paths && looked < FILES_MAX; paths++) {
		if (!is_match(*paths, rule->file))
			continue;
		if (!rule->regex || file_matches(work, *paths, rule->regex))
			return TRUE;
		looked++;
	}
	return FALSE;
}

char *spk_verify_recognise(const char *const *paths, const char *work)
{
	spk_autofd int fd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (gsize i = 0; fd >= 0 && i < G_N_ELEMENTS(rules); i++)
		if (fits(&rules[i], paths, fd))
			return g_strdup(rules[i].command);
	return NULL;
}
