/*
 * The states of a task: one table for names, allowed successors, the SQL CHECK and the
 * diagram of ARCHITECTURE.md. core/ adds the step functions.
 */
#ifndef SPK_STORE_STATES_H
#define SPK_STORE_STATES_H

#include <glib.h>

/* clang-format off */
/*  symbol        name            terminal  successors */
#define SPK_STATE_TABLE(X)                                                                     \
	X(QUEUED,      "queued",       0, "scanned paused cancelled failed")                        \
	X(SCANNED,     "scanned",      0, "routed paused cancelled failed")                         \
	X(ROUTED,      "routed",       0, "running paused cancelled failed")                        \
	X(RUNNING,     "running",      0, "verifying waiting paused cancelled failed rolled_back")  \
	X(WAITING,     "waiting",      0, "running paused cancelled failed")                        \
	X(PAUSED,      "paused",       0, "queued scanned routed running waiting verifying cancelled failed") \
	X(VERIFYING,   "verifying",    0, "running done failed rolled_back paused cancelled")       \
	X(DONE,        "done",         1, "")                                                       \
	X(FAILED,      "failed",       1, "")                                                       \
	X(ROLLED_BACK, "rolled_back",  1, "")                                                       \
	X(CANCELLED,   "cancelled",    1, "")

typedef enum {
#define X(sym, ...) SPK_STATE_##sym,
	SPK_STATE_TABLE(X)
#undef X
	SPK_N_STATES
} SpkState;

/*  symbol            name */
#define SPK_VERDICT_TABLE(X)                  \
	X(NONE,            "")                     \
	X(VERIFIED,        "verified")             \
	X(REGRESSION_ONLY, "regression_only")      \
	X(REVIEW,          "review")               \
	X(UNVERIFIED,      "unverified")           \
	X(FAILED,          "failed")

typedef enum {
#define X(sym, ...) SPK_VERDICT_##sym,
	SPK_VERDICT_TABLE(X)
#undef X
	SPK_N_VERDICTS
} SpkVerdict;
/* clang-format on */

const char *spk_state_name(SpkState state);
gboolean spk_state_parse(const char *name, SpkState *ret_state);
gboolean spk_state_is_terminal(SpkState state);
gboolean spk_state_may_follow(SpkState from, SpkState to);
const char *spk_verdict_name(SpkVerdict verdict);
gboolean spk_verdict_parse(const char *name, SpkVerdict *ret_verdict);

#endif
