#include "test_guard.h"

#include <string.h>

#include "guard/loop.h"

/* One step of a run: call, result, and the verdict that must follow. Each is a turn of its own. */
typedef struct {
	const char *call, *result;
	SpkLoopVerdict verdict;
	const char *tree;
} Step;

static SpkLoopVerdict note(SpkLoopGuard *guard, const char *call, const char *result,
			   const char *tree, guint turn)
{
	g_auto(SpkLoopFinding) found = { 0 };
	SpkLoopVerdict verdict = spk_loop_guard_note(
		guard, &(SpkLoopCall){ call, result, tree, turn }, &found);

	assert_true((found.reason != NULL) == (verdict != SPK_LOOP_OK));
	assert_true((found.evidence != NULL) == (verdict != SPK_LOOP_OK));
	return verdict;
}

static void run_steps(guint window, guint threshold, const Step *steps)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(window, threshold);

	for (guint i = 0; steps[i].call; i++) {
		SpkLoopVerdict verdict =
			note(guard, steps[i].call, steps[i].result, steps[i].tree, i);

		if (verdict != steps[i].verdict)
			fail_msg("step %u (%s): verdict %d, wanted %d", i, steps[i].call,
				 verdict, steps[i].verdict);
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

/* Told once for all of the circle, then over. */
static void alternating(void **state)
{
	static const Step steps[] = {
		{ "a", "r", SPK_LOOP_OK },
		{ "b", "s", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_OK },
		{ "b", "s", SPK_LOOP_OK },
		{ "a", "r", SPK_LOOP_WARN },
		{ "b", "s", SPK_LOOP_STOP },
		{ NULL },
	};

	run_steps(12, 2, steps);
}

/* Circles of two to four are named as such, with all of their calls. */
static void circles(void **state)
{
	static const char *const calls[] = { "a", "b", "c", "d" };

	for (guint length = 2; length <= 4; length++) {
		g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);
		g_auto(SpkLoopFinding) found = { 0 };
		SpkLoopVerdict verdict = SPK_LOOP_OK;
		guint n = 0;

		while (verdict == SPK_LOOP_OK && n < 20) {
			const char *call = calls[n % length];

			verdict = spk_loop_guard_note(
				guard, &(SpkLoopCall){ call, call, NULL, n }, &found);
			n++;
		}
		assert_int_equal(verdict, SPK_LOOP_WARN);
		assert_int_equal(n, 2 * length + 1);
		assert_int_equal(found.shape, SPK_LOOP_CYCLE);
		assert_int_equal(found.length, length);
		assert_int_equal(json_array_size(found.evidence), length);
		assert_non_null(strstr(found.reason, "came round 3 times"));
		assert_int_equal(note(guard, calls[n % length], calls[n % length], NULL,
				      n),
				 SPK_LOOP_STOP);
	}
}

static void differing_results(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);

	for (guint i = 0; i < 100; i++) {
		g_autofree char *result = g_strdup_printf("line %u", i);

		assert_int_equal(note(guard, "shell make", result, NULL, i), SPK_LOOP_OK);
	}
}

/* The same test with the same failure after each change is work. */
static void tests_after_changes(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);

	for (guint i = 0; i < 30; i++) {
		g_autofree char *tree = g_strdup_printf("tree %u", i);

		assert_int_equal(note(guard, "file_edit", "edited", tree, 2 * i),
				 SPK_LOOP_OK);
		assert_int_equal(note(guard, "make test", "1 failed", NULL, 2 * i + 1),
				 SPK_LOOP_OK);
	}
}

/* Two changes that take each other back are none. */
static void back_and_forth(void **state)
{
	static const Step steps[] = {
		{ "do", "ok", SPK_LOOP_OK, "B" },   { "undo", "ok", SPK_LOOP_OK, "A" },
		{ "do", "ok", SPK_LOOP_OK, "B" },   { "undo", "ok", SPK_LOOP_OK, "A" },
		{ "do", "ok", SPK_LOOP_OK, "B" },   { "undo", "ok", SPK_LOOP_WARN, "A" },
		{ "do", "ok", SPK_LOOP_STOP, "B" }, { NULL },
	};

	run_steps(12, 2, steps);
}

