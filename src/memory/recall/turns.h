/*
 * All active memories as far as ranking needs them, in the process: where each belongs, when it
 * was said, by whom, and what came before and after it in its conversation. Loaded at the first
 * use and kept up with the store by its changes; some 100 bytes a memory. Not thread-safe.
 */
#ifndef SPK_MEMORY_TURNS_H
#define SPK_MEMORY_TURNS_H

#include "memory/recall/traits.h"
#include "store/memories.h"

typedef struct SpkTurns SpkTurns;

typedef struct {
	gint64 num; /* 0: nothing stands here */
	gint64 change, time_us;
	guint32 scope, kind, speaker; /* numbers of names; speaker 0: it is no turn */
	gboolean known;		      /* traits are filled in */
	SpkTraits traits;
} SpkTurn;

SpkTurns *spk_turns_new(void);
void spk_turns_free(SpkTurns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkTurns, spk_turns_free)

/* What is not active goes. */
void spk_turns_apply(SpkTurns *turns, const SpkMemoryChange *change);
/* NULL: it is not there. Good until the next apply. */
SpkTurn *spk_turns_get(SpkTurns *turns, gint64 num);
gsize spk_turns_count(const SpkTurns *turns);
/* 0: nobody has that name. */
guint32 spk_turns_name(const SpkTurns *turns, const char *name);

/* Those beside it in its scope, by time, then num; NULL: none within gap_us, or it is no turn. */
void spk_turns_beside(SpkTurns *turns, const SpkTurn *turn, gint64 gap_us,
		      SpkTurn **ret_before, SpkTurn **ret_after);
/* The last turn of the scope before that time (num breaks ties; G_MAXINT64: a new one). */
SpkTurn *spk_turns_before(SpkTurns *turns, const char *scope, gint64 time_us, gint64 num,
			  gint64 gap_us);
/* Calls fn for at most `most` of them, in no order. */
typedef void (*SpkTurnFn)(const SpkTurn *turn, gpointer user);
void spk_turns_each(SpkTurns *turns, gsize most, SpkTurnFn fn, gpointer user);

/* Speakers that a question calls by a word of their name: GArray of guint32, maybe empty. Where
 * ret_rest isn't NULL it gets the question without those words. */
GArray *spk_turns_named(SpkTurns *turns, const char *question, char **ret_rest);
/* TRUE: most of what lies in these scopes (NULL: all) is somebody's turn. */
gboolean spk_turns_is_talk(SpkTurns *turns, const char *const *scopes);

#endif
