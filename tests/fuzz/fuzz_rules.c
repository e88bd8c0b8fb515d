/* Rules: the first line of the input is a pattern, the rest a command line. One and the same
 * text is a rule for every list or for none; what allows never lifts a denial. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "guard/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SpkLawVerdict judge(const SpkCommandRules *rules, const char *line,
			   gboolean *ret_rule)
{
	g_auto(SpkCommandView) view = { 0 };

	spk_command_judge(rules, NULL, line, &view);
	*ret_rule = view.pattern != NULL;
	g_assert(!view.pattern || view.decision.verdict == SPK_LAW_DENY ||
		 g_str_has_prefix(view.decision.rule, "command."));
	return view.decision.verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, MIN(size, 2000));
	g_auto(GStrv) halves = g_strsplit(text, "\n", 2);
	const char *pattern = halves[0] ? halves[0] : "",
		   *line = halves[0] && halves[1] ? halves[1] : "";
	const char *list[] = { pattern, NULL };
	g_autoptr(SpkCommandRules) allow = spk_command_rules_new(NULL, list, NULL, NULL);
	g_autoptr(SpkCommandRules) deny = NULL, both = NULL;
	gboolean good = spk_command_pattern_check(pattern, NULL), decided;

	g_assert(good == (allow != NULL));
	if (!good)
		return 0;
	deny = spk_command_rules_new(list, NULL, list, NULL);
	both = spk_command_rules_new(NULL, list, list, NULL);
	g_assert(deny && both);
	(void)judge(allow, line, &decided);
	if (judge(deny, line, &decided) == SPK_LAW_DENY)
		g_assert(judge(both, line, &decided) == SPK_LAW_DENY);
	return 0;
}