/* Hundreds of files, each read once; then searches that find nothing, each for another word. */
static void long_exploration(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);

	for (guint i = 0; i < 400; i++) {
		g_autofree char *call = g_strdup_printf("file_read %u", i);
		g_autofree char *fill = g_strnfill(1000, (char)('a' + i % 26));
		g_autofree char *result = g_strdup_printf("%u %s", i, fill);

		assert_int_equal(note(guard, call, result, NULL, i), SPK_LOOP_OK);
	}
	for (guint i = 0; i < 400; i++) {
		g_autofree char *call = g_strdup_printf("file_search %u", i);

		assert_int_equal(note(guard, call, "[no match]", NULL, 400 + i),
				 SPK_LOOP_OK);
	}
}

/* One text by ever new spellings: the word after a window of it, the end half a window on. */
static void nothing_new(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);
	g_autofree char *text = g_strnfill(1000, 'x');

	for (guint i = 0; i <= 18; i++) {
		g_autofree char *call = g_strdup_printf("head -%u file", 5000 + i);
		g_auto(SpkLoopFinding) found = { 0 };
		SpkLoopVerdict verdict = spk_loop_guard_note(
			guard, &(SpkLoopCall){ call, text, NULL, i }, &found);

		assert_int_equal(verdict, i == 12   ? SPK_LOOP_WARN
					  : i == 18 ? SPK_LOOP_STOP
						    : SPK_LOOP_OK);
		if (verdict == SPK_LOOP_OK)
			continue;
		assert_int_equal(found.shape, SPK_LOOP_IDLE);
		assert_non_null(strstr(found.reason, "changed nothing"));
		assert_int_equal(json_array_size(found.evidence), 4);
	}
}

/* After the word a change, or something new: it is forgotten. */
static void word_is_heard(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);
	g_autofree char *text = g_strnfill(1000, 'x');
	guint warned = 0;

	for (guint i = 0; i < 200; i++) {
		g_autofree char *call = g_strdup_printf("read %u", i);
		g_autofree char *tree = g_strdup_printf("tree %u", i);
		SpkLoopVerdict verdict =
			note(guard, call, text, i % 14 == 13 ? tree : NULL, i);

		assert_int_not_equal(verdict, SPK_LOOP_STOP);
		warned += verdict == SPK_LOOP_WARN;
	}
	assert_true(warned > 5);
}

/* Calls of one answer were all made before the word. */
static void one_answer_is_told_once(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 2);

	for (guint i = 0; i < 2; i++) {
		assert_int_equal(note(guard, "a", "r", NULL, i), SPK_LOOP_OK);
		assert_int_equal(note(guard, "b", "r", NULL, i), SPK_LOOP_OK);
	}
	assert_int_equal(note(guard, "a", "r", NULL, 2), SPK_LOOP_WARN);
	assert_int_equal(note(guard, "b", "r", NULL, 2), SPK_LOOP_OK);
	assert_int_equal(note(guard, "b", "r", NULL, 3), SPK_LOOP_STOP);
}

/* Evidence is short, clean and of one line, whatever a command printed. */
static void evidence_is_clean(void **state)
{
	g_autoptr(SpkLoopGuard) guard = spk_loop_guard_new(12, 1);
	g_auto(SpkLoopFinding) found = { 0 };
	g_autofree char *fill = g_strnfill(100000, 'y');
	g_autofree char *result = g_strconcat("\x1b[2Jone\ntwo\xff", fill, NULL);
	g_autofree char *text = NULL;

	assert_int_equal(note(guard, result, result, NULL, 0), SPK_LOOP_OK);
	assert_int_equal(spk_loop_guard_note(guard,
					     &(SpkLoopCall){ result, result, NULL, 1 },
					     &found),
			 SPK_LOOP_WARN);
	text = json_dumps(found.evidence, JSON_ENSURE_ASCII);
	assert_true(strlen(text) < 600 && strlen(found.reason) < 400);
	assert_non_null(strstr(text, "one two"));
	assert_null(strstr(text, "\\u001b"));
	assert_null(strchr(found.reason, '\x1b'));
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
	cmocka_unit_test(circles),
	cmocka_unit_test(differing_results),
	cmocka_unit_test(tests_after_changes),
	cmocka_unit_test(back_and_forth),
	cmocka_unit_test(long_exploration),
	cmocka_unit_test(nothing_new),
	cmocka_unit_test(word_is_heard),
	cmocka_unit_test(one_answer_is_told_once),
	cmocka_unit_test(evidence_is_clean),
	cmocka_unit_test(forgets_what_left_the_window),
	cmocka_unit_test(call_and_result_do_not_run_together),
	cmocka_unit_test(silly_sizes_are_clamped),
};
SUITE(loop_suite, tests);
