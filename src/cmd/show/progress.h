/*
 * What a person sees while a task runs, on stderr: one permanent line for each entry of the
 * journal that is worth one and, on a terminal, a live line below them, redrawn in place and
 * gone at the end. Entries may come from any thread.
 */
#ifndef SPK_CMD_PROGRESS_H
#define SPK_CMD_PROGRESS_H

#include <glib.h>

#include "store/store.h"

typedef struct SpkProgress SpkProgress;

/* Writes to fd (borrowed). */
SpkProgress *spk_progress_new(int fd);
/* Takes the live line away. */
void spk_progress_free(SpkProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkProgress, spk_progress_free)

void spk_progress_entry(SpkProgress *progress, const SpkJournalEntry *entry);
/* No live line, while something else is on the terminal (a question); and again. */
void spk_progress_rest(SpkProgress *progress, gboolean rest);
/* A line of the command's own. */
void spk_progress_say(SpkProgress *progress, const char *role, const char *label,
		      const char *text);
/* Fits spk_store_on_journal(); user is the SpkProgress. */
void spk_progress_on_journal(const char *task, const SpkJournalEntry *entry,
			     gpointer user);

#endif
