/*
 * Questions to a person about one call of a task, and their answers. A row survives whatever
 * becomes of the process that asked; asking and answering are journalled in the transaction of
 * the row (`approval.asked`, `approval.answered`). Who builds a question and what an answer
 * means: guard/approval.h.
 *
 * Whoever looks here closes first what has run out: no process has to be there for it.
 */
#ifndef SPK_STORE_APPROVALS_H
#define SPK_STORE_APPROVALS_H

#include "store/store.h"

/* clang-format off */
/*  symbol       name          allows */
#define SPK_ANSWER_TABLE(X)                                                      \
	X(OPEN,       "open",       0)  /* nobody has answered yet */            \
	X(ALLOW_ONCE, "allow_once", 1)                                           \
	X(ALLOW_TASK, "allow_task", 1)  /* and what `rule` matches in this task */ \
	X(ALLOW_RULE, "allow_rule", 1)  /* and `rule` was saved */               \
	X(DENY,       "deny",       0)                                           \
	X(EXPIRED,    "expired",    0)  /* time ran out: refused */              \
	X(WITHDRAWN,  "withdrawn",  0)  /* the task ended before an answer */

typedef enum {
#define X(sym, ...) SPK_ANSWER_##sym,
	SPK_ANSWER_TABLE(X)
#undef X
	SPK_N_ANSWERS
} SpkAnswer;
/* clang-format on */

const char *spk_answer_name(SpkAnswer answer);
gboolean spk_answer_parse(const char *name, SpkAnswer *ret_answer);
gboolean spk_answer_allows(SpkAnswer answer);

typedef struct {
	char *id; /* short */
	char *task;
	char *key; /* which call: "turn/index", "apply" */
	char *tool;
	char *line;	 /* for the eyes; not clean */
	char *arguments; /* as the model gave them; not clean */
	char *hash;	 /* sha256 over tool and exact arguments */
	gint64 does;
	char *taint;	    /* name */
	char *taint_source; /* NULL */
	gint64 by_taint;    /* 1: a rule of taint asks */
	json_t *decision;
	json_t *parts; /* commands of the line, normalised: array of strings; NULL: the line */
	char *offer;		     /* rule text to begin with; NULL */
	gint64 asked_us, expires_us; /* expires 0: never */
	SpkAnswer answer;
	gint64 answered_us;
	char *by;   /* who answered; NULL while open */
	char *how;  /* "terminal", "command", "-y", "time-out", "task ended", … */
	char *note; /* NULL */
	char *rule; /* of allow_task and allow_rule */
} SpkApproval;
void spk_approval_free(SpkApproval *approval);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkApproval, spk_approval_free)

/* An answer as somebody gives it. Borrowed strings. */
typedef struct {
	SpkAnswer answer;
	const char *by, *how;
	const char *note; /* NULL */
	const char *rule; /* of allow_task and allow_rule */
	/* Where a saved rule holds; NULL: everywhere. Of allow_rule. */
	const char *spark, *repo;
} SpkAnswering;

/* Puts the question, fenced (token 0: of somebody who needs no lease, as who applies), unless it
 * stands already (task, key, hash): *ret is what is on
 * record then, answered or not. One that was withdrawn is open again. `at_once` (or NULL) answers
 * it in the same transaction. Reads task … expires_us. */
gboolean spk_approvals_put(SpkStore *store, gint64 token, const SpkApproval *question,
			   const SpkAnswering *at_once, SpkApproval **ret,
			   GError **error);
/* *ret is NULL when it was never asked. */
gboolean spk_approvals_find(SpkStore *store, const char *task, const char *key,
			    const char *hash, SpkApproval **ret, GError **error);
/* By id or unique prefix of at least 2 characters. NOT_FOUND; USAGE when ambiguous. */
SpkApproval *spk_approvals_get(SpkStore *store, const char *id, GError **error);
/* Oldest first. task NULL: of all; all FALSE: open ones. GPtrArray of SpkApproval. */
GPtrArray *spk_approvals_list(SpkStore *store, const char *task, gboolean all,
			      GError **error);
/* Answers the question `id` (the whole id), unfenced; a rule is saved in the same transaction.
 * CONFLICT, naming the answer, when it is not open any more: nothing is changed. */
gboolean spk_approvals_answer(SpkStore *store, const char *id, const SpkAnswering *answer,
			      SpkApproval **ret, GError **error);

/* Closes what has run out. */
gboolean spk_approvals_expire(SpkStore *store, GError **error);
/* When the next open question runs out (wall clock, us); 0: none will. */
gboolean spk_approvals_next_expiry(SpkStore *store, gint64 *ret_us, GError **error);

#endif
