/* The plan parser of sparks-box: every step it yields lies inside the plan's bytes. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "box/helper/plan_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_argument(const char *text, const char *start, const char *end)
{
	if (!text)
		return;
	g_assert(text >= start && text < end);
	g_assert(memchr(text, '\0', end - text));
	(void)spk_plan_number(text, 8, 07777); /* must not overflow; its value is free */
	(void)spk_plan_number(text, 10, G_MAXINT64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	SpkPlanReader reader;
	SpkPlanStep step = { 0 };
	SpkPlanOp last = SPK_N_PLAN_OPS;
	int more;

	if (spk_plan_open(&reader, bytes, size) < 0) {
		g_assert(spk_plan_check(bytes, size) < 0);
		return 0;
	}
	while ((more = spk_plan_next(&reader, &step)) > 0) {
		g_assert(step.op < SPK_N_PLAN_OPS);
		for (int i = 0; i < SPK_PLAN_MAX_ARGS; i++)
			check_argument(step.arg[i], bytes, bytes + size);
		last = step.op;
	}
	if (spk_plan_check(bytes, size) == 0)
		g_assert(more == 0 && last == SPK_PLAN_EXEC);
	return 0;
}
