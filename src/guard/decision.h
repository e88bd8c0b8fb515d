/*
 * What the law says of one call: a verdict, the rule that gave it and the reason in words. The
 * judges of this room (paths, URLs, commands, the ladder of autonomy, taint) each fill one in;
 * the strictest wins. Values; any thread.
 */
#ifndef SPK_GUARD_DECISION_H
#define SPK_GUARD_DECISION_H

#include <glib.h>
#include <jansson.h>

/* clang-format off */
/* From mild to strict: a stricter one always wins. */
#define SPK_LAW_TABLE(X)  \
	X(ALLOW, "allow") \
	X(ASK,   "ask")   \
	X(DENY,  "deny")

#define SPK_RISK_TABLE(X)   \
	X(LOW,    "low")    \
	X(MEDIUM, "medium") \
	X(HIGH,   "high")

/* Where text that a model has read comes from; from trusted to distrusted. */
#define SPK_TAINT_TABLE(X)                                                                    \
	X(OPERATOR,   "operator")   /* goal, configuration, approvals */                      \
	X(REPOSITORY, "repository") /* the work tree, its history, output of its programs */  \
	X(OUTSIDE,    "outside")    /* web, MCP, tickets, chat of others, untrusted trees */

/* What a call does beyond reading its private copy. */
#define SPK_DOES_TABLE(X)                                                                     \
	X(EDIT,        "edit")        /* files of the private copy */                         \
	X(COMMAND,     "command")     /* runs one that is not known to only read */           \
	X(SENSITIVE,   "sensitive")   /* runs one that a sensitive pattern names */           \
	X(UNKNOWN,     "unknown")     /* runs what could not be looked into */                \
	X(COMMIT,      "commit")      /* on the task's own branch */                          \
	X(EGRESS,      "egress")      /* connects to a host that nobody named beforehand */   \
	X(SECRET,      "secret")      /* has a key used for it */                             \
	X(PUSH,        "push")        /* sends commits elsewhere */                           \
	X(POST,        "post")        /* sends text elsewhere: a comment, a mail, a message */\
	X(APPLY,       "apply")       /* writes into the user's tree */                       \
	X(APPLY_RISKY, "apply_risky") /* the same, files that run code elsewhere */           \
	X(OUTSIDE,     "outside")     /* any other effect outside the private copy */         \
	X(REMEMBER,    "remember")    /* keeps a note in the memory, for tasks to come */

typedef enum {
#define X(sym, ...) SPK_LAW_##sym,
	SPK_LAW_TABLE(X)
#undef X
	SPK_N_LAWS
} SpkLawVerdict;

typedef enum {
#define X(sym, ...) SPK_RISK_##sym,
	SPK_RISK_TABLE(X)
#undef X
	SPK_N_RISKS
} SpkRisk;

typedef enum {
#define X(sym, ...) SPK_TAINT_##sym,
	SPK_TAINT_TABLE(X)
#undef X
	SPK_N_TAINTS
} SpkTaint;

typedef enum {
#define X(sym, ...) SPK_DOES_##sym,
	SPK_DOES_TABLE(X)
#undef X
	SPK_N_DOES
} SpkDoes;
/* clang-format on */

/* A set of SpkDoes. */
typedef guint SpkDoesSet;
#define SPK_DOES(sym) (1u << SPK_DOES_##sym)

const char *spk_law_name(SpkLawVerdict verdict);
const char *spk_risk_name(SpkRisk risk);
const char *spk_taint_name(SpkTaint taint);
const char *spk_does_name(SpkDoes does);
gboolean spk_law_parse(const char *name, SpkLawVerdict *ret);
gboolean spk_risk_parse(const char *name, SpkRisk *ret);
gboolean spk_taint_parse(const char *name, SpkTaint *ret);

typedef struct {
	SpkLawVerdict verdict;
	SpkRisk risk;
	char *rule; /* id: "command.sensitive", "path.secret", "url.private", "taint.egress" … */
	char *what; /* the part of the call that the rule found; NULL: all of it */
	char *why;  /* one sentence for a person and a model */
	char *hint; /* how to change it, for a person; NULL */
} SpkDecision;

void spk_decision_clear(SpkDecision *decision);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDecision, spk_decision_clear)
/* Replaces what *decision holds; the strings are copied. */
void spk_decision_set(SpkDecision *decision, SpkLawVerdict verdict, SpkRisk risk,
		      const char *rule, const char *what, const char *why,
		      const char *hint);
/* `other` takes the place of *decision when it is stricter (or as strict and of more risk);
 * *other is empty afterwards. */
void spk_decision_join(SpkDecision *decision, SpkDecision *other);
/* {"verdict","risk","rule","what","why","hint"}, absent ones null; and back (FALSE: it is none). */
json_t *spk_decision_to_json(const SpkDecision *decision);
gboolean spk_decision_from_json(const json_t *json, SpkDecision *ret);

#endif
