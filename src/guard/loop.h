/*
 * The loop guard (reference: window 12, threshold 2): calls that repeat, that go round in a
 * circle, or that bring nothing. The model is told once, then the task is stopped. The same
 * calls give the same verdicts, so that a task that is taken up again goes on as it would have.
 * A guard belongs to one thread at a time.
 */
#ifndef SPK_GUARD_LOOP_H
#define SPK_GUARD_LOOP_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkLoopGuard SpkLoopGuard;
typedef enum { SPK_LOOP_OK, SPK_LOOP_WARN, SPK_LOOP_STOP } SpkLoopVerdict;
typedef enum { SPK_LOOP_IDENTICAL, SPK_LOOP_CYCLE, SPK_LOOP_IDLE } SpkLoopShape;

typedef struct {
	const char *call, *result; /* texts */
	const char *tree;	   /* id of the files after it; NULL: it changed none */
	guint turn;		   /* which answer of the model it is from */
} SpkLoopCall;

typedef struct {
	SpkLoopShape shape;
	guint length;	  /* of the circle; no progress: of the row */
	char *reason;	  /* words; NULL with OK */
	json_t *evidence; /* [{"call","result"}], clipped and clean; NULL with OK */
} SpkLoopFinding;
void spk_loop_finding_clear(SpkLoopFinding *finding);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLoopFinding, spk_loop_finding_clear)

SpkLoopGuard *spk_loop_guard_new(guint window, guint threshold);
void spk_loop_guard_free(SpkLoopGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLoopGuard, spk_loop_guard_free)

/* WARN when the same call, with the same result and over the same files, is seen more than
 * `threshold` times within the window (a circle of up to four calls is named as one), or when a
 * whole window of calls changed nothing and told nothing new; at most once a turn. STOP when
 * that goes on in a later turn and within a window of calls. */
SpkLoopVerdict spk_loop_guard_note(SpkLoopGuard *guard, const SpkLoopCall *call,
				   SpkLoopFinding *ret);
/* "identical", "cycle", "no_progress" */
const char *spk_loop_shape_name(SpkLoopShape shape);

#endif
