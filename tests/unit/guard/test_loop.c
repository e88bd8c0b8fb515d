#include "test_guard.h"

#include "guard/guard.h"

/* One step of a run: call, result, and the verdict that must follow. */
typedef struct {
	const char *call, *result;
	SpkLoopVerdict verdict;
} Step;

static void run_steps(guint window, guint threshold, const Step *steps)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(window, threshold);

	for (guint i = 0; steps[i].call; i++) {
		g_autofree char *reason = NULL;
		SpkLoopVerdict verdict = spk_loop_guard_note(guard, steps[i].call,
							     steps[i].result, &reason);

		if (verdict != steps[i].verdict)
			fail_msg("step %u (%s): verdict %d, wanted %d", i, steps[i].call,
				 verdict, steps[i].verdict);
		assert_true((reason != NULL) == (verdict != SPK_LOOP_OK));
	}
}

static void same_call_and_result(void **state)
{
	static const Step steps[] = {
		{ "a", "r", SPK_LOOP_OK },   { "a", "r", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_WARN }, { "a", "r", SPK_LOOP_STOP },
		{ "a", "r", SPK_LOOP_STOP }, { NULL },
	};

	run_steps(12, 2, steps);
}

static void alternating(void **state)
{
	static const Step steps[] = {
		{ "a", "r", SPK_LOOP_OK },   { "b", "s", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_OK },   { "b", "s", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_WARN }, { "b", "s", SPK_LOOP_WARN },
		{ "a", "r", SPK_LOOP_STOP }, { NULL },
	};

	run_steps(12, 2, steps);
}

static void differing_results(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);

	for (int i = 0; i < 100; i++) {
		g_autofree char *result = g_strdup_printf("line %d", i);
		g_autofree char *reason = NULL;

		assert_int_equal(spk_loop_guard_note(guard, "shell make", result,
						     &reason),
				 SPK_LOOP_OK);
	}
}

static void forgets_what_left_the_window(void **state)
{
	static const Step steps[] = {
		{ "a", "r", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_WARN },
		{ "b", "", SPK_LOOP_OK },
		{ "c", "", SPK_LOOP_OK },
		{ "d", "", SPK_LOOP_OK },
		{ "e", "", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_WARN },
		{ NULL },
	};

	run_steps(4, 2, steps);
}

static void call_and_result_do_not_run_together(void **state)
{
	static const Step steps[] = {
		{ "ab", "c", SPK_LOOP_OK },
		{ "a", "bc", SPK_LOOP_OK },
		{ "abc", "", SPK_LOOP_OK },
		{ "", "abc", SPK_LOOP_OK },
		{ NULL },
	};

	run_steps(12, 1, steps);
}

static void silly_sizes_are_clamped(void **state)
{
	static const Step steps[] = { { "a", "r", SPK_LOOP_OK },
				      { "a", "r", SPK_LOOP_OK },
				      { NULL } };

	run_steps(0, 0, steps);
	run_steps(G_MAXUINT, 2, steps);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(same_call_and_result),
	cmocka_unit_test(alternating),
	cmocka_unit_test(differing_results),
	cmocka_unit_test(forgets_what_left_the_window),
	cmocka_unit_test(call_and_result_do_not_run_together),
	cmocka_unit_test(silly_sizes_are_clamped),
};
SUITE(loop_suite, tests);
