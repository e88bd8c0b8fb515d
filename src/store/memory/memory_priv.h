/*
 * What the files of memories share. They lie on each other in this order:
 * stem, stop_words | words, postings, row | names, counters | scrub, copies, said, vectors | index | bulk | list |
 * match, read, since, history, stats, check | write,  forget | lines, moved | export,
 * import, reference, prune.
 */
#ifndef SPK_STORE_MEMORY_PRIV_H
#define SPK_STORE_MEMORY_PRIV_H

#include "store/memories.h"
#include "store/memory_moves.h"
#include "store/memory_records.h"
#include "store/memory/postings.h"
#include "store/memory/words.h"
#include "store/store_priv.h"

/* ---- row.c ---- */
/* "SELECT … FROM memories m " up to where the WHERE goes. */
const char *spk_memory_select(void);
/* An SpkDbRowFn: adds the SpkMemoryRow to the GPtrArray `user`. */
gboolean spk_memory_from_row(const SpkDbValue *column, gpointer user, GError **error);
GPtrArray *spk_memory_rows_new(void);
/* The one row that `where` ("WHERE …") finds, NULL when there is none. */
gboolean spk_memory_find_row(SpkTx *tx, const char *where, const SpkDbValue *args,
			     SpkMemoryRow **ret, GError **error);
/* BAD_INPUT with a hint: what cannot be stored. */
/* One that is shown and typed: nothing in it is hidden. `what` is for the error. */
gboolean spk_memory_check_name(const char *name, gsize max, const char *what,
			       GError **error);
gboolean spk_memory_check_vector(const float *vector, guint dims, const char *model,
				 GError **error);

/* ---- names.c: scopes, kinds and models are numbers, from 1, where they are many ---- */
typedef enum { SPK_MEMORY_SCOPE, SPK_MEMORY_KIND, SPK_MEMORY_MODEL } SpkMemoryName;
/* *ret_id 0: nobody uses that name. */
gboolean spk_memory_name_find(SpkTx *tx, SpkMemoryName what, const char *name,
			      gint64 *ret_id, GError **error);
gboolean spk_memory_name_get(SpkTx *tx, SpkMemoryName what, const char *name,
			     gint64 *ret_id, GError **error);
gboolean spk_memory_name_drop(SpkTx *tx, gint64 id, GError **error);

/* ---- counters.c ---- */
typedef struct {
	char store[33];
	gint64 num, change; /* the last ones given */
	gint64 words;	    /* SPK_WORDS_VERSION of what is in memory_words */
	gboolean scrub;	    /* something of a forgotten one may be left in the files */
} SpkMemoryCounters;
gboolean spk_memory_counters(SpkTx *tx, SpkMemoryCounters *ret, GError **error);
/* The next change, and the next num with `new_num`; *ret as it is then. */
gboolean spk_memory_next(SpkTx *tx, gboolean new_num, SpkMemoryCounters *ret,
			 GError **error);
gboolean spk_memory_set_words_version(SpkTx *tx, gint64 version, GError **error);
/* Caches of the table as it was are worth nothing any more. */
gboolean spk_memory_rename_store(SpkTx *tx, GError **error);

/* ---- scrub.c ---- */
/* Which tables may have something left; as it stands in memory_counters. */
typedef enum {
	SPK_SCRUB_NONE = 0,
	SPK_SCRUB_MEMORIES = 1,
	SPK_SCRUB_ALL = 2,
} SpkMemoryScrub;
gboolean spk_memory_want_scrub(SpkTx *tx, SpkMemoryScrub which, GError **error);
/* Who writes something else does not wait for readers. */
void spk_memory_try_scrub(SpkStore *store, gboolean waits);

/* ---- copies.c ---- */
/* Copies of memories of these ids (char *) in the journals of tasks. */
gboolean spk_memory_copies_drop(SpkTx *tx, GHashTable *ids, gboolean *ret_any,
				GError **error);

/* ---- vectors.c ---- */
gboolean spk_memory_vector_put(SpkTx *tx, gint64 num, const char *model,
			       const float *vector, guint dims, GError **error);
