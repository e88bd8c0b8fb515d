/* What is changed and what is forgotten. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "memory/recall/memory_priv.h"

#define TRIES 4 /* of an edit, where others write at the same time */

/* The vectors of turns that stood behind a text that is gone come back as they can; without them
 * they are found by their words meanwhile. */
static void remake(SpkMemory *memory, const GArray *nums)
{
	for (guint i = 0; i < nums->len; i++) {
		g_autoptr(GError) error = NULL;

		if (!spk_memory_remake(memory, g_array_index(nums, gint64, i), &error))
			spk_info("memory", "a vector comes later: %s", error->message);
	}
}

/* Turns whose vectors hold something of these memories, and may be made anew when these are gone. */
static gboolean part_all(SpkMemory *memory, const char *const *ids, gsize n,
			 GArray *nexts, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		g_autoptr(SpkMemoryRow) row = NULL;

		if (!spk_memories_get(memory->store, ids[i], &row, error))
			return FALSE;
		/* an id that was merged into another one has no place of its own */
		if (row && strcmp(row->id, ids[i]) == 0 &&
		    !spk_memory_part_next(memory, row, nexts, error))
			return FALSE;
	}
	return TRUE;
}

gboolean spk_memory_forget_many(SpkMemory *memory, const char *const *ids, gsize n,
				gsize *ret_n, GError **error)
{
	g_autoptr(GArray) nexts = g_array_new(FALSE, FALSE, sizeof(gint64));

	*ret_n = 0;
	if (!part_all(memory, ids, n, nexts, error) ||
	    !spk_memories_forget_many(memory->store, ids, n, ret_n, error))
		return FALSE;
	g_mutex_lock(&memory->lock);
	memory->forgot |= *ret_n > 0;
	/* The caches let go of it now, not at the next question. */
	(void)spk_memory_sync(memory, memory->index != NULL, NULL);
	g_mutex_unlock(&memory->lock);
	remake(memory, nexts);
	return TRUE;
}

gboolean spk_memory_forget(SpkMemory *memory, const char *id, gboolean *ret_was,
			   GError **error)
{
	gsize n;

	if (!spk_memory_forget_many(memory, &id, 1, &n, error))
		return FALSE;
	*ret_was = n > 0;
	return TRUE;
}

static gboolean apply(SpkMemoryRow *row, const SpkMemoryEdit *edit, GError **error)
{
	gsize speaker;

	if (edit->text) {
		g_free(row->text);
		row->text = spk_memory_clean(edit->text, error);
		if (!row->text)
			return FALSE;
		/* What is no turn doesn't become one by a colon. */
		speaker = row->speaker ? spk_traits_speaker(row->text) : 0;
		g_free(row->speaker);
		row->speaker = speaker ? g_strndup(row->text, speaker) : NULL;
	}
	if (edit->kind) {
		g_free(row->kind);
		row->kind = g_strdup(edit->kind);
	}
	if (edit->scope) {
		g_free(row->scope);
		row->scope = g_strdup(edit->scope);
	}
	if (edit->confidence >= 0)
		row->confidence = MIN(edit->confidence, 1);
	if (edit->time_us)
		row->time_us = edit->time_us;
	return TRUE;
}

static gboolean vector_of(SpkMemory *memory, SpkMemoryRow *row, float **ret,
			  GError **error)
{
	SpkMemoryPassage passage = { .text = spk_memory_said(row) };
	g_autoptr(GError) failed = NULL;
	gboolean ok = !row->speaker ||
		      spk_memory_text_before(memory, row->scope, row->time_us, row->num,
					     &passage.before, error);

	*ret = ok ? spk_memory_vectors(memory, &passage, 1, NULL, &failed) : NULL;
	if (failed)
		spk_memory_tell_late(failed);
	g_free(row->model);
	row->model = *ret ? g_strdup(memory->model) : NULL;
	spk_memory_passage_clear(&passage);
	return ok;
}

/* One try, which no other process may come between. *ret: the row as it is then. */
static gboolean edit_once(SpkMemory *memory, const char *id, const SpkMemoryEdit *edit,
			  GArray *nexts, SpkMemoryRow **ret, GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL, was = NULL;
	g_autofree float *vector = NULL;

	if (!spk_memories_get(memory->store, id, &was, error))
		return FALSE;
	if (!was) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "sparks memory list",
			      "there is no memory \"%s\"", id);
		return FALSE;
	}
	row = spk_memory_row_copy(was);
	if (!apply(row, edit, error) || !spk_memory_check_row(row, error) ||
	    !vector_of(memory, row, &vector, error) ||
	    !spk_memory_part_next(memory, was, nexts, error) ||
	    !spk_memories_edit(memory->store, row, vector, vector ? memory->dims : 0,
			       error))
		return FALSE;
	*ret = g_steal_pointer(&row);
	return TRUE;
}

gboolean spk_memory_edit(SpkMemory *memory, const char *id, const SpkMemoryEdit *edit,
			 GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GArray) nexts = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(GError) why = NULL;

	for (guint tries = 1; !edit_once(memory, id, edit, nexts, &row, &why); tries++) {
		if (tries == TRIES || !spk_error_is(why, SPK_ERR_CONFLICT)) {
			remake(memory, nexts);
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		g_clear_error(&why);
	}
	g_mutex_lock(&memory->lock);
	(void)spk_memory_sync(memory, memory->index != NULL, NULL);
	g_mutex_unlock(&memory->lock);
	remake(memory, nexts);
	g_array_set_size(nexts, 0);
	/* At another time it stands before other ones. */
	if ((edit->scope || edit->time_us) && memory->embedder &&
	    spk_memory_next_turns(memory, row, nexts, NULL))
		remake(memory, nexts);
	return TRUE;
}
