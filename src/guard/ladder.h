/*
 * The ladder of autonomy: five levels, and one table of what a call may do at each alone, what
 * it asks for, and what it never does, by risk. docs/law.md is made from it. Values; any thread.
 */
#ifndef SPK_GUARD_LADDER_H
#define SPK_GUARD_LADDER_H

#include "guard/decision.h"

/* clang-format off */
/* From least to most. */
#define SPK_LEVEL_TABLE(X)                                                                      \
	X(OBSERVE,    "observe",    "reads, and changes nothing")                               \
	X(PROPOSE,    "propose",    "edits its private copy; runs no command but such as only read") \
	X(ASSIST,     "assist",     "runs commands in the sandbox; asks for sensitive ones")    \
	X(DELIVER,    "deliver",    "as assist, and commits on a branch of its own")            \
	X(AUTONOMOUS, "autonomous", "asks only for what deny and taint rules name")

typedef enum {
#define X(sym, ...) SPK_LEVEL_##sym,
	SPK_LEVEL_TABLE(X)
#undef X
	SPK_N_LEVELS
} SpkLevel;
/* clang-format on */

#define SPK_LEVEL_DEFAULT SPK_LEVEL_DELIVER

const char *spk_level_name(SpkLevel level);
const char *spk_level_sentence(SpkLevel level);
/* By name or by number ("3"). FALSE: it is none; *ret is then the least. */
gboolean spk_level_parse(const char *text, SpkLevel *ret);
/* " (did you mean …)" or ", one of …": for an error. */
char *spk_level_hint(const char *text);

/* ALLOW: alone, ASK, DENY: never. */
SpkLawVerdict spk_ladder_verdict(SpkLevel level, SpkDoes does, SpkRisk risk);
/* The strictest for all that `does` holds. The rule is "level.NAME.DEED"; of a call that does
 * nothing ALLOW by "level.NAME". */
void spk_ladder_judge(SpkLevel level, SpkDoesSet does, SpkRisk risk, SpkDecision *ret);
/* What it means to do that, for a sentence: "runs a sensitive command". */
const char *spk_does_sentence(SpkDoes does);

/* {"levels":[{"level","name","sentence","may":[{"does","low","medium","high"}]}]} */
json_t *spk_ladder_to_json(void);
/* The table as Markdown, for docs/law.md. */
char *spk_ladder_page(void);

#endif
