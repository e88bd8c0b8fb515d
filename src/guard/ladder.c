/* The table of levels and deeds, and what is made of it. */
#include "guard/ladder.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define X(sym, name, sentence) name,
static const char *const names[] = { SPK_LEVEL_TABLE(X) NULL };
#undef X
#define X(sym, name, sentence) sentence,
static const char *const sentences[] = { SPK_LEVEL_TABLE(X) };
#undef X

/* clang-format off */
/* For each level what happens at low, medium and high risk: a alone, ? asks, - never. A level
 * never has more than the one above it; a test looks. */
static const struct {
	const char *sentence;
	const char *at[SPK_N_LEVELS];
} ladder[SPK_N_DOES] = {
	/*                                                               observe  propose assist deliver autonomous */
	[SPK_DOES_EDIT]        = { "changes files of its private copy",    { "---", "aaa", "aaa", "aaa", "aaa" } },
	[SPK_DOES_COMMAND]     = { "runs a command that may change something", { "---", "---", "aa?", "aa?", "aaa" } },
	[SPK_DOES_SENSITIVE]   = { "runs a sensitive command",             { "---", "---", "???", "???", "aaa" } },
	[SPK_DOES_UNKNOWN]     = { "runs what cannot be looked into",      { "---", "---", "???", "???", "aaa" } },
	[SPK_DOES_COMMIT]      = { "commits on a branch of its own",       { "---", "---", "---", "aaa", "aaa" } },
	[SPK_DOES_EGRESS]      = { "connects to a host that nobody allowed", { "---", "---", "???", "???", "aaa" } },
	[SPK_DOES_SECRET]      = { "uses a key",                           { "---", "---", "---", "???", "aaa" } },
	[SPK_DOES_PUSH]        = { "pushes commits",                       { "---", "---", "---", "???", "aaa" } },
	[SPK_DOES_POST]        = { "posts text elsewhere",                 { "---", "---", "---", "???", "aaa" } },
	[SPK_DOES_APPLY]       = { "writes into your files",               { "---", "???", "???", "???", "aaa" } },
	[SPK_DOES_APPLY_RISKY] = { "writes files of yours that run code elsewhere", { "---", "???", "???", "???", "aaa" } },
	[SPK_DOES_OUTSIDE]     = { "has another effect outside its private copy", { "---", "---", "???", "???", "aaa" } },
	[SPK_DOES_REMEMBER]    = { "keeps a note in the memory",           { "---", "aaa", "aaa", "aaa", "aaa" } },
};
/* clang-format on */

const char *spk_level_name(SpkLevel level)
{
	return level < SPK_N_LEVELS ? names[level] : "?";
}

const char *spk_level_sentence(SpkLevel level)
{
	return level < SPK_N_LEVELS ? sentences[level] : "?";
}

gboolean spk_level_parse(const char *text, SpkLevel *ret)
{
	*ret = SPK_LEVEL_OBSERVE;
	for (guint i = 0; text && i < SPK_N_LEVELS; i++)
		if (!strcmp(text, names[i]) || (text[0] == (char)('0' + i) && !text[1])) {
			*ret = i;
			return TRUE;
		}
	return FALSE;
}

char *spk_level_hint(const char *text)
{
	g_autofree char *meant = spk_text_did_you_mean(text, names);
	g_autofree char *all = g_strjoinv(", ", (char **)names);

	return g_strdup_printf("levels are %s, or 0 to %d%s", all, SPK_N_LEVELS - 1,
			       meant);
}

const char *spk_does_sentence(SpkDoes does)
{
	return does < SPK_N_DOES ? ladder[does].sentence : "?";
}

SpkLawVerdict spk_ladder_verdict(SpkLevel level, SpkDoes does, SpkRisk risk)
{
	if (level >= SPK_N_LEVELS || does >= SPK_N_DOES || risk >= SPK_N_RISKS)
		return SPK_LAW_DENY;
	switch (ladder[does].at[level][risk]) {
	case 'a':
		return SPK_LAW_ALLOW;
	case '?':
		return SPK_LAW_ASK;
	default:
		return SPK_LAW_DENY;
	}
}

