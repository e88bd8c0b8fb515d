/* Reads a plan step by step, without allocating: arguments point into the plan's bytes. */
#ifndef SPK_BOX_HELPER_PLAN_PARSE_H
#define SPK_BOX_HELPER_PLAN_PARSE_H

#include "box/box_plan.h"

typedef struct {
	const char *at, *end;
	unsigned steps;
} SpkPlanReader;

typedef struct {
	SpkPlanOp op;
	const char *arg[SPK_PLAN_MAX_ARGS];
} SpkPlanStep;

/* 0, or -1 when the bytes aren't a plan of our version. */
int spk_plan_open(SpkPlanReader *reader, const char *bytes, size_t len);
/* 1 and *ret_step, 0 at the end, -1 when damaged. */
int spk_plan_next(SpkPlanReader *reader, SpkPlanStep *ret_step);
/* 0 when every step is well-formed and the last one, and only that, is `exec`. */
int spk_plan_check(const char *bytes, size_t len);

const char *spk_plan_op_name(SpkPlanOp op);
/* The whole of text as a number in base 8 or 10; -1 when it isn't one or is past max. */
long long spk_plan_number(const char *text, int base, long long max);

#endif
