#include "test_store.h"

#include "store/knobs.h"

/* "name=value" of all rows that hold, a "!" behind those that are kept. */
static char *rows_of(SpkStore *store)
{
	g_autoptr(GPtrArray) rows = spk_knob_rows(store, NULL);
	GString *text = g_string_new(NULL);

	assert_non_null(rows);
	for (guint i = 0; i < rows->len; i++) {
		const SpkKnobRow *row = rows->pdata[i];

		g_string_append_printf(text, "%s=%s%s ", row->name, row->value,
				       row->kept ? "!" : "");
	}
	return g_string_free(text, FALSE);
}

static void assert_rows(SpkStore *store, const char *want)
{
	g_autofree char *rows = rows_of(store);

	assert_string_equal(rows, want);
}

static void test_of_a_daemon_before_what_is_kept(void **state)
{
	Fixture *f = *state;
	const char *me = spk_holder_self();
	gboolean was;

	assert_ok(spk_knob_put(f->store, "b", "1", NULL, ERR));
	assert_ok(spk_knob_put(f->store, "b", "2", me, ERR));
	assert_ok(spk_knob_put(f->store, "a", "3", me, ERR));
	assert_rows(f->store, "b=1! "); /* nobody runs */
	assert_ok(spk_worker_register(f->store, me, ERR));
	assert_rows(f->store, "a=3 b=2 ");
	assert_ok(spk_knob_put(f->store, "b", "4", NULL, ERR));
	assert_rows(f->store, "a=3 b=4! ");
	assert_ok(spk_knob_drop(f->store, "b", &was, ERR));
	assert_true(was);
	assert_ok(spk_knob_drop(f->store, "b", &was, ERR));
	assert_false(was);
	assert_ok(spk_worker_unregister(f->store, me, ERR));
	assert_rows(f->store, "");
}

static void test_of_a_daemon_that_is_gone(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = dead_holder();

	assert_ok(spk_worker_register(f->store, gone, ERR));
	assert_ok(spk_knob_put(f->store, "a", "1", gone, ERR));
	assert_rows(f->store, "");
	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	assert_rows(f->store, "");
	/* set again it is of the daemon that runs now */
	assert_ok(spk_knob_put(f->store, "a", "2", spk_holder_self(), ERR));
	assert_rows(f->store, "a=2 ");
}

static void test_changes_are_events(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) events = NULL, none = NULL;
	const SpkEvent *event;
	gboolean was;

	assert_ok(spk_knob_put(f->store, "a", "1", NULL, ERR));
	assert_ok(spk_knob_drop(f->store, "a", &was, ERR));
	assert_ok(spk_knob_drop(f->store, "a", &was, ERR)); /* changes nothing */
	events = spk_event_list(f->store, "KnobChange", 10, NULL);
	none = spk_event_list(f->store, "Startup", 10, NULL);
	assert_int_equal(none->len, 0);
	assert_int_equal(events->len, 2);
	event = events->pdata[1];
	assert_int_equal(event->seq, 1);
	assert_string_equal(event->message, "a = 1, kept");
	assert_string_equal(json_string_value(json_object_get(event->details, "knob")),
			    "a");
	event = events->pdata[0];
	assert_string_equal(event->message, "a is as configured");
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_of_a_daemon_before_what_is_kept),
	STORE_TEST(test_of_a_daemon_that_is_gone),
	STORE_TEST(test_changes_are_events),
};
const Suite knobs_suite = { tests, G_N_ELEMENTS(tests) };