gboolean spk_memory_vectors_drop(SpkTx *tx, gint64 num, GError **error);
/* Of a column, into floats that are aligned: *buffer grows as needed. Dimensions, 0: none. */
guint spk_memory_vector_read(const SpkDbValue *column, GArray *buffer);

/* ---- index.c: words of active memories ---- */
/* CORRUPT: what is there doesn't fit; it is to be made anew. Otherwise as spk_memory_index_change(). */
gboolean spk_memory_index_try(SpkTx *tx, const SpkMemoryRow *old, const SpkMemoryRow *now,
			      GError **error);
/* Postings of a word behind those that are there. */
gboolean spk_memory_index_append(SpkTx *tx, const char *word, const SpkPosting *postings,
				 gsize n, GError **error);
/* n memories of `length` words more (or less) in these places. */
gboolean spk_memory_sums_add(SpkTx *tx, gint64 scope, gint64 kind, gint64 n,
			     gint64 length, GError **error);

/* ---- bulk.c: many at once ---- */
typedef struct SpkMemoryBulk SpkMemoryBulk;
SpkMemoryBulk *spk_memory_bulk_new(SpkTx *tx);
void spk_memory_bulk_free(SpkMemoryBulk *bulk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkMemoryBulk, spk_memory_bulk_free)
/* num is above all that are in the index. */
gboolean spk_memory_bulk_add(SpkMemoryBulk *bulk, const SpkMemoryRow *row,
			     GError **error);
gboolean spk_memory_bulk_finish(SpkMemoryBulk *bulk, GError **error);
gboolean spk_memory_index_rebuild(SpkTx *tx, GError **error);
/* `old` is not in the table of memories any more, or as `now`, which is; either may be NULL. What
 * is damaged is made anew. */
gboolean spk_memory_index_change(SpkTx *tx, const SpkMemoryRow *old,
				 const SpkMemoryRow *now, GError **error);
gboolean spk_memory_index_current(SpkTx *tx, const SpkMemoryCounters *counters,
				  GError **error);

/* ---- history.c ---- */
/* An id that was merged into the memory `num` goes, and that one counts one less. */
gboolean spk_memory_merged_remove(SpkTx *tx, const char *id, gint64 num, gint64 change,
				  GError **error);
/* An id that was merged into a memory is free again, and that one counts one less. *ret_scrub as in
 * SpkMemoryCounters. */
gboolean spk_memory_merged_drop(SpkTx *tx, const char *id, gboolean *ret_scrub,
				GError **error);

/* ---- write.c ---- */
/* The row as it is, in the place of the one with its num. */
gboolean spk_memory_write_row(SpkTx *tx, const SpkMemoryRow *row, GError **error);
/* Of row and words; *next is the change it got. `successor` NULL: as it is. */
gboolean spk_memory_set_state(SpkTx *tx, SpkMemoryRow *row, SpkMemoryState state,
			      const char *successor, SpkMemoryCounters *next,
			      GError **error);

/* ---- moved.c ---- */
/* Counts one as refused, with what it was and why; takes the error. */
void spk_memory_moved_refuse(SpkMemoryMoved *moved, const char *which,
			     GError *take_error);
/* Stores one that comes from elsewhere, as it is but for its num, when there is none of its id.
 * vectors: name of a model -> GBytes of floats; may be NULL. Taken or there, it is counted. */
gboolean spk_memory_moved_put(SpkTx *tx, SpkMemoryBulk *bulk, SpkMemoryRow *row,
			      const GPtrArray *past, GHashTable *vectors,
			      SpkMemoryMoved *moved, GError **error);

/* ---- lines.c: a memory as JSON ---- */
json_t *spk_memory_to_json(const SpkMemoryRow *row, const GPtrArray *past);
/* BAD_INPUT; *ret_past: GPtrArray of SpkMemoryPast; *ret_vectors as above. */
SpkMemoryRow *spk_memory_from_json(json_t *json, GPtrArray **ret_past,
				   GHashTable **ret_vectors, GError **error);

#endif
