/* The plan's reader: well-formed plans step by step, damaged ones refused as a whole. */
#include "suites.h"

#include <string.h>

#include "box/helper/plan_parse.h"

#define PLAN(text) (SPK_PLAN_MAGIC "\0" text), sizeof(SPK_PLAN_MAGIC "\0" text) - 1

static void reads_steps_in_order(void **state)
{
	static const char plan[] = SPK_PLAN_MAGIC
		"\0bind-ro\0/usr\0/u\0seal\0arg\0\0exec";
	SpkPlanReader reader;
	SpkPlanStep step;

	assert_int_equal(spk_plan_open(&reader, plan, sizeof(plan)), 0);
	assert_int_equal(spk_plan_next(&reader, &step), 1);
	assert_int_equal(step.op, SPK_PLAN_BIND_RO);
	assert_string_equal(step.arg[0], "/usr");
	assert_string_equal(step.arg[1], "/u");
	assert_int_equal(spk_plan_next(&reader, &step), 1);
	assert_int_equal(step.op, SPK_PLAN_SEAL);
	assert_null(step.arg[0]);
	assert_int_equal(spk_plan_next(&reader, &step), 1);
	assert_string_equal(step.arg[0], ""); /* an empty argument is one */
	assert_int_equal(spk_plan_next(&reader, &step), 1);
	assert_int_equal(step.op, SPK_PLAN_EXEC);
	assert_int_equal(spk_plan_next(&reader, &step), 0);
	assert_int_equal(spk_plan_check(plan, sizeof(plan)), 0);
}

static void refuses_damaged_plans(void **state)
{
	assert_int_equal(spk_plan_check("", 0), -1);
	assert_int_equal(spk_plan_check("sparks-plan 2\0exec\0", 19), -1);
	assert_int_equal(spk_plan_check(PLAN("")), -1);
	assert_int_equal(spk_plan_check(PLAN("seal\0")), -1);	    /* no exec */
	assert_int_equal(spk_plan_check(PLAN("exec")), -1);	    /* no NUL */
	assert_int_equal(spk_plan_check(PLAN("exec\0seal\0")), -1); /* not last */
	assert_int_equal(spk_plan_check(PLAN("exec\0exec\0")), -1);
	assert_int_equal(spk_plan_check(PLAN("bind-ro\0/usr\0exec\0")), -1);
	assert_int_equal(spk_plan_check(PLAN("Exec\0")), -1);
	assert_int_equal(spk_plan_check(PLAN("exec\0")), 0);
}

static void bounds_the_size(void **state)
{
	g_autoptr(GString)
		plan = g_string_new_len(SPK_PLAN_MAGIC, sizeof(SPK_PLAN_MAGIC));
	g_autofree char *big = g_strnfill(SPK_PLAN_MAX_BYTES, 'x');

	for (int i = 0; i < SPK_PLAN_MAX_STEPS; i++)
		g_string_append_len(plan, "seal", 5);
	g_string_append_len(plan, "exec", 5);
	assert_int_equal(spk_plan_check(plan->str, plan->len), -1);
	g_string_assign(plan, "");
	g_string_append_len(plan, SPK_PLAN_MAGIC "\0arg", sizeof(SPK_PLAN_MAGIC "\0arg"));
	g_string_append(plan, big);
	g_string_append_len(plan, "\0exec", 6);
	assert_int_equal(spk_plan_check(plan->str, plan->len), -1);
}

static void reads_numbers(void **state)
{
	assert_int_equal(spk_plan_number("0", 10, 10), 0);
	assert_int_equal(spk_plan_number("10", 10, 10), 10);
	assert_int_equal(spk_plan_number("11", 10, 10), -1);
	assert_int_equal(spk_plan_number("1777", 8, 07777), 01777);
	assert_int_equal(spk_plan_number("8", 8, 07777), -1);
	assert_int_equal(spk_plan_number("", 10, 10), -1);
	assert_int_equal(spk_plan_number("-1", 10, 10), -1);
	assert_int_equal(spk_plan_number(" 1", 10, 10), -1);
	assert_true(spk_plan_number("9223372036854775807", 10, G_MAXINT64) == G_MAXINT64);
	assert_int_equal(spk_plan_number("9223372036854775808", 10, G_MAXINT64), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(reads_steps_in_order),
	cmocka_unit_test(refuses_damaged_plans),
	cmocka_unit_test(bounds_the_size),
	cmocka_unit_test(reads_numbers),
};
SUITE(plan_suite, tests);
