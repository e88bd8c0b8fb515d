/*
 * Memory: what is added to it, and what a question brings back. The truth is the table of memories
 * (store/memories.h); this is what stands over it: likenesses merged on the way in, both legs of a
 * search (words, vectors) and their fusion on the way out.
 *
 * Opening loads nothing. The model is loaded when a text has to be embedded, the index of vectors
 * and the order of the turns at the first search or add. Without a model all goes on by words, and
 * vectors are filled in later (spk_memory_fill()). What other processes write is seen by the next
 * call. An SpkMemory may be used by any thread; the SpkStore must outlive it.
 */
#ifndef SPK_MEMORY_MEMORY_H
#define SPK_MEMORY_MEMORY_H

#include <glib.h>

#include "base/cancel.h"
#include "conf/conf.h"
#include "memory/embedder.h"
#include "store/memories.h"

#define SPK_MEMORY_K_MAX 1000 /* hits of one search */
#define SPK_MEMORY_QUERY_MAX \
	8192 /* bytes of a question that count; the rest is left out */

typedef struct SpkMemory SpkMemory;

/* `home`: SPARKS_HOME; NULL: ~/.sparks. Options [memory] and [embedding]. */
SpkMemory *spk_memory_open(SpkStore *store, const SpkConf *conf, const char *home,
			   GError **error);
/* Saves the index beside the database when it has grown; never fails for that. */
void spk_memory_close(SpkMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkMemory, spk_memory_close)

/* How long a server of embeddings may take for one call, milliseconds; what was not embedded then is
 * found by its words until spk_memory_fill(). 0: [embedding] timeout_secs, for work that nobody waits
 * for; SPK_MEMORY_PATIENCE_MS at first. While nobody else uses `memory`. */
#define SPK_MEMORY_PATIENCE_MS 2000
void spk_memory_set_patience(SpkMemory *memory, gint64 ms);

typedef struct {
	const char *id;	  /* 1-128 bytes without controls; NULL: a new one is made */
	const char *text; /* at most SPK_MEMORY_TEXT_MAX bytes */
	gboolean
		is_turn; /* of a conversation: a `Name: ` at its beginning is who said it */
	const char *kind;	/* NULL: "fact" */
	const char *scope;	/* NULL: "user" */
	const char *source;	/* NULL: "user" */
	const char *task;	/* with `entry`: where in the journal; NULL */
	gint64 entry, time_us;	/* 0: none; now */
	double confidence;	/* 0: 1.0 */
	gboolean untrusted;	/* out of tainted material */
	const char *supersedes; /* id of what it takes the place of; NULL */
	const float
		*embedding; /* of the model in force, any length but 0; NULL: made here */
	guint dims;	    /* of `embedding` */
	SpkCancel *
		cancel; /* ends the waiting for its vector: it is stored in any case; NULL */
} SpkMemoryNew;

typedef struct {
	char *id;
	char *merged_into; /* id of the older one that stands for it, too; NULL: it stands alone */
	char *superseded; /* id of what it took the place of; NULL */
} SpkMemoryAdded;
void spk_memory_added_clear(SpkMemoryAdded *added);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkMemoryAdded, spk_memory_added_clear)

/* Secrets are redacted, what a terminal would act on is taken out, near-duplicates of the same
 * scope and kind are merged into the older one (cosine >= memory.dedup_threshold; the same text
 * where there are no vectors); of an untrusted one a trusted one takes the place instead. An id that
 * is there already is replaced, and merged with nothing.
 * Durable when TRUE. BAD_INPUT: empty, too long, no UTF-8, a bad id, an embedding of
 * another length than the model's; NOT_FOUND: `supersedes` names nothing. */
gboolean spk_memory_add(SpkMemory *memory, const SpkMemoryNew *add, SpkMemoryAdded *ret,
			GError **error);
/* Many, in as few transactions as can be; merged as if they came one by one. ret and ret_errors
 * have room for n: where ret_errors[i] is NULL, the i-th is durable. */
void spk_memory_add_many(SpkMemory *memory, const SpkMemoryNew *adds, gsize n,
			 SpkMemoryAdded *ret, GError **ret_errors);

