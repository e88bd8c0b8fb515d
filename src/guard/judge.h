/*
 * A model as second judge of a text, beside the scanner's rules (docs/adr/0044). Here is all that
 * decides: which texts it is asked about, what it is shown and asked, how its answer is read, and
 * what becomes of the rules' verdict. Who asks is above (agent/judge.h). The text is hostile: it
 * may speak to the judge, and hide from it. So an opinion is bounded both ways: it adds as many
 * points as one finding has, and takes away no more than what rules are unsure of. Any thread.
 */
#ifndef SPK_GUARD_JUDGE_H
#define SPK_GUARD_JUDGE_H

#include "guard/scan.h"

/* clang-format off */
/* [prompt_scanner] judge */
#define SPK_JUDGE_MODES(X)    \
	X(OFF,     "off")     \
	X(FLAGGED, "flagged") \
	X(ALL,     "all")

#define SPK_JUDGE_OPINIONS(X)                              \
	X(NONE,   "none")   /* nobody said anything */     \
	X(DATA,   "data")   /* no orders to who reads it */ \
	X(UNSURE, "unsure")                                \
	X(ORDERS, "orders")

typedef enum {
#define X(sym, ...) SPK_JUDGE_##sym,
	SPK_JUDGE_MODES(X)
#undef X
} SpkJudgeMode;

typedef enum {
#define X(sym, ...) SPK_OPINION_##sym,
	SPK_JUDGE_OPINIONS(X)
#undef X
} SpkOpinion;
/* clang-format on */

const char *spk_opinion_name(SpkOpinion opinion);
SpkOpinion spk_opinion_find(const char *name); /* NONE: none of them, or NULL */
SpkJudgeMode spk_judge_mode(const SpkConf *conf);
SpkJudgeMode spk_judge_mode_find(const char *name); /* OFF: none of them, or NULL */
const char *spk_judge_mode_name(SpkJudgeMode mode);

/* Is it worth a question? FLAGGED: what the rules flag, have a finding in, or come near to one;
 * ALL: besides, whatever is `untrusted` and has 16 bytes (`len`). Never what the allowlist names. */
gboolean spk_judge_wants(SpkJudgeMode mode, const SpkScanResult *result, gsize len,
			 gboolean untrusted);

/* ---- the question ---- */
const char *spk_judge_system(void);
/* At most 32 KiB: the text, or of a long one its beginning, its end, the findings and the stretch
 * that weighs most, as JSON strings. `what`: "what the tool file_read brought", of our own words.
 * *ret_whole: every finding is among what is shown. */
char *spk_judge_question(const char *what, const char *text, gsize len,
			 const SpkScanResult *result, gboolean *ret_whole);
json_t *spk_judge_schema(void);

/* ---- the answer ---- */
typedef struct {
	SpkOpinion opinion;
	gsize start,
		end; /* what it points at, bytes of the text; 0, 0: nothing that is there */
	gboolean whole; /* of the question */
} SpkJudgement;
/* Strictly of the form. BAD_INPUT. `whole` is left alone. */
gboolean spk_judge_read(const json_t *answer, const char *text, SpkJudgement *ret,
			GError **error);

/* Changes the result. ORDERS: as many points more as a critical finding has (`judge.orders`),
 * in any mode. DATA, in FLAGGED and when it saw every finding: of a text that has fewer points than
 * block_threshold only `least` stay. Else nothing. */
void spk_judge_settle(SpkJudgeMode mode, const SpkJudgement *judgement, const char *text,
		      gsize len, SpkScanResult *result);

#endif
