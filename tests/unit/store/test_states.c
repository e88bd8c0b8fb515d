#include "test_store.h"

static void test_names_round_trip(void **state)
{
	for (int i = 0; i < SPK_N_STATES; i++) {
		SpkState parsed;

		assert_true(spk_state_parse(spk_state_name((SpkState)i), &parsed));
		assert_int_equal(parsed, i);
	}
	for (int i = 0; i < SPK_N_VERDICTS; i++) {
		SpkVerdict parsed;

		assert_true(spk_verdict_parse(spk_verdict_name((SpkVerdict)i), &parsed));
		assert_int_equal(parsed, i);
	}
}

static void test_unknown_names(void **state)
{
	SpkState status = SPK_STATE_DONE;
	SpkVerdict verdict = SPK_VERDICT_REVIEW;

	assert_false(spk_state_parse("Done", &status));
	assert_false(spk_state_parse("", &status));
	assert_false(spk_verdict_parse("great", &verdict));
	assert_int_equal(status, SPK_STATE_DONE);
	assert_int_equal(verdict, SPK_VERDICT_REVIEW);
}

static void test_terminal_states_end(void **state)
{
	for (int from = 0; from < SPK_N_STATES; from++) {
		gboolean leads_on = FALSE;

		for (int to = 0; to < SPK_N_STATES; to++)
			leads_on |= spk_state_may_follow((SpkState)from, (SpkState)to);
		assert_int_equal(leads_on, !spk_state_is_terminal((SpkState)from));
	}
}

static void test_some_moves(void **state)
{
	assert_true(spk_state_may_follow(SPK_STATE_QUEUED, SPK_STATE_SCANNED));
	assert_true(spk_state_may_follow(SPK_STATE_VERIFYING, SPK_STATE_RUNNING));
	assert_true(spk_state_may_follow(SPK_STATE_RUNNING, SPK_STATE_ROLLED_BACK));
	assert_false(spk_state_may_follow(SPK_STATE_QUEUED, SPK_STATE_DONE));
	assert_false(spk_state_may_follow(SPK_STATE_RUNNING, SPK_STATE_DONE));
	assert_false(spk_state_may_follow(SPK_STATE_QUEUED, SPK_STATE_QUEUED));
}

static void test_expand(void **state)
{
	g_autofree char *sql = spk_dialect_expand(
		spk_dialect_sqlite,
		"a {key} CHECK (s IN ({states}), v IN ({verdicts})){clustered}");

	assert_string_equal(
		sql,
		"a TEXT CHECK (s IN ('queued', 'scanned', 'routed', 'running', 'waiting', "
		"'paused', 'verifying', 'done', 'failed', 'rolled_back', 'cancelled'), v IN "
		"('', 'verified', 'regression_only', 'review', 'unverified', 'failed')) "
		"WITHOUT ROWID");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_names_round_trip),
	cmocka_unit_test(test_unknown_names),
	cmocka_unit_test(test_terminal_states_end),
	cmocka_unit_test(test_some_moves),
	cmocka_unit_test(test_expand),
};
const Suite states_suite = { tests, G_N_ELEMENTS(tests) };
