/*
 * spk_box_run() in whatever tier this machine reaches; what the walls hold is tried in
 * tests/e2e/box.
 */
#include "suites.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"
#include "box/box.h"

typedef struct {
	char *folder, *work, *home;
	SpkConf *conf;
	SpkBox *box;
} Fixture;

static SpkConf *load(const char *const *overrides)
{
	g_autoptr(GError) error = NULL;
	SpkConfSource source = { .overrides = overrides };
	SpkConf *conf = spk_conf_load(&source, &error);

	assert_non_null(conf);
	return conf;
}

static int setup(void **state)
{
	g_autoptr(GError) error = NULL;
	Fixture *f = g_new0(Fixture, 1);

	g_setenv("SPARKS_BOX", SPARKS_BOX, TRUE);
	f->folder = g_dir_make_tmp("sparks-box-test-XXXXXX", NULL);
	f->work = g_build_filename(f->folder, "work", NULL);
	f->home = g_build_filename(f->folder, "home", NULL);
	g_mkdir(f->work, 0755);
	g_setenv("SPARKS_HOME", f->home, TRUE);
	f->conf = load(NULL);
	f->box = spk_box_open(f->conf, &error);
	if (!f->box)
		print_error("%s\n", error->message);
	assert_non_null(f->box);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	spk_box_free(f->box);
	spk_conf_unref(f->conf);
	spk_fs_remove_tree(f->folder, NULL);
	g_unsetenv("SPARKS_HOME");
	g_unsetenv("SPARKS_BOX");
	g_free(f->folder);
	g_free(f->work);
	g_free(f->home);
	g_free(f);
	return 0;
}

static void run_ok(Fixture *f, SpkBoxRun run, SpkBoxResult *result)
{
	g_autoptr(GError) error = NULL;
	gboolean ok;

	run.work = run.work ? run.work : f->work;
	ok = spk_box_run(f->box, &run, NULL, result, &error);
	if (!ok)
		print_error("%s\n", error->message);
	assert_true(ok);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Installed below /usr, sparks-box is shown to the box that `sandbox probe` starts. */
static void shows_a_file_of_the_system(void **state)
{
	g_auto(SpkBoxResult) result = { 0 };

	run_ok(*state,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "test -s /usr/bin/env && env true"),
			    .read_only = WORDS("/usr/bin/env") },
	       &result);
	assert_int_equal(result.exit_code, 0);
}

static void gives_code_output_and_facts(void **state)
{
	g_auto(SpkBoxResult) result = { 0 };

	run_ok(*state,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "echo out; echo err >&2; exit 3") },
	       &result);
	assert_int_equal(result.exit_code, 3);
	assert_int_equal(result.signal, 0);
	assert_false(result.timed_out);
	assert_false(result.truncated);
	assert_string_equal(result.out->str, "out\nerr\n");
	assert_null(result.err);
	assert_int_equal(result.out_total, 8);
	assert_int_equal(strlen(result.out_sha256), 64);
	assert_true(result.seconds > 0 && result.seconds < 30);
	assert_true(result.rss_max_kib > 0);
	assert_null(result.blocked);
}

static void keeps_stderr_apart(void **state)
{
	g_auto(SpkBoxResult) result = { 0 };

	run_ok(*state,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "echo out; echo err >&2"),
			    .split = TRUE },
	       &result);
	assert_string_equal(result.out->str, "out\n");
	assert_string_equal(result.err->str, "err\n");
}

static void tells_signals_from_codes(void **state)
{
	g_auto(SpkBoxResult) killed = { 0 };
	g_auto(SpkBoxResult) exited = { 0 };

	run_ok(*state, (SpkBoxRun){ .argv = WORDS("sh", "-c", "kill -TERM $$") },
	       &killed);
	assert_int_equal(killed.exit_code, 143);
	assert_int_equal(killed.signal, 15);
	run_ok(*state, (SpkBoxRun){ .argv = WORDS("sh", "-c", "exit 143") }, &exited);
	assert_int_equal(exited.exit_code, 143);
	assert_int_equal(exited.signal, 0);
}

