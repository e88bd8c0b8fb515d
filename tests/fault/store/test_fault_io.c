/*
 * Fails the 1st, 2nd, 3rd … I/O operation of a run through the store until a run gets by
 * without meeting the failure. After each, a good disk must show a whole database with
 * everything in it that was acknowledged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/fs.h"
#include "fault_vfs.h"
#include "script.h"

/* One run with the nth operation failing; FALSE when there is no nth any more. */
static gboolean try_nth(const char *folder, FaultKind kind, int nth, gboolean stays)
{
	g_autofree char *path = g_strdup_printf("%s/%d.db", folder, nth);
	g_autofree char *problem = NULL;
	gboolean fired;
	Acks acks;

	fault_arm(kind, nth, stays);
	script_run(path, &acks);
	fired = fault_disarm();
	if (!fired)
		assert_int_equal(acks.failures, 0);
	problem = script_verify(path, &acks);
	if (problem)
		fail_msg("operation %d: %s", nth, problem);
	if (acks.unclear != SPK_N_ERRS)
		fail_msg("operation %d: error %s without a hint", nth,
			 spk_err_info(acks.unclear)->name);
	return fired;
}

static void try_all(FaultKind kind, gboolean stays)
{
	g_autofree char *folder = g_dir_make_tmp("spk-fault-XXXXXX", NULL);
	int nth = 1;

	assert_non_null(folder);
	while (try_nth(folder, kind, nth, stays))
		nth++;
	print_message("# %d operations failed in turn\n", nth - 1);
	assert_true(nth > 10);
	assert_true(spk_fs_remove_tree(folder, NULL));
}

static void test_full_once(void **state)
{
	try_all(FAULT_FULL, FALSE);
}

static void test_full_for_good(void **state)
{
	try_all(FAULT_FULL, TRUE);
}

static void test_io_once(void **state)
{
	try_all(FAULT_IO, FALSE);
}

static void test_io_for_good(void **state)
{
	try_all(FAULT_IO, TRUE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_once),
		cmocka_unit_test(test_full_for_good),
		cmocka_unit_test(test_io_once),
		cmocka_unit_test(test_io_for_good),
	};

	fault_vfs_install();
	return cmocka_run_group_tests_name("store-io", tests, NULL, NULL);
}
