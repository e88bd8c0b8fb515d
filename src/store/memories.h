/*
 * Memories: the rows, their words and their vectors, all of them in the store's database. What
 * stands over it (indexes of vectors, kept results) is a cache and follows the numbers given here:
 * `num` names a memory for ever, `change` grows with every write of any of them and of any process.
 *
 * Texts that come in are checked (BAD_INPUT with a hint), not mended: UTF-8, bounded, not blank.
 * Each function that writes is one transaction, and durable when it returns TRUE.
 */
#ifndef SPK_STORE_MEMORIES_H
#define SPK_STORE_MEMORIES_H

#include "store/store.h"

#define SPK_MEMORY_TEXT_MAX (64u << 10) /* bytes */
#define SPK_MEMORY_ID_MAX   128
#define SPK_MEMORY_DIMS_MAX 4096

/* clang-format off */
/*  symbol      name */
#define SPK_MEMORY_STATE_TABLE(X)   \
	X(ACTIVE,     "active")     \
	X(SUPERSEDED, "superseded") /* another took its place */ \
	X(RETIRED,    "retired")    /* taken out of use by somebody */
/* clang-format on */
typedef enum {
#define X(sym, ...) SPK_MEMORY_##sym,
	SPK_MEMORY_STATE_TABLE(X)
#undef X
		SPK_N_MEMORY_STATES
} SpkMemoryState;
const char *spk_memory_state_name(SpkMemoryState state);
gboolean spk_memory_state_parse(const char *name, SpkMemoryState *ret_state);

typedef struct {
	gint64 num;  /* > 0, never used twice; stays when the text is edited */
	char *id;    /* what people and tools call it; unique */
	char *text;  /* UTF-8, 1 byte to SPK_MEMORY_TEXT_MAX */
	char *kind;  /* a word: "fact", "preference", "failure", "success", "repo", … */
	char *scope; /* "user", "repo:/path", "spark:NAME", "task:ID", or a caller's own */
	char *source; /* who said it: "user", "spark:coder", "batch", "import:PATH" */
	char *task;   /* with `entry`: of the journal it was learned from; NULL */
	gint64 entry;
	gboolean untrusted; /* out of tainted material: data, never an instruction */
	gint64 time_us;	    /* when it was said; 0 at put: now */
	gint64 stored_us;   /* when it was first stored; set by put, 0 there: now */
	gint64 updated_us;  /* when text or state last changed; set by the store */
	double confidence;  /* 0 to 1 */
	char *speaker;	    /* out of a prefix `Name: `; NULL */
	char *supersedes;   /* id; NULL */
	char *superseded_by;
	SpkMemoryState state;
	gint64 change;
	gint64 merged; /* how many others were merged into it */
	char *model;   /* fingerprint of its latest vector's model; NULL: it has none */
} SpkMemoryRow;
void spk_memory_row_free(SpkMemoryRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkMemoryRow, spk_memory_row_free)
SpkMemoryRow *spk_memory_row_copy(const SpkMemoryRow *row);

/* ---- writing ---- */
/* A new one, or in the place of the one with that id, whose num stays. `vector`: dims floats of
 * length 1, of row->model; NULL: none yet (what was there of a replaced text goes). Where
 * row->supersedes names an active memory, that one is superseded in the same transaction. Sets
 * num, change, updated_us, and 0 in time_us and stored_us. */
gboolean spk_memories_put(SpkStore *store, SpkMemoryRow *row, const float *vector,
			  guint dims, GError **error);
/* Many in one transaction: all or nothing. vectors NULL, or n pointers of which each may be NULL. */
gboolean spk_memories_put_many(SpkStore *store, SpkMemoryRow *const *rows,
			       const float *const *vectors, guint dims, gsize n,
			       GError **error);
/* Whether it can be stored. BAD_INPUT with a hint. */
gboolean spk_memory_check_row(const SpkMemoryRow *row, GError **error);
/* As put of an id that is there (else NOT_FOUND), and keeps what it said before: see
 * spk_memories_history(). CONFLICT: it was changed since row->change (0: whatever it is). */
gboolean spk_memories_edit(SpkStore *store, SpkMemoryRow *row, const float *vector,
			   guint dims, GError **error);
