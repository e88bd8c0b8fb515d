/* One row for each taint: what it is called, and what it forbids without an approval. */
#include "guard/taint.h"

#include "guard/ladder.h"

#define LEAVES                                                                   \
	(SPK_DOES(EGRESS) | SPK_DOES(SECRET) | SPK_DOES(PUSH) | SPK_DOES(POST) | \
	 SPK_DOES(APPLY_RISKY))

static const struct {
	SpkDoesSet asks;
	const char *sentence, *from;
} taints[SPK_N_TAINTS] = {
	[SPK_TAINT_OPERATOR] = { 0, "nothing but the operator's words",
				 "the goal, the configuration, answers to questions" },
	[SPK_TAINT_REPOSITORY] = { LEAVES, "text of the repository",
				   "any text of the work tree, its history, or the output "
				   "of its programs; notes of the memory about it" },
	[SPK_TAINT_OUTSIDE] = { LEAVES | SPK_DOES(COMMIT) | SPK_DOES(APPLY) |
					SPK_DOES(OUTSIDE) | SPK_DOES(REMEMBER),
				"text from outside",
				"what commands fetched by the network, agent programs "
				"that did, a repository that is declared untrusted, notes "
				"of the memory that came from there or from another "
				"repository" },
};

void spk_taint_mark_clear(SpkTaintMark *mark)
{
	g_free(mark->source);
	*mark = (SpkTaintMark){ 0 };
}

gboolean spk_taint_raise(SpkTaintMark *mark, SpkTaint taint, const char *source)
{
	if (taint <= mark->taint)
		return FALSE;
	mark->taint = taint;
	g_free(mark->source);
	mark->source = g_strdup(source);
	return TRUE;
}

SpkDoesSet spk_taint_asks(SpkTaint taint)
{
	return taint < SPK_N_TAINTS ? taints[taint].asks : ~0u;
}

const char *spk_taint_sentence(SpkTaint taint)
{
	return taint < SPK_N_TAINTS ? taints[taint].sentence : "?";
}

gboolean spk_taint_judge(const SpkTaintMark *mark, SpkDoesSet does, SpkDecision *ret)
{
	SpkDoesSet found = does & spk_taint_asks(mark->taint);
	g_autofree char *rule = NULL, *why = NULL;
	guint i = 0;

	if (!found)
		return FALSE;
	while (!(found & 1u << i))
		i++;
	rule = g_strconcat("taint.", spk_does_name(i), NULL);
	why = g_strdup_printf("the model has read %s (%s), and this %s",
			      spk_taint_sentence(mark->taint),
			      mark->source ? mark->source : "unknown",
			      spk_does_sentence(i));
	spk_decision_set(ret, SPK_LAW_ASK, SPK_RISK_HIGH, rule, NULL, why,
			 "an answer to this question allows it, or a rule saved with "
			 "such an answer; no other rule, and no level");
	return TRUE;
}

char *spk_taint_page(void)
{
	GString *page =
		g_string_new("| taint | it comes from | asked for at every level |\n"
			     "|---|---|---|\n");

	for (guint taint = 0; taint < SPK_N_TAINTS; taint++) {
		const char *between = "";

		g_string_append_printf(page, "| `%s` | %s | ", spk_taint_name(taint),
				       taints[taint].from);
		for (guint i = 0; i < SPK_N_DOES; i++)
			if (taints[taint].asks & 1u << i) {
				g_string_append_printf(page, "%swhat %s", between,
						       spk_does_sentence(i));
				between = "; ";
			}
		g_string_append(page, *between ? " |\n" : "nothing |\n");
	}
	return g_string_free(page, FALSE);
}
