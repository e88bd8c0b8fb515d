/*
 * The ledger: every call of a model, once. A call is reserved before it is made, by the most
 * that it may take, and settled after it in the transaction that puts its answer on record.
 * So a killed process loses nothing and doubles nothing; what it had only reserved is let go
 * when its task is taken up again or anybody finds that it is gone.
 */
#ifndef SPK_STORE_LEDGER_H
#define SPK_STORE_LEDGER_H

#include "store/store.h"

typedef struct {
	const char *key;  /* unique: "TASK/TURN" */
	const char *task; /* NULL: of no task */
	const char *spark, *repo, *provider, *model, *purpose;
	gint64 input, output, cached, cache_write; /* tokens; < 0 counts as 0 */
	gint64 cost_nano;			   /* nano-USD; < 0: price unknown */
} SpkCall;

/* 0: no limit. Tokens are input and output. */
typedef struct {
	gint64 task_nano, task_tokens, day_nano, day_tokens;
} SpkBudget;

/* Puts the worst case of a call aside, in the write transaction that looks whether all that is
 * booked and reserved leaves room for it. LIMIT naming the budget when it does not, or when
 * the price is unknown and a budget is in money. */
gboolean spk_ledger_reserve(SpkStore *store, const SpkCall *call, const SpkBudget *budget,
			    GError **error);
/* Settles a call of no task. */
gboolean spk_ledger_settle(SpkStore *store, const SpkCall *call, GError **error);
/* Appends to the journal of call->task and settles, both or neither; fenced. */
gboolean spk_journal_settle(SpkStore *store, gint64 token, const char *kind,
			    json_t *payload, const SpkCall *call, GError **error);
/* A call that failed: `estimate` is booked as unsettled, NULL: nothing was taken. */
gboolean spk_ledger_fail(SpkStore *store, const char *key, const SpkCall *estimate,
			 GError **error);

typedef struct {
	char *name; /* of the group; "" for the total */
	gint64 calls, input, output, cached, cache_write;
	gint64 cost_nano; /* of the calls whose price is known */
	gint64 unknown_calls, unknown_tokens;
	gint64 unsettled_calls, unsettled_nano; /* part of the above */
} SpkCostRow;
void spk_cost_row_free(SpkCostRow *row);

/* What is booked since `day` (days since 1970-01-01, UTC), dearest first, at most 10,000 rows;
 * `by`: task spark repo model provider day, or NULL for one row of all. Reservations are not in
 * it. USAGE for another word. */
GPtrArray *spk_ledger_sum(SpkStore *store, const char *by, gint64 since_day,
			  const char *task, GError **error);
gint64 spk_ledger_today(void);
/* nano-USD that a task has cost so far; -1: the price of a call of it is not known. */
gboolean spk_ledger_task_cost(SpkStore *store, const char *task, gint64 *ret_nano,
			      GError **error);

#endif
