/*
 * Earlier turns of a chat, brought down to a budget: the oldest are shortened first, then left
 * out. Pure; what comes out is recorded, so that a turn that is taken up says the same.
 */
#ifndef SPK_AGENT_HISTORY_H
#define SPK_AGENT_HISTORY_H

#include <glib.h>
#include <jansson.h>

#include "store/sessions.h"

typedef struct {
	char *user, *answer;
	char *note; /* what became of its changes, or why it has no answer; NULL: nothing */
} HistoryTurn;
void history_turn_free(HistoryTurn *turn);

/* In words for the model. */
HistoryTurn *history_turn_of(const SpkChatTurn *turn);

typedef struct {
	json_t *messages; /* user, assistant, user, … and last the message at hand (user) */
	guint turns, shortened, left_out;
} History;
void history_clear(History *history);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(History, history_clear)

/* `turns` of HistoryTurn, oldest first, `older` more before them. budget: tokens (bytes / 4) for all of them; the message
 * at hand is not counted and never cut. */
void history_fit(const GPtrArray *turns, guint older, const char *message, gint64 budget,
		 History *ret_history);

#endif