static void spills_what_is_too_much(void **state)
{
	Fixture *f = *state;
	g_autofree char *spill = g_build_filename(f->folder, "spill", NULL);
	g_autofree char *text = NULL;
	g_auto(SpkBoxResult) result = { 0 };
	gsize len = 0;

	run_ok(f,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "yes | head -c 300000"),
			    .max_out = 100,
			    .spill_path = spill },
	       &result);
	assert_true(result.truncated);
	assert_int_equal(result.out->len, 100);
	assert_int_equal(result.out_total, 300000);
	text = spk_fs_read(spill, 1 << 20, &len, NULL);
	assert_non_null(text);
	assert_int_equal(len, 300000);
}

static void ends_at_the_time_limit(void **state)
{
	g_auto(SpkBoxResult) result = { 0 };
	const char *rule = NULL;

	run_ok(*state,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "echo begun; sleep 60 & wait"),
			    .timeout_ms = 300 },
	       &result);
	assert_true(result.timed_out);
	assert_int_equal(result.exit_code, 124);
	assert_int_equal(result.signal, 0);
	assert_string_equal(result.out->str, "begun\n");
	assert_true(result.seconds < 5);
	assert_int_equal(json_unpack(json_array_get(result.blocked, 0), "{s:s}", "rule",
				     &rule),
			 0);
	assert_string_equal(rule, "timeout");
}

static void runs_in_the_folder_and_with_the_variables(void **state)
{
	Fixture *f = *state;
	g_autofree char *sub = g_build_filename(f->work, "sub", NULL);
	g_autofree char *expected = g_strdup_printf("%s\nvalue with blank\n", sub);
	g_auto(SpkBoxResult) result = { 0 };

	g_mkdir(sub, 0755);
	run_ok(f,
	       (SpkBoxRun){ .argv = WORDS("sh", "-c", "pwd; echo \"$NAME\"; cat"),
			    .env = WORDS("NAME=value with blank"),
			    .cwd = "sub" },
	       &result);
	assert_string_equal(result.out->str, expected);
}

typedef struct {
	SpkCancel *cancel;
	gint64 fired_us;
} Firing;

static gpointer fire_later(gpointer data)
{
	Firing *firing = data;

	g_usleep(200000);
	firing->fired_us = g_get_monotonic_time();
	spk_cancel_fire(firing->cancel, "enough");
	return NULL;
}

static gint64 cancel_latency_us(Fixture *f)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;
	g_auto(SpkBoxResult) result = { 0 };
	const SpkBoxRun run = { .work = f->work,
				.argv = WORDS("sh", "-c",
					      "trap '' TERM; sleep 60 & sleep 60") };
	Firing firing = { .cancel = cancel };
	GThread *thread = g_thread_new("fire", fire_later, &firing);
	gboolean ok = spk_box_run(f->box, &run, cancel, &result, &error);
	gint64 end = g_get_monotonic_time();

	g_thread_join(thread);
	assert_false(ok);
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
	return end - firing.fired_us;
}

/* The best of three: a busy machine is not what is tested. */
static gpointer run_for_long(gpointer user)
{
	Fixture *f = user;
	const char *argv[] = { "/bin/sh", "-c", "touch started; sleep 60", NULL };
	SpkBoxRun run = { .work = f->work, .argv = argv };
	g_auto(SpkBoxResult) result = { 0 };
	g_autoptr(GError) error = NULL;
	gboolean ok = spk_box_run(f->box, &run, NULL, &result, &error);

	/* ended from outside: whatever it says, it was not the command's own success */
	return GINT_TO_POINTER(!ok || result.exit_code != 0);
}

