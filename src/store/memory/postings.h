/*
 * Where a word stands, packed: blocks of at most SPK_POSTINGS_BYTES, one row of the database each,
 * in the order of num. A block is
 *   checksum (4 bytes, little-endian), then for each posting, as variable-length integers,
 *   num - the one before (the first: num - first), n << 1 | place, (place: scope, kind), length
 * where place is set when scope or kind differ from the posting before (the first: always). What
 * bm25 and the filters need is here, so that a search reads nothing else.
 */
#ifndef SPK_STORE_POSTINGS_H
#define SPK_STORE_POSTINGS_H

#include <glib.h>

/* With its word, a cell of a B-tree that needs no overflow page of 4 KiB pages. */
#define SPK_POSTINGS_BYTES 900

typedef struct {
	gint64 num;
	guint32 n;	     /* how often the word is there, from 1 */
	guint32 length;	     /* words of the memory */
	guint32 scope, kind; /* ids of names */
} SpkPosting;

/* Appends to `postings` (of SpkPosting) what is in a block. FALSE: it is damaged, and nothing
 * was appended. */
gboolean spk_postings_read(const void *block, gsize len, gint64 first, GArray *postings);
/* n >= 1, in strictly rising order of num; the first one's is the block's `first`. Takes as many
 * as fit into SPK_POSTINGS_BYTES, at least one: how many. `block` is emptied first. */
gsize spk_postings_write(const SpkPosting *postings, gsize n, GByteArray *block);

#endif
