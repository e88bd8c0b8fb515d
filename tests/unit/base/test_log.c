/* The level is read once in a process, so each test looks at a child of its own. */
#include "test_base.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"

static void speak(int out, const char *level, const char *text)
{
	if (level)
		g_setenv("SPARKS_LOG", level, TRUE);
	else
		g_unsetenv("SPARKS_LOG");
	dup2(out, STDERR_FILENO);
	spk_log(SPK_LOG_ERROR, "base", "e %s", text);
	spk_warn("base", "w %s", text);
	spk_info("base", "i %s", text);
	spk_debug("base", "d %s", text);
	_exit(0);
}

/* What a process with SPARKS_LOG = level prints; level NULL: unset. */
static char *heard(const char *level, const char *text)
{
	spk_autofd int reader = -1;
	int ends[2];
	char *all;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	reader = ends[0];
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		speak(ends[1], level, text);
	close(ends[1]);
	all = spk_fs_read_fd(reader, "pipe", 1 << 20, NULL, NULL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_non_null(all);
	return all;
}

static void levels(void **state)
{
	static const struct {
		const char *level;
		const char *wanted;
	} rows[] = {
		{ NULL, "sparks: error: base: e x\nsparks: warn: base: w x\n" },
		{ "error", "sparks: error: base: e x\n" },
		{ "INFO", "sparks: error: base: e x\nsparks: warn: base: w x\n"
			  "sparks: info: base: i x\n" },
		{ "debug", "sparks: error: base: e x\nsparks: warn: base: w x\n"
			   "sparks: info: base: i x\nsparks: debug: base: d x\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = heard(rows[i].level, "x");

		assert_string_equal(got, rows[i].wanted);
	}
}

static void unknown_level_is_told_once(void **state)
{
	g_autofree char *got = heard("loud", "x");
	const char *said = strstr(got, "SPARKS_LOG is none of error, warn, info, debug");

	assert_non_null(said);
	assert_null(strstr(said + 1, "SPARKS_LOG"));
	assert_non_null(strstr(got, "warn: base: w x\n"));
	assert_null(strstr(got, "i x"));
}

static void a_message_is_one_clean_line(void **state)
{
	g_autofree char *got =
		heard("error", "a\nsparks: error: forged\033[31m\r\tb\xff");

	assert_string_equal(
		got, "sparks: error: base: e a sparks: error: forged b\xef\xbf\xbd\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(levels),
	cmocka_unit_test(unknown_level_is_told_once),
	cmocka_unit_test(a_message_is_one_clean_line),
};

SUITE(log_suite, tests);
