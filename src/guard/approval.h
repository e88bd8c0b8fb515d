/*
 * Approvals: one interface for everybody who asks a person, and for everybody through whom a
 * person answers (terminal, commands; chat front ends and editors later). A question is about
 * one call: its hash covers the tool and the exact arguments, so that what was approved is what
 * runs, and a changed call asks again.
 *
 * Nobody waits inside. A task that meets an open question goes to `waiting` and lets go of all
 * it holds; whoever answers sees to it that it goes on (core/core.h).
 *
 * Rules: a regular expression (GRegex), tried on the commands of a call's line. An allow rule
 * must match every command as a whole, a deny rule any part of any.
 */
#ifndef SPK_GUARD_APPROVAL_H
#define SPK_GUARD_APPROVAL_H

#include "guard/decision.h"
#include "store/approvals.h"
#include "store/rules.h"

typedef struct {
	char *id; /* NULL until it is asked */
	char *task;
	char *key; /* which call: "turn/index", "apply" */
	char *tool;
	char *line; /* the normalised line, for the eyes and for rules; not clean */
	char *arguments; /* of the call, as the model gave them: shown where the line is shorter; NULL */
	char **parts; /* its simple commands, normalised (a shell line); NULL: the line is one */
	char *hash; /* spk_question_hash() */
	SpkDoesSet does;
	SpkTaint taint;
	char *taint_source; /* what brought the taint, for people; NULL */
	gboolean by_taint;  /* a rule of taint is among those that ask */
	SpkDecision decision;
	char *offer; /* rule text offered; NULL: where there are parts, no rule can allow it; else one
		      * for exactly this line is made */
	gint64 asked_us, expires_us; /* wall clock; expires 0: never */
	SpkAnswer answer;
	gint64 answered_us;
	char *by; /* who answered; NULL while open */
	char *how; /* "terminal", "command", "-y", "time-out", "task ended", "rule", "task" */
	char *note; /* NULL */
	char *rule; /* rule text of allow_task, allow_rule, or of the saved rule that decided */
} SpkQuestion;
void spk_question_clear(SpkQuestion *question);
void spk_question_free(SpkQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkQuestion, spk_question_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkQuestion, spk_question_clear)

/* Lower-case hex. `arguments` exactly as the model gave them. */
char *spk_question_hash(const char *tool, const char *arguments);
/* The object of `approvals list --json`; and texts in it are as they came. */
json_t *spk_question_to_json(const SpkQuestion *question);

/* ---- asking ---- */
typedef struct {
	SpkStore *store;
	gint64 token;		  /* of the lease */
	gint64 timeout_secs;	  /* option approvals.timeout_secs; 0: never */
	const char *spark, *repo; /* of the task */
	const char *yes;	  /* who said -y for this task; NULL: nobody */
} SpkApprovalEnv;

/* What a person, a saved rule or -y says of the call. Fills in id, answer, by, how, note, rule,
 * and asks when nobody has said anything. TRUE: it is answered, spk_answer_allows(answer) tells
 * which way. FALSE and APPROVAL: the question stands open, and the task is to wait; FALSE with
 * another code: the store. In this order:
 *   what is on record of this very call (task, key, hash);
 *   a saved deny rule; the same call (hash), refused before in this task;
 *   a saved allow rule, or one allowed for the task (those answer a question that a taint rule
 *   raises only when they were made at one, of the same taint or a stronger one);
 *   -y (commands only, never where a taint rule asks). */
gboolean spk_approval_need(const SpkApprovalEnv *env, SpkQuestion *question,
			   GError **error);
/* Whether -y may answer it. */
gboolean spk_approval_yes_covers(const SpkQuestion *question);

/* The parts of the above. Row and journal entry in one transaction; idempotent on task, key and
 * hash: *question becomes what is on record. */
gboolean spk_approval_ask(SpkStore *store, gint64 token, SpkQuestion *question,
			  GError **error);
/* *ret is NULL when it was never asked. */
gboolean spk_approval_find(SpkStore *store, const char *task, const char *key,
			   const char *hash, SpkQuestion **ret, GError **error);

/* ---- answering ---- */
/* By id or unique prefix. NOT_FOUND; USAGE when ambiguous. */
SpkQuestion *spk_approval_get(SpkStore *store, const char *id, GError **error);
/* Oldest first; task NULL: of all tasks; all FALSE: open ones. GPtrArray of SpkQuestion. */
GPtrArray *spk_approval_list(SpkStore *store, const char *task, gboolean all,
			     GError **error);
/* The oldest open one of the task; *ret is NULL when there is none. */
gboolean spk_approval_open(SpkStore *store, const char *task, SpkQuestion **ret,
			   GError **error);

typedef struct {
	SpkAnswer answer; /* allow_once, allow_task, allow_rule or deny */
	char *note;	  /* NULL */
	char *rule;	  /* of allow_task and allow_rule; NULL: what is offered */
	const char *how;  /* NULL: as the asker says; a constant */
} SpkReply;
void spk_reply_clear(SpkReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkReply, spk_reply_clear)

/* `by`: a user's name, `how`: through what. *ret (may be NULL) is the question as it stands then.
 * CONFLICT, naming the answer, when it was answered already; USAGE when the rule is no regular
 * expression or doesn't match the call. Who waits for it must be woken: spk_core_answer(). */
gboolean spk_approval_answer(SpkStore *store, const char *id, const SpkReply *reply,
			     const char *by, const char *how, SpkQuestion **ret,
			     GError **error);

/* How a front end asks: called in the thread that runs or follows the task, which waits and is
 * held by nobody meanwhile. TRUE with *ret_reply; FALSE: the question stays open. */
typedef struct {
	gboolean (*ask)(const SpkQuestion *question, gpointer user, SpkReply *ret_reply);
	const char *how; /* on record: "terminal" */
	gpointer user;
} SpkAsker;

/* ---- rules ---- */
/* FALSE and USAGE with the place when it is no regular expression. */
gboolean spk_rule_check(const char *pattern, GError **error);
/* Whether an allow rule covers the call (every command, whole), whether a deny rule finds
 * something in it (any part of any command, or of the whole line). */
gboolean spk_rule_allows(const char *pattern, const SpkQuestion *question);
gboolean spk_rule_denies(const char *pattern, const SpkQuestion *question);
/* The rule text that is offered: the question's, else one for exactly this line. NULL: of a command
 * line that has none; no rule allows it, it may be another thing each time. */
char *spk_rule_offer(const SpkQuestion *question);

#endif
