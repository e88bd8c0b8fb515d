/*
 * What tasks have on record in their own words: goals, messages, answers, results of tools,
 * evidence. The copies that a task has of a memory (what it was told, taught, found or noted) go
 * when that is forgotten; what people and models have said in the same words does so on request.
 */
#ifndef SPK_STORE_MEMORY_RECORDS_H
#define SPK_STORE_MEMORY_RECORDS_H

#include "store/memories.h"

/* What stands in the place of a text. */
#define SPK_MEMORY_FORGOTTEN "[forgotten]"
/* Bytes of a text that is looked for: a shorter one is part of too many others. */
#define SPK_MEMORY_SAID_MIN 8

/* All that a memory says: its text, earlier ones, and those that were merged into it. Adds char * to
 * `texts`; an unknown id adds nothing. */
gboolean spk_memories_add_texts(SpkStore *store, const char *id, GPtrArray *texts,
				GError **error);

typedef struct {
	GPtrArray *over;     /* char *: ids of finished tasks that say one of them */
	GPtrArray *going_on; /* of others, whose records stay as they are */
} SpkMemorySaid;
void spk_memory_said_clear(SpkMemorySaid *said);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkMemorySaid, spk_memory_said_clear)
/* Looks in all records for the texts (GPtrArray of char *), word for word but for white space, and
 * with `take_out` puts SPK_MEMORY_FORGOTTEN in their place in what is on record of finished tasks, in
 * titles of sessions and in events, some hundred rows a transaction: done again, it goes on. What
 * apply and undo need stays. */
gboolean spk_memories_said(SpkStore *store, const GPtrArray *texts, gboolean take_out,
			   SpkMemorySaid *ret, GError **error);
/* A text from elsewhere without them; NULL: none is in it. */
GString *spk_memory_unsay(const GPtrArray *texts, const char *text, gsize len);

#endif
