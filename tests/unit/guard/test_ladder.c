#include "test_guard.h"

#include <string.h>

#include "guard/ladder.h"
#include "guard/taint.h"

static void levels_have_names_and_numbers(void **state)
{
	g_autofree char *hint = spk_level_hint("deliverr");
	SpkLevel level;

	(void)state;
	assert_true(spk_level_parse("propose", &level) && level == SPK_LEVEL_PROPOSE);
	assert_true(spk_level_parse("4", &level) && level == SPK_LEVEL_AUTONOMOUS);
	/* what can't be read is the least */
	assert_false(spk_level_parse("5", &level));
	assert_int_equal(level, SPK_LEVEL_OBSERVE);
	assert_false(spk_level_parse("33", &level));
	assert_false(spk_level_parse("", &level));
	assert_false(spk_level_parse(NULL, &level));
	assert_non_null(strstr(hint, "deliver"));
	assert_non_null(strstr(hint, "did you mean"));
}

/* A higher level never has less, more risk never gets more. */
static void ladder_only_climbs(void **state)
{
	(void)state;
	for (guint does = 0; does < SPK_N_DOES; does++)
		for (guint level = 0; level < SPK_N_LEVELS; level++)
			for (guint risk = 0; risk < SPK_N_RISKS; risk++) {
				SpkLawVerdict here =
					spk_ladder_verdict(level, does, risk);

				if (level)
					assert_true(here <= spk_ladder_verdict(level - 1,
									       does,
									       risk));
				if (risk)
					assert_true(here >= spk_ladder_verdict(level,
									       does,
									       risk - 1));
			}
	/* what is out of the table is never done */
	assert_int_equal(spk_ladder_verdict(SPK_N_LEVELS, 0, 0), SPK_LAW_DENY);
	assert_int_equal(spk_ladder_verdict(4, SPK_N_DOES, 0), SPK_LAW_DENY);
	assert_int_equal(spk_ladder_verdict(4, 0, SPK_N_RISKS), SPK_LAW_DENY);
}

static void assert_level(SpkLevel level, SpkDoesSet does, SpkLawVerdict verdict,
			 const char *rule)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_ladder_judge(level, does, SPK_RISK_LOW, &decision);
	assert_int_equal(decision.verdict, verdict);
	assert_string_equal(decision.rule, rule);
	assert_non_null(decision.why);
}

/* interface.md, Law. */
static void what_is_pinned(void **state)
{
	(void)state;
	assert_level(SPK_LEVEL_OBSERVE, 0, SPK_LAW_ALLOW, "level.observe");
	assert_level(SPK_LEVEL_OBSERVE, SPK_DOES(EDIT), SPK_LAW_DENY,
		     "level.observe.edit");
	assert_level(SPK_LEVEL_PROPOSE, SPK_DOES(EDIT), SPK_LAW_ALLOW,
		     "level.propose.edit");
	assert_level(SPK_LEVEL_PROPOSE, SPK_DOES(COMMAND), SPK_LAW_DENY,
		     "level.propose.command");
	assert_level(SPK_LEVEL_ASSIST, SPK_DOES(COMMAND), SPK_LAW_ALLOW,
		     "level.assist.command");
	assert_level(SPK_LEVEL_ASSIST, SPK_DOES(COMMAND) | SPK_DOES(SENSITIVE),
		     SPK_LAW_ASK, "level.assist.sensitive");
	assert_level(SPK_LEVEL_ASSIST, SPK_DOES(COMMIT), SPK_LAW_DENY,
		     "level.assist.commit");
	assert_level(SPK_LEVEL_DELIVER, SPK_DOES(COMMIT), SPK_LAW_ALLOW,
		     "level.deliver.commit");
	assert_level(SPK_LEVEL_DELIVER, SPK_DOES(COMMAND) | SPK_DOES(EGRESS), SPK_LAW_ASK,
		     "level.deliver.egress");
	assert_level(SPK_LEVEL_DELIVER, SPK_DOES(PUSH), SPK_LAW_ASK,
		     "level.deliver.push");
	assert_level(SPK_LEVEL_DELIVER, SPK_DOES(SECRET), SPK_LAW_ASK,
		     "level.deliver.secret");
	assert_level(SPK_LEVEL_DELIVER, SPK_DOES(APPLY), SPK_LAW_ASK,
		     "level.deliver.apply");
	for (guint does = 0; does < SPK_N_DOES; does++)
		assert_int_equal(spk_ladder_verdict(SPK_LEVEL_AUTONOMOUS, does,
						    SPK_RISK_HIGH),
				 SPK_LAW_ALLOW);
}