/* `row` was said again: it is no memory of its own but counts towards `into` (an id), under which
 * row->id is found from now on. Only id, text, source, task, entry, time_us and stored_us are
 * read. CONFLICT when a memory has that id, or `into` isn't active; NOT_FOUND. Words and vectors stay as they are. */
gboolean spk_memories_merge(SpkStore *store, const char *into, const SpkMemoryRow *row,
			    GError **error);
/* Really removes row, words, vectors, history and merged texts, and overwrites where they were;
 * (num, change) stay for the caches of others. An id that was merged into another one: its own
 * text and name. *ret_was FALSE: there was none. While another process reads for long, its last
 * copy in the -wal file goes with whoever writes next. */
gboolean spk_memories_forget(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error);
/* Many in one transaction. Unknown ids are left out; *ret_n: how many there were. */
gboolean spk_memories_forget_many(SpkStore *store, const char *const *ids, gsize n,
				  gsize *ret_n, GError **error);
/* old stays in history, found by no search. NOT_FOUND; CONFLICT when old isn't active. */
gboolean spk_memories_supersede(SpkStore *store, const char *old_id, const char *new_id,
				GError **error);
/* *ret_was FALSE: no active one has that id. */
gboolean spk_memories_retire(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error);
/* In one transaction: the oldest active ones by time_us (ties by num) beyond `keep`, at most `most`
 * of them, and none of the n nums in `spared`. *ret_n: how many. */
gboolean spk_memories_retire_oldest(SpkStore *store, gint64 keep, const gint64 *spared,
				    gsize n, guint most, gint64 *ret_n, GError **error);
/* Back in use, whatever took it out; what it was superseded by stays. FALSE in *ret_was: none that
 * is out of use has that id. */
gboolean spk_memories_revive(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error);
/* The vector is made of the text as it was at `change` (0: whatever it is): CONFLICT when it was
 * changed or forgotten meanwhile, NOT_FOUND when `change` is 0 and there is none. */
gboolean spk_memories_set_vector(SpkStore *store, gint64 num, gint64 change,
				 const char *model, const float *vector, guint dims,
				 GError **error);
typedef struct {
	gint64 num, change;
	const float *vector;
} SpkMemoryVector;
/* Many in one transaction; those that were forgotten or changed meanwhile are left out. */
gboolean spk_memories_set_vectors(SpkStore *store, const char *model,
				  const SpkMemoryVector *vectors, guint dims, gsize n,
				  gsize *ret_n, GError **error);
/* Removes the vectors of these, whatever they are of; of those that were forgotten meanwhile there
 * are none. */
gboolean spk_memories_part(SpkStore *store, const gint64 *nums, gsize n, GError **error);

/* ---- reading ---- */
/* By id, or by the id of one that was merged into it. *ret NULL: unknown. */
gboolean spk_memories_get(SpkStore *store, const char *id, SpkMemoryRow **ret,
			  GError **error);
/* By the beginning of an id, at least 4 characters, where it is unique; NOT_FOUND, USAGE. */
gboolean spk_memories_find(SpkStore *store, const char *prefix, SpkMemoryRow **ret,
			   GError **error);
/* GPtrArray of n SpkMemoryRow in the order of nums; NULL where one is gone. */
GPtrArray *spk_memories_by_num(SpkStore *store, const gint64 *nums, gsize n,
			       GError **error);
/* Its vector of that model: dims floats, NULL when there is none. */
gboolean spk_memories_vector(SpkStore *store, gint64 num, const char *model,
			     float **ret_vector, guint *ret_dims, GError **error);

/* Where the caches of others stand. */
typedef struct {
	char store[33]; /* names this table; another one after `store restore` */
	gint64 change;	/* of the latest write; 0: none yet */
} SpkMemoryStamp;
gboolean spk_memories_stamp(SpkStore *store, SpkMemoryStamp *ret, GError **error);

typedef struct {
	gint64 num, change;
	gboolean gone; /* forgotten: nothing below is set */
	SpkMemoryState state;
	gint64 time_us;
	const char *scope, *kind, *speaker; /* borrowed; speaker may be NULL */
	const float *vector; /* of the model asked for; NULL: none (or no model asked) */
	guint dims;
} SpkMemoryChange;
typedef gboolean (*SpkMemoryChangeFn)(const SpkMemoryChange *change, gpointer user,
				      GError **error);
