/* The parts of `sparks chat`: the room they share, a turn on the screen, what follows it, the
 * words that begin with a slash. */
#ifndef SPK_CMD_CHAT_CHAT_H
#define SPK_CMD_CHAT_CHAT_H

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/show/consent.h"
#include "core/chat.h"

typedef struct {
	SpkSession session;
	SpkChat *chat;
	char *folder;
	gboolean terminal;  /* both ways: questions are asked, lines are live */
	gboolean yes;	    /* -y: changes are applied unasked */
	GPtrArray *results; /* char *: the latest results of tools, for /show */
	guint first_result; /* number of the first of them */
	gboolean over;	    /* /quit */
	char **models; /* for completion: what the server listed, and for which model */
	char *models_of;
} ChatRoom;

void chat_room_clear(ChatRoom *room);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ChatRoom, chat_room_clear)

/* Runs a turn (message NULL: goes on with the last one) and shows it, with what it changed and
 * the question what becomes of that. Returns the exit code of the turn. */
int chat_turn(ChatRoom *room, const char *message);

/* What a turn has changed: diff, evidence; then asks (after.c). */
void chat_after(ChatRoom *room, const SpkTask *task);
/* Applies or takes back, and says what was written. */
void chat_apply(ChatRoom *room, const SpkTask *task, SpkConsent how);
void chat_undo(ChatRoom *room, const SpkTask *task);
/* The diff; `most` > 0: no more lines than that, and how many there are. */
void chat_show_diff(ChatRoom *room, const SpkTask *task, int most);

typedef enum { CHAT_TO_LOOK, CHAT_TO_WRITE } ChatUse;

/* The task that `id` names, or the last turn with changes (""). One of this repository that is no
 * turn of this session is named, and asked for before it is to write. NULL: said why. */
SpkTask *chat_find_turn(ChatRoom *room, const char *id, ChatUse use);

/* A line that begins with "/" (not "//"). */
void chat_slash(ChatRoom *room, const char *text);
/* For the editor; user is a ChatRoom. */
char **chat_complete(const char *before, const char *start, gpointer user);

/* A new session; it is stored with its first message. */
SpkChat *chat_begin(ChatRoom *room, const char *spark, const char *model, json_t *options,
		    GError **error);
/* Another session: `id` NULL: a new one with the spark and model of the present one. */
gboolean chat_switch(ChatRoom *room, const char *id, GError **error);
void chat_greet(ChatRoom *room);
void chat_list(ChatRoom *room);

#endif