static void taint_only_rises(void **state)
{
	g_auto(SpkTaintMark) mark = { 0 };
	g_auto(SpkDecision) decision = { 0 };

	(void)state;
	assert_false(spk_taint_judge(&mark, ~0u, &decision));
	assert_true(spk_taint_raise(&mark, SPK_TAINT_REPOSITORY, "file_read README.md"));
	assert_false(spk_taint_raise(&mark, SPK_TAINT_REPOSITORY, "shell ls"));
	assert_false(spk_taint_raise(&mark, SPK_TAINT_OPERATOR, "nobody"));
	assert_string_equal(mark.source, "file_read README.md");
	assert_false(spk_taint_judge(&mark,
				     SPK_DOES(EDIT) | SPK_DOES(COMMAND) |
					     SPK_DOES(APPLY) | SPK_DOES(COMMIT),
				     &decision));
	assert_true(
		spk_taint_judge(&mark, SPK_DOES(COMMAND) | SPK_DOES(PUSH), &decision));
	assert_int_equal(decision.verdict, SPK_LAW_ASK);
	assert_string_equal(decision.rule, "taint.push");
	assert_non_null(strstr(decision.why, "file_read README.md"));
	assert_true(spk_taint_raise(&mark, SPK_TAINT_OUTSIDE, "network example.com"));
	assert_true(spk_taint_judge(&mark, SPK_DOES(APPLY), &decision));
	assert_string_equal(decision.rule, "taint.apply");
	assert_false(spk_taint_judge(
		&mark, SPK_DOES(EDIT) | SPK_DOES(COMMAND) | SPK_DOES(SENSITIVE),
		&decision));
	/* each taint asks for all that the one before it asks for */
	for (guint i = 1; i < SPK_N_TAINTS; i++)
		assert_int_equal(spk_taint_asks(i - 1) & ~spk_taint_asks(i), 0);
}

/* Between these lines of docs/law.md stands `table`; SPARKS_GOLDEN=write puts it there. */
static void assert_between(const char *name, const char *table)
{
	g_autofree char *begin = g_strdup_printf("<!-- %s: begin -->\n", name);
	g_autofree char *end = g_strdup_printf("<!-- %s: end -->", name);
	g_autofree char *page = NULL, *is = NULL, *made = NULL;
	const char *from, *to;

	assert_true(g_file_get_contents(LAW_PAGE, &page, NULL, NULL));
	from = strstr(page, begin);
	assert_non_null(from);
	from += strlen(begin);
	to = strstr(from, end);
	assert_non_null(to);
	is = g_strndup(from, (gsize)(to - from));
	made = g_strdup_printf("%.*s%s%s", (int)(from - page), page, table, to);
	if (!g_strcmp0(g_getenv("SPARKS_GOLDEN"), "write"))
		assert_true(g_file_set_contents(LAW_PAGE, made, -1, NULL));
	else if (strcmp(is, table) != 0)
		fail_msg("docs/law.md differs from the table `%s` (SPARKS_GOLDEN=write "
			 "of this test makes it anew)",
			 name);
}

static void page_is_the_table(void **state)
{
	g_autofree char *ladder = spk_ladder_page(), *taint = spk_taint_page();

	(void)state;
	assert_between("ladder", ladder);
	assert_between("taint", taint);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(levels_have_names_and_numbers),
	cmocka_unit_test(ladder_only_climbs),
	cmocka_unit_test(what_is_pinned),
	cmocka_unit_test(taint_only_rises),
	cmocka_unit_test(page_is_the_table),
};
SUITE(ladder_suite, tests);
