/*
 * The file of a saved index, in this order:
 *
 *   IndexHeader
 *   n × gint64   whose vector a place holds; 0: nobody's
 *   n × float    its scale
 *   n × byte     1: the graph has it where another vector was
 *   linked × byte   levels of the graph, or GRAPH_TWIN
 *   n_links × guint32   its lists (graph_priv.h)
 *   n × width bytes   upper halves
 *   n × dims bytes    lower halves
 *   guint64   sum of all that, in pieces of INDEX_PIECE bytes (the last filled up with 0)
 *
 * Numbers are as this machine has them; `order` tells when another's were different.
 */
#ifndef SPK_MEMORY_INDEX_FILE_PRIV_H
#define SPK_MEMORY_INDEX_FILE_PRIV_H

#include <glib.h>

#define INDEX_MAGIC   "sparksVI"
#define INDEX_VERSION 1
#define INDEX_ORDER   0x01020304
#define INDEX_PIECE   (256 * 1024)

typedef struct {
	char magic[8];
	guint32 version, order;
	guint32 dims, width, m, ef_construction;
	guint64 n, linked, n_links;
	gint64 change;
	char store[40];
	char model[72]; /* SHA-256 of the fingerprint, in hex */
	guint8 zero[8];
} IndexHeader;
G_STATIC_ASSERT(sizeof(IndexHeader) == 184);

/* One piece more; `size` is a multiple of 32. Finds damage, keeps nobody out. */
guint64 index_sum(guint64 sum, const guint8 *piece, gsize size);
/* Of a whole file but its last 8 bytes. */
guint64 index_sum_of(const guint8 *bytes, gsize size);

#endif
