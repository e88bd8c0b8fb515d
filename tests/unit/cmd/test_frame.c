/* The program as a whole, in child processes: exit codes, streams, signals, `config`. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "test_cmd.h"

static json_t *object_of(const char *text)
{
	json_t *json = spk_json_parse(text, strlen(text), SPK_JSON_MAX, NULL);

	assert_non_null(json);
	return json;
}

static void test_nothing_given(void **state)
{
	g_auto(Ran) ran = run_sparks((const char *const[]){ NULL });
	g_auto(Ran) group = RUN("config");

	assert_int_equal(ran.exit_code, 2);
	assert_string_equal(ran.out, "");
	assert_has(ran.err, "usage: sparks COMMAND");
	assert_has(ran.err, "sparks demo");
	assert_int_equal(group.exit_code, 2);
	assert_has(group.err, "usage: sparks config COMMAND");
}

static void test_version(void **state)
{
	g_auto(Ran) word = RUN("version");
	g_auto(Ran) flag = RUN("--version");
	g_auto(Ran) behind = RUN("config", "show", "--version");
	g_auto(Ran) json = RUN("version", "--json");
	g_autoptr(json_t) object = object_of(json.out);

	assert_int_equal(word.exit_code, 0);
	assert_string_equal(word.out, "sparks " SPK_VERSION "\n");
	assert_string_equal(flag.out, word.out);
	assert_string_equal(behind.out, word.out);
	assert_string_equal(spk_json_str(object, "version"), SPK_VERSION);
}

static void test_unknown(void **state)
{
	g_auto(Ran) ran = RUN("confg");
	g_auto(Ran) json = RUN("version", "--jsno", "--json");
	g_autoptr(json_t) object = object_of(json.out);

	assert_int_equal(ran.exit_code, 2);
	assert_has(
		ran.err,
		"sparks: unknown command \"confg\" (did you mean \"config\"?)\n  run ");
	assert_int_equal(json.exit_code, 2);
	assert_string_equal(spk_json_str(json_object_get(object, "error"), "code"),
			    "usage");
	assert_has(json.err, "did you mean \"--json\"?");
}

static void test_what_is_not_built(void **state)
{
	for (const SpkCmdLater *later = spk_program.later; later->name; later++) {
		g_auto(Ran) ran = RUN(later->name, "x");

		assert_int_equal(ran.exit_code, 2);
		assert_has(ran.err, "is not in this version\n  ");
		assert_null(spk_cmd_find(spk_program.commands, later->name));
	}
}

/* What people type before they have read anything. */
static void test_words_of_others(void **state)
{
	static const struct {
		const char *word, *told;
	} rows[] = {
		{ "ps", "type `sparks tasks list`" },
		{ "run", "type `sparks do \"GOAL\"`" },
		{ "diff", "type `sparks tasks diff`" },
		{ "show",
		  "type `sparks approvals show` or `sparks autonomy show` or `sparks config show` or "
		  "`sparks ghosts show` or `sparks memory show` or `sparks tasks show`" },
		{ "make the tests pass", "type `sparks do \"GOAL\"`" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(Ran) ran = RUN(rows[i].word);

		assert_int_equal(ran.exit_code, 2);
		assert_has(ran.err, "there is no command");
		assert_has(ran.err, rows[i].told);
	}
	for (const SpkCmdLater *other = spk_program.others; other->name; other++)
		assert_null(spk_cmd_find(spk_program.commands, other->name));
}

/* Escape sequences of an argument don't reach the terminal. */
static void test_messages_are_clean(void **state)
{
	g_auto(Ran) ran = RUN("\033]0;x\a\033[31mred");

	assert_int_equal(ran.exit_code, 2);
	assert_null(strchr(ran.err, '\033'));
	assert_null(strchr(ran.err, '\a'));
}

static void test_lost_output_is_a_failure(void **state)
{
	spk_autofd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	const char *const words[] = { "version", NULL };
	const char *const long_words[] = { "help", "--man", NULL };
	g_auto(Ran) ran = run_sparks_to(full, words);
	g_auto(Ran) longer = run_sparks_to(full, long_words);
	g_auto(Ran) closed = run_sparks_to(-1, words);

	assert_int_equal(ran.exit_code, 75);
	assert_has(ran.err, "cannot write to standard output: No space left");
	assert_int_not_equal(longer.exit_code, 0);
	assert_has(longer.err, "cannot write to standard output");
	assert_int_equal(closed.exit_code, 1);
}

static void test_reader_that_went_away(void **state)
{
	const char *const words[] = { "help", "--man", NULL };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	{
		g_auto(Ran) ran = run_sparks_to(ends[1], words);

		assert_int_equal(ran.exit_code, 1);
		assert_string_equal(ran.err, "");
	}
	close(ends[1]);
}

/* ---- config ---- */
static void test_config_show(void **state)
{
	g_auto(Ran) plain = RUN("--set", "up.workers=7", "config", "show");
	g_auto(Ran) json = RUN("config", "show", "--json", "--set", "up.workers=7");
	g_autoptr(json_t) object = object_of(json.out);
	const json_t *row =
		json_object_get(json_object_get(object, "values"), "up.workers");

	assert_int_equal(plain.exit_code, 0);
	assert_has(plain.out, "file: none");
	assert_has(plain.out, "manager.max_steps");
	assert_has(plain.out, "command line");
	assert_int_equal(spk_json_int(row, "value", 0), 7);
	assert_string_equal(spk_json_str(row, "origin"), "command line");
}

static void test_config_check(void **state)
{
	g_auto(Ran) none = RUN("config", "check");
	g_auto(Ran) missing = RUN("config", "check", "nope.toml");

	assert_int_equal(none.exit_code, 0);
	assert_has(none.out, "OK: built-in values, 0 warnings");
	assert_int_equal(missing.exit_code, 78);
	assert_true(g_file_set_contents(
		"a.toml", "[up]\nworkers = 0\n[box]\npids = 1\nx = 1\n", -1, NULL));
	{
		g_auto(Ran) bad = RUN("config", "check", "a.toml");
		g_auto(Ran) json = RUN("config", "check", "--json", "--config", "a.toml");
		g_autoptr(json_t) object = object_of(json.out);

		assert_int_equal(bad.exit_code, 78);
		assert_has(bad.err, "a.toml:2:11: up.workers is 0");
		assert_has(bad.err, "a.toml:4:8: box.pids is 1");
		assert_has(bad.err, "warning: a.toml:5: unknown key box.x");
		assert_string_equal(bad.out, "");
		assert_int_equal(json.exit_code, 78);
		assert_false(spk_json_bool(object, "ok", TRUE));
		assert_int_equal(json_array_size(json_object_get(object, "problems")), 2);
		assert_int_equal(json_array_size(json_object_get(object, "warnings")), 1);
	}
	assert_true(g_file_set_contents("a.toml", "[up]\nworker = 0\n", -1, NULL));
	{
		g_auto(Ran) odd = RUN("config", "check", "a.toml");

		assert_int_equal(odd.exit_code, 0);
		assert_has(odd.out, "OK: a.toml, 1 warning\n");
		assert_has(odd.err, "did you mean \"up.workers\"?");
	}
}

static void test_config_error_of_any_command(void **state)
{
	g_auto(Ran) ran = RUN("config", "show", "--json", "--set", "up.workers=0");
	g_autoptr(json_t) object = object_of(ran.out);

	assert_int_equal(ran.exit_code, 78);
	assert_string_equal(spk_json_str(json_object_get(object, "error"), "code"),
			    "config");
	assert_has(ran.err, "command line: up.workers is 0");
}

static void test_config_trust(void **state)
{
	g_auto(Ran) none = RUN("config", "trust");

	assert_int_equal(none.exit_code, 2);
	assert_has(none.err, "neither config.toml nor .env");
	assert_true(g_file_set_contents("config.toml", "[openai]\nurl = 'http://x'\n", -1,
					NULL));
	{
		g_auto(Ran) before = RUN("config", "show");
		g_auto(Ran) trust = RUN("config", "trust");
		g_auto(Ran) after = RUN("config", "show");

		assert_has(before.err,
			   "./config.toml is not trusted: openai.url has no effect");
		assert_has(before.out, "file: ./config.toml (not trusted)");
		assert_lacks(before.out, "http://x");
		assert_int_equal(trust.exit_code, 0);
		assert_has(trust.out, "config.toml is trusted");
		assert_string_equal(after.err, "");
		assert_has(after.out, "http://x");
	}
}

/* -y approves what a task asks, never a file that came with a folder. */
static void test_yes_is_no_trust(void **state)
{
	assert_true(g_file_set_contents("config.toml", "[openai]\nurl = 'http://x'\n", -1,
					NULL));
	{
		g_auto(Ran) ran = RUN("-y", "config", "show");

		assert_lacks(ran.out, "http://x");
	}
}

/* ---- signals ---- */
static void wait_byte(int fd, char want)
{
	char byte = 0;

	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, want);
}

