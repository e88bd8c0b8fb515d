#include "test_store.h"

#define TASK "aaaa00000001"

static void add(SpkStore *store, const SpkLease *lease, const char *phase, gint64 round,
		int exit_code)
{
	SpkEvidence evidence = {
		.phase = (char *)phase,
		.command = (char *)"make check && echo 'ü'",
		.exit_code = exit_code,
		.output_sha256 = (char *)"0123",
		.output_tail = (char *)"1 failed\n",
		.tree = (char *)"feed",
		.seconds = 0.5,
		.round = round,
	};

	assert_ok(spk_evidence_add(store, lease->task, lease->token, &evidence, ERR));
	clock_add_ms(1);
}

static void test_list_in_order(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GPtrArray) list = NULL;
	SpkEvidence *first, *last;

	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	add(f->store, lease, "before", 0, 2);
	add(f->store, lease, "after", 0, 1);
	add(f->store, lease, "after", 1, 0);
	list = spk_evidence_list(f->store, TASK, NULL);
	assert_int_equal(list->len, 3);
	first = list->pdata[0];
	last = list->pdata[2];
	assert_string_equal(first->phase, "before");
	assert_string_equal(first->command, "make check && echo 'ü'");
	assert_int_equal(first->exit_code, 2);
	assert_string_equal(first->output_sha256, "0123");
	assert_string_equal(first->output_tail, "1 failed\n");
	assert_string_equal(first->tree, "feed");
	assert_true(first->seconds == 0.5);
	assert_true(first->created_us > 0);
	assert_int_equal(last->round, 1);
	assert_int_equal(last->exit_code, 0);
}

static void test_again_replaces(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GPtrArray) list = NULL;

	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	add(f->store, lease, "before", 0, 2);
	add(f->store, lease, "before", 0, 0);
	list = spk_evidence_list(f->store, TASK, NULL);
	assert_int_equal(list->len, 1);
	assert_int_equal(((SpkEvidence *)list->pdata[0])->exit_code, 0);
}

static void test_none(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) list = spk_evidence_list(f->store, TASK, NULL);

	assert_non_null(list);
	assert_int_equal(list->len, 0);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_list_in_order),
	STORE_TEST(test_again_replaces),
	STORE_TEST(test_none),
};
const Suite evidence_suite = { tests, G_N_ELEMENTS(tests) };