/* What a holder that hangs has left running ends before its task is taken over. */
static void ends_what_is_left_of_others(void **state)
{
	Fixture *f = *state;
	g_autofree char *started = g_build_filename(f->work, "started", NULL);
	GThread *thread = g_thread_new("long", run_for_long, f);
	gint64 start;

	for (int i = 0; i < 2000 && !g_file_test(started, G_FILE_TEST_EXISTS); i++)
		g_usleep(5000);
	assert_int_equal(spk_box_end_stale(f->box, f->folder), 0);
	start = spk_mono_us();
	assert_true(spk_box_end_stale(f->box, f->work) >= 1);
	assert_true(GPOINTER_TO_INT(g_thread_join(thread)));
	assert_true(spk_mono_us() - start < 30 * G_USEC_PER_SEC);
	assert_int_equal(spk_box_end_stale(f->box, f->work), 0);
}

static void cancels_within_100_ms(void **state)
{
	gint64 best = G_MAXINT64;

	for (int i = 0; i < 3; i++)
		best = MIN(best, cancel_latency_us(*state));
	assert_true(best < 100000);
}

static void assert_refused(Fixture *f, SpkBoxRun run, SpkErr code, const char *part)
{
	g_autoptr(GError) error = NULL;
	g_auto(SpkBoxResult) result = { 0 };

	run.work = run.work ? run.work : f->work;
	assert_false(spk_box_run(f->box, &run, NULL, &result, &error));
	if (!spk_error_is(error, code) || !strstr(error->message, part))
		print_error("%s\n", error->message);
	assert_true(spk_error_is(error, code));
	assert_non_null(strstr(error->message, part));
	assert_null(result.out);
}

static void refuses_what_cannot_be_run(void **state)
{
	Fixture *f = *state;
	g_autofree char *absent = g_build_filename(f->folder, "absent", NULL);
	g_autofree char *huge = g_strnfill(2 << 20, 'x');

	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .work = "relative" },
		       SPK_ERR_USAGE, "relative");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .work = "/" },
		       SPK_ERR_USAGE, "/");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .cwd = "/etc" },
		       SPK_ERR_USAGE, "/etc");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .read_only = WORDS("etc") },
		       SPK_ERR_USAGE, "etc");
	assert_refused(f, (SpkBoxRun){ .argv = (const char *const[]){ NULL } },
		       SPK_ERR_USAGE, "no command");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("echo", huge) }, SPK_ERR_LIMIT,
		       "too long");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .work = absent },
		       SPK_ERR_BOX_FAILED, "absent");
	assert_refused(f, (SpkBoxRun){ .argv = WORDS("true"), .cwd = "absent" },
		       SPK_ERR_BOX_FAILED, "chdir");
}

static gpointer run_some(gpointer data)
{
	for (int i = 0; i < 5; i++) {
		g_auto(SpkBoxResult) result = { 0 };

		run_ok(data, (SpkBoxRun){ .argv = WORDS("sh", "-c", "echo $((6 * 7))") },
		       &result);
		assert_string_equal(result.out->str, "42\n");
	}
	return NULL;
}

static void runs_in_many_threads(void **state)
{
	GThread *threads[4];

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("run", run_some, *state);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
}

static void says_what_stands(void **state)
{
	Fixture *f = *state;
	json_t *controls = spk_box_controls(f->box), *row;
	gboolean landlock = FALSE;
	size_t i;

	assert_true(g_str_has_prefix(spk_box_describe(f->box),
				     spk_tier_name(spk_box_tier(f->box))));
	assert_non_null(strstr(spk_box_describe(f->box), "capped by "));
	json_array_foreach(controls, i, row) {
		const char *name, *detail;
		int ok;

		assert_int_equal(json_unpack(row, "{s:s, s:b, s:s}", "control", &name,
					     "ok", &ok, "detail", &detail),
				 0);
		landlock |= strcmp(name, "landlock") == 0;
	}
	assert_true(landlock);
	json_decref(controls);
}

static void assert_not_opened(const char *const *overrides, SpkErr code, const char *part)
{
	g_autoptr(SpkConf) conf = load(overrides);
	g_autoptr(GError) error = NULL;

	assert_null(spk_box_open(conf, &error));
	if (!spk_error_is(error, code) || !strstr(error->message, part))
		print_error("%s\n", error->message);
	assert_true(spk_error_is(error, code));
	assert_non_null(strstr(error->message, part));
	assert_non_null(spk_error_hint(error));
}