/* Tells over the pipe when it is ready and when the token has fired. */
static void interrupted_child(int out)
{
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(SpkCancel) again = spk_cmd_interrupt();

	if (again != cancel || write(out, "r", 1) != 1)
		_exit(1);
	while (!spk_cancel_is_fired(cancel))
		spk_sleep_ms(1000, cancel);
	if (write(out, "f", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void test_interrupt(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM };

	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		int ends[2], status;
		pid_t pid;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			interrupted_child(ends[1]);
		close(ends[1]);
		wait_byte(ends[0], 'r');
		assert_int_equal(kill(pid, signals[i]), 0);
		wait_byte(ends[0], 'f');
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 130);
		close(ends[0]);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, cmd_setup, cmd_teardown)
const struct CMUnitTest frame_tests[] = {
	T(test_nothing_given),
	T(test_version),
	T(test_unknown),
	T(test_what_is_not_built),
	T(test_words_of_others),
	T(test_messages_are_clean),
	T(test_lost_output_is_a_failure),
	T(test_reader_that_went_away),
	T(test_config_show),
	T(test_config_check),
	T(test_config_error_of_any_command),
	T(test_config_trust),
	T(test_yes_is_no_trust),
	T(test_interrupt),
};
const size_t n_frame_tests = G_N_ELEMENTS(frame_tests);
