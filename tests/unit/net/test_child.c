#include "test_net.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "net/child.h"

static gboolean sh(const char *script, SpkChildSpec spec, SpkCancel *cancel,
		   SpkChildResult *result, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };

	spec.argv = argv;
	return spk_child_run(&spec, cancel, result, error);
}

static void test_exit_and_streams(void **state)
{
	g_auto(SpkChildResult) result = { 0 };

	assert_true(sh("echo out; echo err >&2; exit 7", (SpkChildSpec){ 0 }, NULL,
		       &result, NULL));
	assert_int_equal(result.exit_code, 7);
	assert_int_equal(result.signal, 0);
	assert_string_equal(result.out->str, "out\n");
	assert_string_equal(result.err->str, "err\n");
	assert_false(result.truncated);
	assert_string_equal(
		result.out_sha256,
		"54034ac5c6e9ea95734ec2b729fd6d62abf64af34a9f9ce5d466cb788191a73d");
}

static void test_environment_is_empty(void **state)
{
	g_auto(SpkChildResult) result = { 0 };
	const char *const env[] = { "A=1", NULL };

	g_setenv("SPARKS_CANARY", "secret", TRUE);
	assert_true(
		sh("/usr/bin/env", (SpkChildSpec){ .env = env }, NULL, &result, NULL));
	assert_null(strstr(result.out->str, "CANARY"));
	assert_non_null(strstr(result.out->str, "A=1\n"));
}

static void test_input(void **state)
{
	g_autofree char *big = g_strnfill(1 << 20, 'x');
	g_auto(SpkChildResult) result = { 0 }, unread = { 0 };

	assert_true(sh("wc -c", (SpkChildSpec){ .input = big, .input_len = 1 << 20 },
		       NULL, &result, NULL));
	assert_string_equal(g_strstrip(result.out->str), "1048576");
	/* a child that never reads must neither block nor kill us */
	assert_true(sh("exit 0", (SpkChildSpec){ .input = big, .input_len = 1 << 20 },
		       NULL, &unread, NULL));
	assert_int_equal(unread.exit_code, 0);
}

/* Gone, or a zombie that its new parent has not reaped yet. */
static gboolean is_dead(const char *pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/stat", pid);
	g_autofree char *stat = spk_fs_read(path, 4096, NULL, NULL);

	return !stat || strstr(stat, ") Z ");
}

static void test_timeout_kills_the_group(void **state)
{
	g_auto(SpkChildResult) result = { 0 };
	gint64 start = spk_mono_us();

	assert_true(sh("sleep 60 & echo $!; sleep 60",
		       (SpkChildSpec){ .timeout_ms = 100 }, NULL, &result, NULL));
	assert_true(result.timed_out);
	assert_int_equal(result.signal, SIGKILL);
	assert_true(spk_mono_us() - start < 5 * G_USEC_PER_SEC);
	g_usleep(20000);
	assert_true(is_dead(g_strstrip(result.out->str)));
}

static void test_grandchild_does_not_hold_us(void **state)
{
	g_auto(SpkChildResult) result = { 0 };
	gint64 start = spk_mono_us();

	assert_true(sh("sleep 60 & echo done", (SpkChildSpec){ 0 }, NULL, &result, NULL));
	assert_string_equal(result.out->str, "done\n");
	assert_true(spk_mono_us() - start < 5 * G_USEC_PER_SEC);
}

static gpointer fire_later(gpointer cancel)
{
	g_usleep(50000);
	spk_cancel_fire(cancel, "stopped by the test");
	return NULL;
}

static void test_cancel(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;
	g_auto(SpkChildResult) result = { 0 };
	GThread *thread = g_thread_new("fire", fire_later, cancel);
	gint64 start = spk_mono_us();

	assert_false(sh("sleep 60", (SpkChildSpec){ 0 }, cancel, &result, &error));
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
	assert_non_null(strstr(error->message, "stopped by the test"));
	assert_true(spk_mono_us() - start < 5 * G_USEC_PER_SEC);
	g_thread_join(thread);
}

static void test_cap_and_spill(void **state)
{
	g_autofree char *path =
		g_build_filename(g_get_tmp_dir(), "spk-child-spill", NULL);
	g_autofree char *spilled = NULL;
	g_auto(SpkChildResult) result = { 0 };
	gsize len;

	assert_true(sh("seq 1 20000",
		       (SpkChildSpec){ .max_out = 100, .spill_path = path }, NULL,
		       &result, NULL));
	assert_true(result.truncated);
	assert_int_equal(result.out->len, 100);
	assert_int_equal(result.out_total, 108894);
	spilled = spk_fs_read(path, 1 << 20, &len, NULL);
	assert_int_equal(len, 108894);
	assert_true(g_str_has_suffix(spilled, "\n20000\n"));
	unlink(path);
}

static void test_flood(void **state)
{
	g_autofree char *path =
		g_build_filename(g_get_tmp_dir(), "spk-child-flood", NULL);
	g_auto(SpkChildResult) result = { 0 };
	g_autofree char *spilled = NULL;
	gsize len;

	assert_true(sh("yes",
		       (SpkChildSpec){ .max_out = 1000,
				       .spill_path = path,
				       .max_spill = 100000,
				       .kill_on_flood = TRUE },
		       NULL, &result, NULL));
	assert_true(result.flooded);
	assert_int_equal(result.signal, SIGKILL);
	spilled = spk_fs_read(path, 1 << 20, &len, NULL);
	assert_int_equal(len, 100000);
	unlink(path);
}

static void test_merge_and_missing(void **state)
{
	g_auto(SpkChildResult) result = { 0 };
	g_autoptr(GError) error = NULL;
	const char *argv[] = { "/no/such/program", NULL };
	SpkChildSpec spec = { .argv = argv };

	assert_true(sh("echo a; echo b >&2; echo c", (SpkChildSpec){ .merge = TRUE },
		       NULL, &result, NULL));
	assert_string_equal(result.out->str, "a\nb\nc\n");
	assert_null(result.err);
	assert_false(spk_child_run(&spec, NULL, &result, &error));
	assert_true(spk_error_is(error, SPK_ERR_NOT_FOUND));
	assert_non_null(strstr(error->message, "/no/such/program"));
}

static void test_descriptors(void **state)
{
	int pipe_fds[2];
	char buffer[8] = "";
	g_auto(SpkChildResult) result = { 0 };
	SpkChildFd fds[1];

	assert_int_equal(pipe(pipe_fds), 0);
	fds[0] = (SpkChildFd){ pipe_fds[1], 5 };
	assert_true(sh("echo hi >&5; ls /proc/self/fd",
		       (SpkChildSpec){ .fds = fds, .n_fds = 1 }, NULL, &result, NULL));
	assert_int_equal(read(pipe_fds[0], buffer, 3), 3);
	assert_string_equal(buffer, "hi\n");
	/* 0 1 2, ours, and the folder that ls has open */
	assert_string_equal(result.out->str, "0\n1\n2\n3\n5\n");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

const struct CMUnitTest child_tests[] = {
	cmocka_unit_test(test_exit_and_streams),
	cmocka_unit_test(test_environment_is_empty),
	cmocka_unit_test(test_input),
	cmocka_unit_test(test_timeout_kills_the_group),
	cmocka_unit_test(test_grandchild_does_not_hold_us),
	cmocka_unit_test(test_cancel),
	cmocka_unit_test(test_cap_and_spill),
	cmocka_unit_test(test_flood),
	cmocka_unit_test(test_merge_and_missing),
	cmocka_unit_test(test_descriptors),
};
const size_t n_child_tests = G_N_ELEMENTS(child_tests);
