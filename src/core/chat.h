/*
 * A conversation: a stored session whose turns are tasks of the ordinary machine, with strategy
 * `chat`. So a crash loses nothing: a session whose last turn is unfinished goes on with it,
 * and answers on record are not paid for twice. Turns run in the process and thread that
 * calls, apart from any daemon. One thread at a time per SpkChat.
 *
 * A turn that only talks makes no private copy and no branch; it ends as `done`, verdict
 * `unverified`, with no changes. Whether there is something to apply: `task->changes` has
 * files and the task is done. To apply and undo: as for any task.
 */
#ifndef SPK_CORE_CHAT_H
#define SPK_CORE_CHAT_H

#include "core/core.h"
#include "store/sessions.h"

typedef struct SpkChat SpkChat;

typedef struct {
	const char *folder; /* absolute */
	const char *spark;  /* NULL: coder */
	const char *model;  /* as --model takes it; NULL: as configured */
	json_t *options;    /* of every turn, as SpkRequest's; may be NULL */
} SpkChatStart;

/* A session to come: it is stored with its first message. NOT_FOUND (spark, folder), CONFIG (no
 * such model). */
SpkChat *spk_chat_new(SpkCore *core, const SpkChatStart *start, GError **error);
/* A stored one, by id or unique prefix; id NULL: the one of `folder` that was used last.
 * NOT_FOUND. */
SpkChat *spk_chat_resume(SpkCore *core, const char *id, const char *folder,
			 GError **error);
void spk_chat_free(SpkChat *chat);
/* Nothing will be asked for a while: what memory is only kept for speed goes. */
void spk_chat_rest(SpkChat *chat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkChat, spk_chat_free)

/* What it is now; title "" before the first message, model NULL: as configured. Borrowed, valid
 * until the next call with this chat. */
const SpkChatRow *spk_chat_row(SpkChat *chat);
gboolean spk_chat_is_stored(SpkChat *chat);

/* Who answers the messages to come. Refused at once when there is no such spark (NOT_FOUND) or
 * the model cannot be opened (CONFIG, USAGE); nothing is changed then. model NULL: as
 * configured. */
gboolean spk_chat_set_spark(SpkChat *chat, const char *spark, GError **error);
gboolean spk_chat_set_model(SpkChat *chat, const char *model, GError **error);
/* As SpkChatStart's, in the place of all of them. */
gboolean spk_chat_set_options(SpkChat *chat, json_t *options, GError **error);
/* What is said from now on comes out of a pipe or a file: nothing in it is taken for a wish of the
 * user's that is to be remembered. */
void spk_chat_set_piped(SpkChat *chat);

/* ---- turns ---- */
/* All are called in the thread that runs the turn, and each may be NULL. Texts are not clean:
 * who prints them cleans them (spk_text_clean). */
typedef struct {
	/* Pieces of an answer as they stream; several answers may follow each other in one
	 * turn, with tool calls between. What is on record is not streamed again. */
	void (*on_text)(const char *piece, gpointer user);
	/* The answer is asked for again; its pieces so far are void. */
	void (*on_restart)(const char *why, gpointer user);
	/* Each journal entry of the turn after it is written (docs/journal.md): model.intent
	 * and .result, tool.intent (name, arguments) and .result (ok, text, meta), check.*,
	 * compaction, note, verdict, state, … cmd/show/lines.h has words for them. */
	void (*on_entry)(const SpkJournalEntry *entry, gpointer user);
	gpointer user;
} SpkChatSink;

/* Stores the message as the next turn, runs it to its end, and returns its task as it stands
 * then: done (summary is the answer: the last words that streamed, or what the model gave to its
 * tool `finish`), rolled_back, failed, cancelled (cancel fired) or paused (provider away, …;
 * reason and error say why). The sink may be NULL. A turn that was left unfinished before is cancelled first; BUSY when another living process
 * runs it. NULL only when the turn could not be stored or moved on: USAGE (empty message),
 * BAD_INPUT, STORE's, LEASE_LOST. */
SpkTask *spk_chat_say(SpkChat *chat, const char *message, const SpkChatSink *sink,
		      SpkCancel *cancel, GError **error);
/* The last turn when it can go on (cut off, paused or cancelled), else NULL without error. */
SpkTask *spk_chat_unfinished(SpkChat *chat, GError **error);
/* Goes on with that turn; as spk_chat_say(). CONFLICT when there is none. */
SpkTask *spk_chat_continue(SpkChat *chat, const SpkChatSink *sink, SpkCancel *cancel,
			   GError **error);

/* The user looked at the changes of a turn and doesn't want them: the model is told so with the
 * next message. (What was applied or undone it is told from the task's own journal.) CONFLICT
 * when the task is no turn of this session. */
gboolean spk_chat_refuse(SpkChat *chat, const char *task, GError **error);

/* The last `limit` turns (0: all), oldest first; GPtrArray of SpkChatTurn. */
GPtrArray *spk_chat_turns(SpkChat *chat, guint limit, GError **error);

/* Over all turns; zeros before the first. */
gboolean spk_chat_totals(SpkChat *chat, SpkChatTotals *ret_totals, GError **error);

#endif