/* Everything written after `change`, each memory once with its latest state, in the order of
 * change, at one instant. model NULL: no vectors. FALSE of fn with *error ends it. */
gboolean spk_memories_since(SpkStore *store, gint64 change, const char *model,
			    SpkMemoryChangeFn fn, gpointer user, GError **error);

typedef struct {
	const char *const *scopes, *const *kinds; /* NULL-terminated; NULL: all */
} SpkMemoryFilter;

typedef struct {
	gint64 num;
	double bm25; /* >= 0 */
} SpkMemoryMatch;
/* The keyword leg (words.h says what is a word): the best `k` active ones that pass the filter, by
 * bm25 over what passes it, ties by num, newest first. `text` is a user's, never query syntax.
 * *ret_whole (may be NULL): what one of the usual length would have with each of the words once.
 * GArray of SpkMemoryMatch. Damaged words are made anew out of the rows first, with a warning. */
GArray *spk_memories_match(SpkStore *store, const char *text,
			   const SpkMemoryFilter *filter, guint k, double *ret_whole,
			   GError **error);

/* Active ones without a vector of the model of `dims` numbers (0: however many), in the order of num,
 * after `after`: GPtrArray of SpkMemoryRow. *ret_left (may be NULL): how many there are in all. */
GPtrArray *spk_memories_without_vector(SpkStore *store, const char *model, guint dims,
				       gint64 after, guint limit, gint64 *ret_left,
				       GError **error);

/* What it said before it was edited, newest first, and what was merged into it, oldest first. */
typedef struct {
	char *id;   /* of a merged one; NULL: an earlier text */
	char *text; /* NULL: the same as the memory's */
	char *source, *task;
	gint64 entry, time_us;
	gint64 at_us; /* when it was replaced or merged */
} SpkMemoryPast;
void spk_memory_past_free(SpkMemoryPast *past);
/* GPtrArray of SpkMemoryPast. */
GPtrArray *spk_memories_history(SpkStore *store, gint64 num, GError **error);
/* Ids (char *) of what a task said that was merged into other memories, in the order of time. */
GPtrArray *spk_memories_merged_of(SpkStore *store, const char *task, GError **error);

/* ---- lists and sums ---- */
typedef struct {
	SpkMemoryFilter filter;
	int state;		   /* SpkMemoryState; < 0: all */
	const char *source, *task; /* exactly; NULL: all */
	gint64 from_us, until_us;  /* time_us in [from, until); 0: open */
	guint limit, offset;	   /* limit 0: all */
	gboolean untrusted;	   /* only these */
	gboolean oldest_first;
} SpkMemoryList;
/* By time_us, newest first unless it says otherwise. GPtrArray of SpkMemoryRow. */
GPtrArray *spk_memories_list(SpkStore *store, const SpkMemoryList *what, GError **error);
gboolean spk_memories_count(SpkStore *store, const SpkMemoryList *what, gint64 *ret_n,
			    GError **error);

typedef struct {
	char *name;
	gint64 n;
} SpkMemorySum;
typedef struct {
	gint64 by_state[SPK_N_MEMORY_STATES];
	gint64 untrusted, merged, edited, gone;
	gint64 text_bytes, words; /* of active ones; distinct words */
	gint64 oldest_us, newest_us;
	GArray *scopes, *kinds,
		*models,  /* of SpkMemorySum: active ones of each, most first */
		*vectors; /* of SpkMemorySum: vectors of each model, of whatever memory */
} SpkMemoryStats;
void spk_memory_stats_clear(SpkMemoryStats *stats);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkMemoryStats, spk_memory_stats_clear)
gboolean spk_memories_stats(SpkStore *store, SpkMemoryStats *ret, GError **error);

/* Removes the vectors of all models but that one, NULL: of all. */
gboolean spk_memories_drop_vectors(SpkStore *store, const char *model, gint64 *ret_n,
				   GError **error);

/* Checks the words against the rows and the sums against both; CORRUPT with the first finding. */
gboolean spk_memories_check(SpkStore *store, GError **error);
/* Makes the words anew out of the rows. */
gboolean spk_memories_rebuild_words(SpkStore *store, GError **error);

#endif
