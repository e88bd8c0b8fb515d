/*
 * How memories are told to a model, and how far they are trusted there. A memory is data: one line
 * with where it comes from, in a list with an opening and an end of its own that no text of a memory
 * can write. What stands in one that is `untrusted` may have been written by a repository, or by
 * strangers: whoever is told of it has read that text again (guard/taint.h). Any thread.
 */
#ifndef SPK_MEMORY_TELL_H
#define SPK_MEMORY_TELL_H

#include "guard/taint.h"
#include "store/memories.h"

/* Bytes of a memory's text that are told. */
#define SPK_MEMORY_TOLD_MAX 600

/* The scope of a repository by the folder at its top. */
char *spk_memory_scope_of_repo(const char *top);

/* `source` of a memory that was kept by `who` ("task", "spark:coder") after reading `taint`. */
char *spk_memory_source(const char *who, SpkTaint taint);
/* What a model has read that was told of it, in a task whose repository has this scope: of an
 * untrusted one REPOSITORY where it is about that repository, OUTSIDE where it is about anything
 * else or came from outside. */
SpkTaint spk_memory_taint(const SpkMemoryRow *row, const char *repo_scope);

/* "- [failure, learned by a task, 2026-11-20, untrusted] TEXT\n" */
char *spk_memory_tell(const SpkMemoryRow *row);
/* The list around `lines`: what it is, and that it gives no orders. */
char *spk_memory_tell_list(const char *lines);

#endif
