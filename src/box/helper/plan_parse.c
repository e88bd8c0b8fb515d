#include "box/helper/plan_parse.h"

#include <string.h>

static const struct {
	const char *name;
	int n_args;
} ops[SPK_N_PLAN_OPS] = {
#define X(sym, name, n_args) [SPK_PLAN_##sym] = { name, n_args },
	SPK_PLAN_TABLE(X)
#undef X
};

/* The next string, or NULL when no NUL follows. */
static const char *take_string(SpkPlanReader *reader)
{
	const char *text = reader->at;
	const char *nul = memchr(text, '\0', (size_t)(reader->end - text));

	if (!nul)
		return NULL;
	reader->at = nul + 1;
	return text;
}

int spk_plan_open(SpkPlanReader *reader, const char *bytes, size_t len)
{
	const char *magic;

	if (len > SPK_PLAN_MAX_BYTES)
		return -1;
	*reader = (SpkPlanReader){ .at = bytes, .end = bytes + len };
	magic = take_string(reader);
	return magic && strcmp(magic, SPK_PLAN_MAGIC) == 0 ? 0 : -1;
}

static int find_op(const char *name)
{
	for (int op = 0; op < SPK_N_PLAN_OPS; op++)
		if (strcmp(ops[op].name, name) == 0)
			return op;
	return -1;
}

int spk_plan_next(SpkPlanReader *reader, SpkPlanStep *ret_step)
{
	SpkPlanStep step = { 0 };
	const char *name;
	int op;

	if (reader->at == reader->end)
		return 0;
	if (++reader->steps > SPK_PLAN_MAX_STEPS)
		return -1;
	name = take_string(reader);
	op = name ? find_op(name) : -1;
	if (op < 0)
		return -1;
	step.op = (SpkPlanOp)op;
	for (int i = 0; i < ops[op].n_args; i++) {
		step.arg[i] = take_string(reader);
		if (!step.arg[i])
			return -1;
	}
	*ret_step = step;
	return 1;
}

int spk_plan_check(const char *bytes, size_t len)
{
	SpkPlanReader reader;
	SpkPlanStep step;
	int more, ended = 0;

	if (spk_plan_open(&reader, bytes, len) < 0)
		return -1;
	while ((more = spk_plan_next(&reader, &step)) > 0) {
		if (ended)
			return -1;
		ended = step.op == SPK_PLAN_EXEC;
	}
	return more == 0 && ended ? 0 : -1;
}

const char *spk_plan_op_name(SpkPlanOp op)
{
	return ops[op].name;
}

long long spk_plan_number(const char *text, int base, long long max)
{
	long long value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		int digit = *text - '0';

		if (digit < 0 || digit >= base || value > (max - digit) / base)
			return -1;
		value = value * base + digit;
	}
	return value;
}
