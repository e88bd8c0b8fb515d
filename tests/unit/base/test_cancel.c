#include "test_base.h"

#include <poll.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"

static gboolean readable(SpkCancel *cancel)
{
	struct pollfd one = { .fd = spk_cancel_fd(cancel), .events = POLLIN };

	return poll(&one, 1, 0) == 1 && (one.revents & POLLIN);
}

static void null_is_never_cancelled(void **state)
{
	g_autoptr(GError) error = NULL;

	spk_cancel_fire(NULL, "why");
	assert_false(spk_cancel_is_fired(NULL));
	assert_true(spk_cancel_check(NULL, &error));
	assert_null(error);
	assert_int_equal(spk_cancel_fd(NULL), -1);
	assert_int_equal(spk_cancel_left_ms(NULL, 250), 250);
	assert_int_equal(spk_cancel_left_ms(NULL, -1), -1);
	assert_null(spk_cancel_ref(NULL));
	spk_cancel_unref(NULL);
}

static void firing_tells_everybody_once(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;

	assert_true(spk_cancel_check(cancel, &error));
	assert_false(readable(cancel));
	spk_cancel_fire(cancel, "stopped by the user");
	spk_cancel_fire(cancel, "too late");
	assert_true(spk_cancel_is_fired(cancel));
	assert_true(readable(cancel));
	assert_true(readable(cancel)); /* for good */
	assert_false(spk_cancel_check(cancel, &error));
	assert_string_equal(error->message, "stopped by the user");
	expect_error(&error, SPK_ERR_CANCELLED);
}

static void fired_without_a_reason(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;

	spk_cancel_fire(cancel, NULL);
	assert_false(spk_cancel_check(cancel, &error));
	expect_error(&error, SPK_ERR_CANCELLED);
}

static void children_fire_with_their_parent(void **state)
{
	g_autoptr(SpkCancel) parent = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) child = spk_cancel_new(parent);
	g_autoptr(SpkCancel) grandchild = spk_cancel_new(child);
	g_autoptr(SpkCancel) sibling = spk_cancel_new(parent);
	g_autoptr(SpkCancel) late = NULL;
	g_autoptr(GError) error = NULL;

	spk_cancel_fire(sibling, "only the sibling");
	assert_false(spk_cancel_is_fired(parent));
	assert_false(spk_cancel_is_fired(child));
	spk_cancel_fire(parent, "all");
	assert_true(readable(child));
	assert_true(readable(grandchild));
	assert_false(spk_cancel_check(grandchild, &error));
	assert_string_equal(error->message, "all");
	g_clear_error(&error);
	assert_false(spk_cancel_check(sibling, &error));
	assert_string_equal(error->message, "only the sibling");
	late = spk_cancel_new(parent);
	assert_true(spk_cancel_is_fired(late));
	assert_true(readable(late));
}

static void a_child_may_outlive_its_parent(void **state)
{
	SpkCancel *parent = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) child = spk_cancel_new(parent);

	spk_cancel_unref(spk_cancel_new(parent)); /* and one that goes before it */
	spk_cancel_fire(parent, "x");
	spk_cancel_unref(parent);
	assert_true(spk_cancel_is_fired(child));
}

/* ---- deadlines, on a clock that stands still ---- */

static gint64 mono;

static gint64 fake_mono(void)
{
	return mono;
}

static void fake_sleep(gint64 us, int wake_fd)
{
	mono += us;
}

static int stop_clock(void **state)
{
	static SpkClock clock;

	clock = *spk_clock_system();
	clock.mono_us = fake_mono;
	clock.sleep_us = fake_sleep;
	mono = 0;
	spk_clock_use(&clock);
	return 0;
}

static int start_clock(void **state)
{
	spk_clock_use(NULL);
	return 0;
}

static void deadline_passes(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;

	assert_int_equal(spk_cancel_left_ms(cancel, -1), -1);
	spk_cancel_set_deadline(cancel, 100);
	assert_int_equal(spk_cancel_left_ms(cancel, -1), 100);
	assert_int_equal(spk_cancel_left_ms(cancel, 30), 30);
	mono = 99500;
	assert_int_equal(spk_cancel_left_ms(cancel, -1),
			 1); /* never 0 before it passed */
	assert_true(spk_cancel_check(cancel, &error));
	mono = 100000;
	assert_int_equal(spk_cancel_left_ms(cancel, -1), 0);
	assert_false(spk_cancel_check(cancel, &error));
	expect_error(&error, SPK_ERR_TIMEOUT);
	assert_false(spk_cancel_is_fired(cancel));
	assert_false(readable(cancel));
	mono = 10 * G_USEC_PER_SEC;
	assert_int_equal(spk_cancel_left_ms(cancel, 30), 0);
	spk_cancel_fire(cancel, "cancelled after all");
	assert_false(spk_cancel_check(cancel, &error));
	expect_error(&error, SPK_ERR_CANCELLED);
}

static void deadline_only_gets_nearer(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);

	spk_cancel_set_deadline(cancel, 100);
	spk_cancel_set_deadline(cancel, 500);
	assert_int_equal(spk_cancel_left_ms(cancel, -1), 100);
	spk_cancel_set_deadline(cancel, 40);
	assert_int_equal(spk_cancel_left_ms(cancel, -1), 40);
}

