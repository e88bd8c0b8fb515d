#include "test_guard.h"

#include "base/json.h"
#include "guard/decision.h"

static void names(void **state)
{
	SpkLawVerdict verdict;
	SpkRisk risk;
	SpkTaint taint;

	(void)state;
	assert_string_equal(spk_law_name(SPK_LAW_ASK), "ask");
	assert_string_equal(spk_does_name(SPK_DOES_APPLY_RISKY), "apply_risky");
	assert_string_equal(spk_does_name(SPK_N_DOES), "?");
	assert_true(spk_law_parse("deny", &verdict) && verdict == SPK_LAW_DENY);
	assert_true(spk_risk_parse("medium", &risk) && risk == SPK_RISK_MEDIUM);
	/* what can't be read is taken for the worst */
	assert_false(spk_law_parse("Allow", &verdict));
	assert_int_equal(verdict, SPK_LAW_DENY);
	assert_false(spk_risk_parse(NULL, &risk));
	assert_int_equal(risk, SPK_RISK_HIGH);
	assert_false(spk_taint_parse("", &taint));
	assert_int_equal(taint, SPK_TAINT_OUTSIDE);
}

/* The strictest wins, in whatever order they come. */
static void strictest_wins(void **state)
{
	g_auto(SpkDecision) all = { 0 }, one = { 0 };

	(void)state;
	spk_decision_set(&one, SPK_LAW_ALLOW, SPK_RISK_HIGH, "a", NULL, "fine", NULL);
	spk_decision_join(&all, &one);
	assert_null(one.rule);
	assert_string_equal(all.rule, "a");
	spk_decision_set(&one, SPK_LAW_ASK, SPK_RISK_LOW, "b", "rm", "why", NULL);
	spk_decision_join(&all, &one);
	assert_string_equal(all.rule, "b");
	spk_decision_set(&one, SPK_LAW_ASK, SPK_RISK_MEDIUM, "c", NULL, "why", NULL);
	spk_decision_join(&all, &one);
	assert_string_equal(all.rule, "c");
	spk_decision_set(&one, SPK_LAW_DENY, SPK_RISK_LOW, "d", NULL, "no", "ask");
	spk_decision_join(&all, &one);
	spk_decision_set(&one, SPK_LAW_ALLOW, SPK_RISK_HIGH, "e", NULL, "fine", NULL);
	spk_decision_join(&all, &one);
	assert_string_equal(all.rule, "d");
	assert_null(one.rule);
}

static void through_json(void **state)
{
	g_auto(SpkDecision) made = { 0 }, back = { 0 };
	g_autoptr(json_t) json = NULL, none = json_pack("{s:s}", "verdict", "maybe");

	(void)state;
	spk_decision_set(&made, SPK_LAW_ASK, SPK_RISK_HIGH, "taint.egress", "example.org",
			 "it has read a web page", NULL);
	json = spk_decision_to_json(&made);
	assert_true(spk_decision_from_json(json, &back));
	assert_int_equal(back.verdict, SPK_LAW_ASK);
	assert_int_equal(back.risk, SPK_RISK_HIGH);
	assert_string_equal(back.rule, "taint.egress");
	assert_string_equal(back.what, "example.org");
	assert_string_equal(back.why, "it has read a web page");
	assert_null(back.hint);
	assert_false(spk_decision_from_json(none, &back));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names),
	cmocka_unit_test(strictest_wins),
	cmocka_unit_test(through_json),
};

SUITE(decision_suite, tests);
