/*
 * Chat sessions: a row each, and which task was which turn of it. What a turn said and did is
 * in its task; whether its changes were taken is read from the task's journal, so that it is
 * known however they were applied.
 */
#ifndef SPK_STORE_SESSIONS_H
#define SPK_STORE_SESSIONS_H

#include "store/store.h"

typedef struct {
	char *id;
	char *repo;  /* absolute folder */
	char *spark; /* of the turns to come */
	char *model; /* of the turns to come, as --model takes it; NULL: as configured */
	char *title; /* first line of the first message; "" before */
	json_t *options; /* of every turn: checks, max_steps, …; never NULL */
	gint64 turns;
	gint64 created_us, updated_us;
} SpkChatRow;
void spk_chat_row_free(SpkChatRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkChatRow, spk_chat_row_free)

/* The newest word on a turn's changes. */
typedef enum {
	SPK_DECISION_NONE,
	SPK_DECISION_APPLIED,
	SPK_DECISION_REFUSED,
	SPK_DECISION_UNDONE,
} SpkChatDecision;

typedef struct {
	gint64 turn; /* 1, 2, 3 ... */
	SpkChatDecision decision;
	SpkTask *task;
} SpkChatTurn;
void spk_chat_turn_free(SpkChatTurn *turn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkChatTurn, spk_chat_turn_free)

/* Reads id, repo, spark, model and options (NULL: none). CONFLICT when the id is there. */
gboolean spk_session_insert(SpkStore *store, const SpkChatRow *row, GError **error);
/* By id or unique prefix of at least 4 characters. NOT_FOUND, or USAGE when ambiguous. */
SpkChatRow *spk_session_get(SpkStore *store, const char *id, GError **error);
/* Latest used first; repo NULL: of all folders; limit 0: all. GPtrArray of SpkChatRow. */
GPtrArray *spk_session_list(SpkStore *store, const char *repo, guint limit,
			    GError **error);
/* How the turns to come are run: spark, model and options of the row. NOT_FOUND. */
gboolean spk_session_set(SpkStore *store, const SpkChatRow *row, GError **error);

/* Task (as spk_task_insert() takes it) and turn in one transaction. NOT_FOUND when there is no
 * such session. */
gboolean spk_session_add_turn(SpkStore *store, const char *id, const SpkTask *task,
			      GError **error);
/* The last `limit` turns (0: all) before turn `before` (0: to the end), oldest first. GPtrArray
 * of SpkChatTurn. */
GPtrArray *spk_session_turns(SpkStore *store, const char *id, gint64 before, guint limit,
			     GError **error);
typedef struct {
	gint64 turns, answers; /* of the model */
	gint64 tokens_in, tokens_out, tokens_cached;
	double cost_usd;	  /* of the turns whose price is known */
	gboolean cost_is_partial; /* some turn's price is not */
	double seconds;		  /* of work */
} SpkChatTotals;
/* Over the turns before turn `before`; 0: over all. */
gboolean spk_session_totals(SpkStore *store, const char *id, gint64 before,
			    SpkChatTotals *ret_totals, GError **error);
/* Session (allocated) and number of the turn that this task is; 0 and NULL: of none. */
gboolean spk_session_of_task(SpkStore *store, const char *task, char **ret_id,
			     gint64 *ret_turn, GError **error);

#endif
