/*
 * What the files behind memory.h share. They lie on each other in this order:
 * traits, dates, turns, results, pool | fusion, best | model | sync | vectors | alike | add, search, change,
 * fill | open.
 *
 * One lock guards all that is kept in the process. It is held while the store is read or written
 * (the caches must not fall behind it), never while a text is embedded.
 */
#ifndef SPK_MEMORY_MEMORY_PRIV_H
#define SPK_MEMORY_MEMORY_PRIV_H

#include "memory/memory.h"
#include "memory/recall/fusion.h"
#include "memory/recall/results.h"

struct SpkMemory {
	SpkStore *store;
	SpkConf *conf;
	char *home, *index_path;
	SpkFusionKnobs knobs;
	SpkIndexOptions index_options;
	double dedup;
	gint64 max_entries;

	gint64 patience_ms; /* of spk_memory_set_patience() */

	GMutex model_lock;
	gboolean model_tried;
	SpkEmbedder *embedder; /* NULL: none, or not opened yet */
	char *model;	       /* fingerprint in force; NULL: none yet */
	guint dims;

	GMutex lock;
	SpkMemoryStamp stamp; /* what the caches belong to, and how far the turns are */
	SpkTurns *turns;      /* NULL: not loaded yet */
	SpkIndex *index;      /* likewise */
	gint64 index_change;  /* how far the index is */
	gboolean forgot;      /* something that the saved index may still have */
	float *mean;	      /* of the vectors, by a sample of `mean_of` of them */
	gsize mean_of;
	SpkResults *results;

	GArray *damaged; /* gint64, nums that a sync found; NULL: none */

	GMutex fill_lock;  /* of spk_memory_fill(), guards what follows */
	gint64 fill_after; /* all up to this num were looked at in this round */
	gint64 fill_left;  /* without a vector; < 0: to be counted */
	GHashTable *unfit; /* num -> change (gint64 *) of texts that have no vector */
};

/* ---- model.c ---- */
/* The embedder, opened at the first call; NULL without error: there is none, and one warning said
 * so. Borrowed. */
SpkEmbedder *spk_memory_embedder(SpkMemory *memory);
/* The model in force; `dims`: of vectors that a caller brings (0: none), which stand for a model of
 * their own where there is no other. FALSE: there is none. CONFIG: another length than the model's. */
gboolean spk_memory_model_for(SpkMemory *memory, guint dims, gboolean *ret_has,
			      GError **error);

/* Says once in the life of the process, by the log, that texts were kept without a vector. */
void spk_memory_tell_late(const GError *why);

/* ---- sync.c; the lock is held ---- */
/* Turns and, where there is a model and `vectors`, the index are as the store is now. */
gboolean spk_memory_sync(SpkMemory *memory, gboolean vectors, GError **error);
/* A row that was just written, so that the next sync has nothing to do. */
void spk_memory_note(SpkMemory *memory, const SpkMemoryRow *row, const float *vector);
/* Saves the index when much has changed since it was saved, or something was forgotten. */
void spk_memory_save(SpkMemory *memory);
gboolean spk_memory_save_now(SpkMemory *memory, GError **error);
gboolean spk_memory_has_file(const SpkMemory *memory);
/* The saved index goes. */
gboolean spk_memory_drop_file(SpkMemory *memory, GError **error);
/* Traits of the turns in the pool. */
gboolean spk_memory_learn_traits(SpkMemory *memory, SpkPool *pool, GError **error);

/* ---- vectors.c ---- */
/* What the vector of a memory is made of: of a turn without the speaker's name. */
const char *spk_memory_said(const SpkMemoryRow *row);
typedef struct {
	const char *text; /* as said */
	char *before;	  /* what was said before it; NULL */
} SpkMemoryPassage;
void spk_memory_passage_clear(SpkMemoryPassage *passage);
/* n × dims floats of length 1, allocated. A turn's is the middle between that of its text and that
 * of what was said before it and its text; nobody's name is in it. NULL without error: there is
 * no model. */
float *spk_memory_vectors(SpkMemory *memory, const SpkMemoryPassage *passages, gsize n,
			  SpkCancel *cancel, GError **error);
/* The turns that a turn's vector holds something of, the latest first. */
#define SPK_MEMORY_EARLIER 2
typedef struct {
	gint64 time_us[SPK_MEMORY_EARLIER];
	char *text[SPK_MEMORY_EARLIER]; /* NULL: there is none, nor one before it */
} SpkMemoryEarlier;
void spk_memory_earlier_clear(SpkMemoryEarlier *earlier);
/* Those before (time_us, num) in the scope. Takes the lock. */
gboolean spk_memory_find_earlier(SpkMemory *memory, const char *scope, gint64 time_us,
				 gint64 num, SpkMemoryEarlier *ret, GError **error);
/* What they say, in their order, as a passage wants it; NULL: nothing. Allocated. */
char *spk_memory_said_before(const SpkMemoryEarlier *earlier);
/* Both in one. */
gboolean spk_memory_text_before(SpkMemory *memory, const char *scope, gint64 time_us,
				gint64 num, char **ret, GError **error);
/* The same direction, of length 1; allocated. BAD_INPUT: there is none. */
float *spk_memory_unit(const float *vector, guint dims, GError **error);
/* Appends the turns after that of `row` whose vectors hold something of it. Takes the lock. */
gboolean spk_memory_next_turns(SpkMemory *memory, const SpkMemoryRow *row, GArray *nums,
			       GError **error);
/* The same, and their vectors go; they come back by spk_memory_remake() or spk_memory_fill(). */
gboolean spk_memory_part_next(SpkMemory *memory, const SpkMemoryRow *row, GArray *nums,
			      GError **error);
/* Makes the vector of that memory anew, by what stands before it now. */
gboolean spk_memory_remake(SpkMemory *memory, gint64 num, GError **error);

/* ---- add.c ---- */
/* As it is stored: without controls and secrets, bounded. BAD_INPUT. Allocated. */
char *spk_memory_clean(const char *text, GError **error);

/* ---- alike.c ---- */
/* Whether one may stand for the other: the same numbers, names of code and negations. */
gboolean spk_memory_is_same_said(const char *one, const char *other);
/* TRUE: `newer` gives another value for the one thing that `older` tells. */
gboolean spk_memory_contradicts(const char *older, const char *newer);

#endif
