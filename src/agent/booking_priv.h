/* What the calls of a run cost: put aside before, booked after (store/ledger.h). */
#ifndef SPK_AGENT_BOOKING_PRIV_H
#define SPK_AGENT_BOOKING_PRIV_H

#include "agent/run_priv.h"
#include "store/ledger.h"

/* A call that the run is about to make. One at a time: the next begins when this one is booked. */
typedef struct {
	SpkRun *run;
	const char *purpose; /* "main", "summary", "classifier", "verify", "judge" */
	guint number; /* of those of its purpose, unless it is the turn's own: main */
	gint64 input; /* tokens of its request, estimated */
} RunCall;

/* Those of the task and of the day. */
SpkBudget run_budget(SpkRun *run);
/* Sets the call's worst case aside, on top of what it has `spent`. FALSE: LIMIT, and
 * run->at_budget, where a budget has no room for it or can't be kept. */
gboolean run_reserve(const RunCall *call, const SpkLlmWho *who, const SpkUsage *spent,
		     GError **error);
/* Instead of an answer: see SpkLlmGate. */
void run_book_failure(const RunCall *call, const SpkLlmWho *who, const SpkUsage *spent,
		      const GError *why);
/* The question that finds out what a model can do: booked at once, as `probe`. */
void run_book_probe(SpkRun *run, const SpkLlmWho *who, const SpkUsage *usage);
/* Puts the answer on record (`payload`, of `kind`) and books it, both or neither. */
gboolean run_book_reply(const RunCall *call, const SpkLlmReply *reply, const char *kind,
			json_t *payload, GError **error);

/* What the calls of the task have cost so far, into its row; with other fields of it. */
gboolean run_save_cost(SpkRun *run, GError **error);
gboolean run_save_fields(SpkRun *run, json_t *take_fields, GError **error);

/* ---- questions besides the work (aside.c) ---- */
typedef struct {
	RunCall *call; /* `input` is filled in */
	SpkLlm *llm;
	const char *system, *user; /* the two messages of the question */
	json_t *schema;		   /* of the answer; NULL: words */
	gint64 max_output; /* tokens of the answer; 0: as the model is configured */
	gint64 patience_ms;
} RunAside;
/* Asked through the gate. The names in the reply outlive `llm`. To be booked with aside->call. */
gboolean run_ask_aside(const RunAside *aside, SpkLlmReply *ret_reply, GError **error);
/* After one that failed. FALSE with *error: the user ends the task or lets it rest. Else it goes
 * on without an answer, also when the budget had no room for one. */
gboolean run_go_without(SpkRun *run, GError **error);
/* An answer that is one JSON object, alone or in a fence. BAD_INPUT. */
json_t *run_answer_object(const char *text, GError **error);
/* A line of a model, clean and at most `max` bytes, as JSON. */
json_t *run_clean_line(const char *text, gsize max);

/* The `lost` messages in a few words by the model of [llm] summary_model. No reply->text: there
 * is none, nothing was lost, or it failed, which is logged; *ret_call is what to book it by.
 * FALSE: the budget or the user ended it. */
gboolean run_sum_up(SpkRun *run, const json_t *lost, SpkLlmReply *ret_reply,
		    RunCall *ret_call, GError **error);
/* Puts it behind the goal. */
void run_put_summary(SpkRun *run, const char *summary);

/* What the server says was used; where it doesn't, by the bytes that went and came. */
SpkUsage run_usage_of(const RunCall *call, const SpkLlmReply *reply);
/* Tokens of the conversation's next request. */
gint64 run_next_input(SpkRun *run);

#endif
