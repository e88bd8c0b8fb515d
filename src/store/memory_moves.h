/*
 * Memories that come and go in numbers: what is worth dropping, export and import as JSON lines, and
 * the database of the reference program.
 */
#ifndef SPK_STORE_MEMORY_MOVES_H
#define SPK_STORE_MEMORY_MOVES_H

#include "base/cancel.h"
#include "store/memories.h"

/* ---- what is worth dropping ---- */
typedef struct {
	double half_life_days; /* > 0 */
	double min_score;      /* those below it; <= 0: none for that */
	gint64 max_entries;    /* the worst beyond that many active ones; 0: no limit */
	gint64 now_us;	       /* 0: the clock */
} SpkMemoryPrune;
typedef struct {
	SpkMemoryRow *row;
	double score; /* confidence * 0.5 ^ (days since it was said / half-life), 0 to 1 */
} SpkMemoryOld;
void spk_memory_old_free(SpkMemoryOld *old);
/* Active ones with their score that the rules would drop, worst first. Nothing is
 * written. GPtrArray of SpkMemoryOld. BAD_INPUT. */
GPtrArray *spk_memories_prune_find(SpkStore *store, const SpkMemoryPrune *rules,
				   GError **error);
/* Retires them: out of every search, still in `list` and `show`. *ret_n: how many. */
gboolean spk_memories_prune(SpkStore *store, const SpkMemoryPrune *rules, gsize *ret_n,
			    GError **error);

/* ---- JSON lines ---- */
/* Gets each line without its end. FALSE with *error ends it. */
typedef gboolean (*SpkMemoryLineFn)(const char *line, gpointer user, GError **error);
/* First {"memories":1}, then one object for each memory, in the order of num, with all its fields
 * and its history. With `vectors` each has {"vectors":{MODEL: base64 of little-endian 32-bit
 * floats}}. */
gboolean spk_memories_export(SpkStore *store, gboolean vectors, SpkMemoryLineFn fn,
			     gpointer user, GError **error);

typedef struct {
	gint64 read;	/* lines, or rows */
	gint64 taken;	/* stored now */
	gint64 there;	/* were here already, as they are */
	gint64 refused; /* cannot be memories */
	gint64 vectors; /* of those taken */
	GPtrArray
		*why; /* char *, of the first 20 that were refused: which, and what for */
} SpkMemoryMoved;
void spk_memory_moved_clear(SpkMemoryMoved *moved);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkMemoryMoved, spk_memory_moved_clear)

/* Stores what an export has; those that are here with the same id stay as they are, so that it can
 * be run again after it was interrupted. A line that is not of its form is refused and counted.
 * `fd` is read to its end. BAD_INPUT: it is no export at all; CANCELLED. */
gboolean spk_memories_import(SpkStore *store, int fd, SpkCancel *cancel,
			     SpkMemoryMoved *ret, GError **error);

/* ---- the reference program's database ---- */
/* Takes over its memories: id -> "ref-ID-" and 8 digits of
 * the hash of its text, category -> kind, active -> state, created_at -> time,
 * vectors of 384 floats under the fingerprint `model` (NULL: left out). The file is only read, and
 * believed nothing. What was taken is here already when it is run again. Secrets are hidden.
 * NOT_FOUND, BAD_INPUT (no database of that program), CORRUPT (read up to where it is damaged: *ret
 * tells), CANCELLED. */
gboolean spk_memories_import_reference(SpkStore *store, const char *path,
				       const char *model, SpkCancel *cancel,
				       SpkMemoryMoved *ret, GError **error);

/* Some of its rows that have a vector, chosen at random: texts as they would be stored, of no more
 * than 500 bytes, and 384 floats of length 1; at most n. So that it can be seen whether a model of
 * ours makes the same ones. Errors as above. */
typedef void (*SpkMemorySampleFn)(const char *text, const float *vector, gpointer user);
gboolean spk_memories_sample_reference(const char *path, guint n, SpkCancel *cancel,
				       SpkMemorySampleFn fn, gpointer user,
				       GError **error);

#endif
