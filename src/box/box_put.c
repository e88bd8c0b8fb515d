/* Writes the steps of a plan. */
#include "box/box_priv.h"

#include <string.h>

void spk_box_put_string(GByteArray *plan, const char *text)
{
	g_byte_array_append(plan, (const guint8 *)text, strlen(text) + 1);
}

void spk_box_put(GByteArray *plan, SpkPlanOp op, const char *first, const char *second)
{
	static const struct {
		const char *name;
		int n_args;
	} ops[SPK_N_PLAN_OPS] = {
#define X(sym, name, n_args) [SPK_PLAN_##sym] = { name, n_args },
		SPK_PLAN_TABLE(X)
#undef X
	};

	g_assert(ops[op].n_args == (first != NULL) + (second != NULL));
	spk_box_put_string(plan, ops[op].name);
	if (first)
		spk_box_put_string(plan, first);
	if (second)
		spk_box_put_string(plan, second);
}

void spk_box_put_number(GByteArray *plan, SpkPlanOp op, const char *what, gint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

	spk_box_put(plan, op, what, text);
}