static void judge_one(SpkLevel level, SpkDoes does, SpkRisk risk, SpkDecision *ret)
{
	SpkLawVerdict verdict = spk_ladder_verdict(level, does, risk);
	g_autofree char *rule = NULL, *why = NULL;

	if (verdict == SPK_LAW_ALLOW && ret->rule)
		return;
	rule = g_strdup_printf("level.%s.%s", spk_level_name(level), spk_does_name(does));
	why = g_strdup_printf("level %s %s a call that %s", spk_level_name(level),
			      verdict == SPK_LAW_ALLOW ? "needs no question for"
			      : verdict == SPK_LAW_ASK ? "asks before"
						       : "never makes",
			      spk_does_sentence(does));
	spk_decision_set(ret, verdict, risk, rule, NULL, why,
			 "`sparks autonomy show` tells what each level may do, "
			 "`sparks autonomy set` changes it");
}

void spk_ladder_judge(SpkLevel level, SpkDoesSet does, SpkRisk risk, SpkDecision *ret)
{
	g_auto(SpkDecision) all = { 0 };

	for (guint i = 0; i < SPK_N_DOES; i++) {
		SpkLawVerdict verdict = spk_ladder_verdict(level, i, risk);

		if (does & 1u << i && (!all.rule || verdict > all.verdict))
			judge_one(level, i, risk, &all);
	}
	if (!all.rule) {
		g_autofree char *rule =
			g_strconcat("level.", spk_level_name(level), NULL);

		spk_decision_set(&all, SPK_LAW_ALLOW, risk, rule, NULL,
				 "it only reads its private copy", NULL);
	}
	spk_decision_clear(ret);
	*ret = all;
	all = (SpkDecision){ 0 };
}

/* ---- documents ---- */

static const char *const words[] = { "alone", "asks", "never" };

static const char *word_of(SpkLevel level, SpkDoes does, SpkRisk risk)
{
	return words[spk_ladder_verdict(level, does, risk)];
}

json_t *spk_ladder_to_json(void)
{
	json_t *levels = json_array();

	for (guint level = 0; level < SPK_N_LEVELS; level++) {
		json_t *may = json_array();

		for (guint does = 0; does < SPK_N_DOES; does++)
			json_array_append_new(
				may,
				json_pack("{s:s,s:s,s:s,s:s,s:s}", "does",
					  spk_does_name(does), "sentence",
					  ladder[does].sentence, "low",
					  word_of(level, does, SPK_RISK_LOW), "medium",
					  word_of(level, does, SPK_RISK_MEDIUM), "high",
					  word_of(level, does, SPK_RISK_HIGH)));
		json_array_append_new(levels,
				      json_pack("{s:i,s:s,s:s,s:o}", "level", (int)level,
						"name", names[level], "sentence",
						sentences[level], "may", may));
	}
	return levels;
}

/* "alone", or, where risk makes a difference, "alone, high risk: asks". */
static void add_cell(GString *page, SpkLevel level, SpkDoes does)
{
	const char *low = word_of(level, does, SPK_RISK_LOW);
	const char *before = low;

	g_string_append_printf(page, " %s", low);
	for (guint risk = SPK_RISK_MEDIUM; risk < SPK_N_RISKS; risk++) {
		const char *word = word_of(level, does, risk);

		if (word != before)
			g_string_append_printf(page, "; %s risk %s", spk_risk_name(risk),
					       word);
		before = word;
	}
	g_string_append(page, " |");
}

char *spk_ladder_page(void)
{
	GString *page = g_string_new("| a call that |");

	for (guint level = 0; level < SPK_N_LEVELS; level++)
		g_string_append_printf(page, " %u `%s` |", level, names[level]);
	g_string_append(page, "\n|---|---|---|---|---|---|\n");
	for (guint does = 0; does < SPK_N_DOES; does++) {
		g_string_append_printf(page, "| %s |", ladder[does].sentence);
		for (guint level = 0; level < SPK_N_LEVELS; level++)
			add_cell(page, level, does);
		g_string_append_c(page, '\n');
	}
	g_string_append_c(page, '\n');
	for (guint level = 0; level < SPK_N_LEVELS; level++)
		g_string_append_printf(page, "- %u `%s`: %s.\n", level, names[level],
				       sentences[level]);
	return g_string_free(page, FALSE);
}
