/*
 * Where the text comes from that a task's model has read, and what that forbids. It only rises;
 * whatever the model says, and whether the text is still in its window, makes no difference.
 * Values; any thread.
 */
#ifndef SPK_GUARD_TAINT_H
#define SPK_GUARD_TAINT_H

#include "guard/decision.h"

typedef struct {
	SpkTaint taint;
	char *source; /* the first that brought it there, in words: "file_read README.md" */
} SpkTaintMark;
void spk_taint_mark_clear(SpkTaintMark *mark);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkTaintMark, spk_taint_mark_clear)
/* TRUE: it rose, and `source` (copied) is why. */
gboolean spk_taint_raise(SpkTaintMark *mark, SpkTaint taint, const char *source);

/* What needs an approval from this taint on, whatever the level. */
SpkDoesSet spk_taint_asks(SpkTaint taint);
/* "text of the repository", for a sentence. */
const char *spk_taint_sentence(SpkTaint taint);
/* ASK by "taint.DEED", risk high, with the source in `why`; FALSE and nothing set where none of
 * `does` needs one. */
gboolean spk_taint_judge(const SpkTaintMark *mark, SpkDoesSet does, SpkDecision *ret);
/* What each taint asks for as Markdown, for docs/law.md. */
char *spk_taint_page(void);

#endif