static void refuses_to_be_weaker_than_required(void **state)
{
	assert_not_opened(WORDS("box.tier=native", "box.require_tier=native-full"),
			  SPK_ERR_BOX_TIER, "native-full");
	assert_not_opened(WORDS("box.tier=landlock", "box.require_tier=native"),
			  SPK_ERR_BOX_TIER, "landlock");
	assert_not_opened(WORDS("box.backend=docker", "docker.socket_path=/no/such.sock"),
			  SPK_ERR_ENGINE, "/no/such.sock");
	assert_not_opened(WORDS("box.tier=landlock", "box.path=/workspace"),
			  SPK_ERR_BOX_TIER, "[box] path");
}

static void shows_the_work_tree_elsewhere(void **state)
{
	g_autoptr(SpkConf) conf = load(WORDS("box.path=/workspace"));
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkBox) box = NULL;
	Fixture *f = *state, here = *f;
	g_auto(SpkBoxResult) result = { 0 };

	box = spk_box_open(conf, &error);
	if (spk_box_tier(f->box) < SPK_TIER_NATIVE) {
		assert_null(box); /* said, not ignored */
		assert_true(spk_error_is(error, SPK_ERR_BOX_TIER));
		return;
	}
	assert_non_null(box);
	here.box = box;
	run_ok(&here, (SpkBoxRun){ .argv = WORDS("sh", "-c", "pwd; touch made") },
	       &result);
	assert_string_equal(result.out->str, "/workspace\n");
}

/* A helper that cannot say what happened is a box that failed, whatever its exit code. */
static void does_not_trust_a_silent_helper(void **state)
{
	Fixture *f = *state;
	g_autofree char *fake = g_build_filename(f->folder, "fake-box", NULL);
	g_autoptr(SpkBox) box = NULL;
	Fixture with_fake = *f;
	const char *script = "#!/bin/sh\n"
			     "test \"$1\" = --probe && exec " SPARKS_BOX " --probe\n"
			     "exit 0\n";

	assert_true(spk_fs_write_atomic(fake, script, strlen(script), 0755, NULL));
	g_setenv("SPARKS_BOX", fake, TRUE);
	box = spk_box_open(f->conf, NULL);
	assert_non_null(box);
	with_fake.box = box;
	assert_refused(&with_fake, (SpkBoxRun){ .argv = WORDS("true") },
		       SPK_ERR_BOX_FAILED, "did not say why");
	g_setenv("SPARKS_BOX", "/no/such/sparks-box", TRUE);
	assert_not_opened(NULL, SPK_ERR_NOT_FOUND, "/no/such/sparks-box");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(gives_code_output_and_facts, setup, teardown),
	cmocka_unit_test_setup_teardown(shows_a_file_of_the_system, setup, teardown),
	cmocka_unit_test_setup_teardown(keeps_stderr_apart, setup, teardown),
	cmocka_unit_test_setup_teardown(tells_signals_from_codes, setup, teardown),
	cmocka_unit_test_setup_teardown(spills_what_is_too_much, setup, teardown),
	cmocka_unit_test_setup_teardown(ends_at_the_time_limit, setup, teardown),
	cmocka_unit_test_setup_teardown(runs_in_the_folder_and_with_the_variables, setup,
					teardown),
	cmocka_unit_test_setup_teardown(cancels_within_100_ms, setup, teardown),
	cmocka_unit_test_setup_teardown(ends_what_is_left_of_others, setup, teardown),
	cmocka_unit_test_setup_teardown(refuses_what_cannot_be_run, setup, teardown),
	cmocka_unit_test_setup_teardown(runs_in_many_threads, setup, teardown),
	cmocka_unit_test_setup_teardown(says_what_stands, setup, teardown),
	cmocka_unit_test_setup_teardown(refuses_to_be_weaker_than_required, setup,
					teardown),
	cmocka_unit_test_setup_teardown(shows_the_work_tree_elsewhere, setup, teardown),
	cmocka_unit_test_setup_teardown(does_not_trust_a_silent_helper, setup, teardown),
};
SUITE(box_suite, tests);