typedef struct {
	const char *text;
	const char *const *scopes, *const *kinds; /* NULL: all */
	guint k;				  /* 0: 10; at most SPK_MEMORY_K_MAX */
	gint64 now_us;				  /* age counts from here; 0: the clock */
	const float
		*embedding; /* of the question, by the model in force; NULL: made here */
	guint dims;
	gboolean words_only; /* don't load a model for it */
	SpkCancel *cancel;   /* ends the waiting for its vector; NULL */
} SpkMemoryQuery;

typedef struct {
	SpkMemoryRow *row;
	double score; /* final; they descend */
	/* How it came about; ranks from 1, 0: not found by that leg. */
	int rank_words, rank_vector;
	double bm25, cosine;  /* as the legs have it; cosine 0: not known */
	double words, vector; /* 0-1, before they are weighed (memory.weight_…) */
	double lent;	      /* by the turns beside it, weighed */
	double named, timed;  /* bounded additions */
	double dated;
	double age, substance; /* likewise; of "reference", age is the factor */
	double apart;	       /* below 0: what it lost to better ones that are alike */
} SpkMemoryHit;
void spk_memory_hit_free(SpkMemoryHit *hit);
/* Best first, only active ones. GPtrArray of SpkMemoryHit. An empty question brings nothing. */
GPtrArray *spk_memory_search(SpkMemory *memory, const SpkMemoryQuery *query,
			     GError **error);

typedef struct {
	const char *text, *kind, *scope; /* NULL: as it is */
	double confidence;		 /* < 0: as it is */
	gint64 time_us;			 /* 0: as it is */
} SpkMemoryEdit;
/* Words, vector and, where it is a turn, who said it follow the text; what others
 * write meanwhile stays. NOT_FOUND, BAD_INPUT; CONFLICT: others write it all the time. */
gboolean spk_memory_edit(SpkMemory *memory, const char *id, const SpkMemoryEdit *edit,
			 GError **error);
/* Row, words, vector and what is kept for speed; of the index beside the store at
 * spk_memory_close(). Unknown ids are left out; *ret_n: how many there were. */
gboolean spk_memory_forget_many(SpkMemory *memory, const char *const *ids, gsize n,
				gsize *ret_n, GError **error);
/* *ret_was FALSE: there was none. */
gboolean spk_memory_forget(SpkMemory *memory, const char *id, gboolean *ret_was,
			   GError **error);
/* Vectors of `n` texts by the model in force: n * *ret_dims floats, allocated. NOT_FOUND with a
 * hint: there is no model. */
float *spk_memory_embed(SpkMemory *memory, const char *const *texts, gsize n,
			SpkEmbedUse use, guint *ret_dims, GError **error);
/* The fingerprint of the model in force, NULL: there is none. Allocated. Loads no weights. */
char *spk_memory_model(SpkMemory *memory);

/* How many active ones have no vector of the model in force; all where there is no model. */
gboolean spk_memory_without_vector(SpkMemory *memory, gint64 *ret_n, GError **error);
/* Makes vectors for at most `most` memories that have none of the model in force; the daemon calls
 * it when it has time, `reindex` in a loop, and it goes on where it ended. *ret_left: how many are
 * still without. A text that the model cannot embed is passed over from then on, with a warning; FALSE:
 * the model as a whole does not answer. */
gboolean spk_memory_fill(SpkMemory *memory, guint most, guint *ret_left,
			 SpkCancel *cancel, GError **error);
/* Throws the index away and makes it anew out of the table. */
gboolean spk_memory_rebuild(SpkMemory *memory, GError **error);
/* Where the cache of the index is. Borrowed. */
const char *spk_memory_index_path(SpkMemory *memory);
/* Pairs of active memories of one scope whose cosine is at least `threshold`, best first, at most
 * `most`. fn's ids are borrowed. */
typedef void (*SpkMemoryPairFn)(const char *id, const char *other, double cosine,
				gpointer user);
gboolean spk_memory_duplicates(SpkMemory *memory, double threshold, guint most,
			       SpkMemoryPairFn fn, gpointer user, SpkCancel *cancel,
			       GError **error);

#endif