static void deadlines_at_the_edges(void **state)
{
	g_autoptr(SpkCancel) now = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) past = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) never = spk_cancel_new(NULL);

	spk_cancel_set_deadline(now, 0); /* the clock stands at 0 too */
	assert_false(spk_cancel_check(now, NULL));
	spk_cancel_set_deadline(past, G_MININT64);
	assert_false(spk_cancel_check(past, NULL));
	spk_cancel_set_deadline(never, G_MAXINT64);
	assert_true(spk_cancel_check(never, NULL));
	assert_int_equal(spk_cancel_left_ms(never, 7), 7);
	assert_true(spk_cancel_left_ms(never, -1) > 1000);
}

static void deadline_of_the_parent_counts(void **state)
{
	g_autoptr(SpkCancel) parent = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) child = spk_cancel_new(parent);
	g_autoptr(GError) error = NULL;

	spk_cancel_set_deadline(child, 200);
	spk_cancel_set_deadline(parent, 50);
	assert_int_equal(spk_cancel_left_ms(child, -1), 50);
	mono = 60000;
	assert_false(spk_cancel_check(child, &error));
	expect_error(&error, SPK_ERR_TIMEOUT);
}

static void sleep_ends_at_the_deadline(void **state)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);

	spk_sleep_ms(30, NULL);
	assert_int_equal(mono, 30000);
	spk_cancel_set_deadline(cancel, 20);
	spk_sleep_ms(-5, cancel);
	assert_int_equal(mono, 30000);
	spk_sleep_ms(1000, cancel);
	assert_int_equal(mono, 50000);
	spk_cancel_fire(cancel, "x");
	spk_sleep_ms(1000, cancel);
	assert_int_equal(mono, 50000);
}

/* ---- threads ---- */

static gpointer sleep_long(gpointer cancel)
{
	spk_sleep_ms(60000, cancel);
	return GINT_TO_POINTER(spk_cancel_is_fired(cancel));
}

static void firing_wakes_sleepers(void **state)
{
	g_autoptr(SpkCancel) parent = spk_cancel_new(NULL);
	g_autoptr(SpkCancel) child = spk_cancel_new(parent);
	GThread *threads[16];
	gint64 before;

	for (int i = 0; i < 16; i++)
		threads[i] = g_thread_new("sleeper", sleep_long, i % 2 ? child : parent);
	spk_sleep_ms(20, NULL);
	before = spk_mono_us();
	spk_cancel_fire(parent, "wake up");
	for (int i = 0; i < 16; i++)
		assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
	assert_true(spk_mono_us() - before < 20 * G_USEC_PER_SEC);
}

/* Children come, live and go while the parent fires. TRUE: one that was made after the
 * firing did not hear of it. */
static gpointer make_children(gpointer parent)
{
	gboolean missed = FALSE;

	for (int i = 0; i < 300; i++) {
		gboolean fired = spk_cancel_is_fired(parent);
		g_autoptr(SpkCancel) child = spk_cancel_new(parent);
		g_autoptr(SpkCancel) below = spk_cancel_new(child);

		spk_cancel_set_deadline(below, 60000);
		(void)spk_cancel_left_ms(below, 10);
		missed |= fired && !spk_cancel_is_fired(below);
	}
	return GINT_TO_POINTER(missed);
}

static gpointer fire(gpointer cancel)
{
	spk_cancel_fire(cancel, "by one of many");
	return NULL;
}

static void children_race_with_firing(void **state)
{
	for (int round = 0; round < 10; round++) {
		g_autoptr(SpkCancel) parent = spk_cancel_new(NULL);
		g_autoptr(SpkCancel) last = spk_cancel_new(parent);
		GThread *makers[6], *firers[2];

		for (int i = 0; i < 6; i++)
			makers[i] = g_thread_new("maker", make_children, parent);
		for (int i = 0; i < 2; i++)
			firers[i] = g_thread_new("firer", fire, parent);
		for (int i = 0; i < 2; i++)
			g_thread_join(firers[i]);
		for (int i = 0; i < 6; i++)
			assert_false(GPOINTER_TO_INT(g_thread_join(makers[i])));
		assert_true(spk_cancel_is_fired(last));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(null_is_never_cancelled),
	cmocka_unit_test(firing_tells_everybody_once),
	cmocka_unit_test(fired_without_a_reason),
	cmocka_unit_test(children_fire_with_their_parent),
	cmocka_unit_test(a_child_may_outlive_its_parent),
	cmocka_unit_test_setup_teardown(deadline_passes, stop_clock, start_clock),
	cmocka_unit_test_setup_teardown(deadline_only_gets_nearer, stop_clock,
					start_clock),
	cmocka_unit_test_setup_teardown(deadlines_at_the_edges, stop_clock, start_clock),
	cmocka_unit_test_setup_teardown(deadline_of_the_parent_counts, stop_clock,
					start_clock),
	cmocka_unit_test_setup_teardown(sleep_ends_at_the_deadline, stop_clock,
					start_clock),
	cmocka_unit_test(firing_wakes_sleepers),
	cmocka_unit_test(children_race_with_firing),
};

SUITE(cancel_suite, tests);
