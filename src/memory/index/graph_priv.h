/*
 * The graph of neighbours (HNSW) over the vectors of an index. It knows them by their places,
 * which it has without a gap from 0 on, nobody's included: they lead the way, but are never
 * found. hnswlib keeps the links and chooses whom to link; it is not known beyond graph.cc, and
 * nothing is thrown from there.
 *
 * Nothing here locks. Searches and graph_look() only read, and may run beside each other; what changes the
 * graph is alone with it.
 */
#ifndef SPK_MEMORY_INDEX_GRAPH_PRIV_H
#define SPK_MEMORY_INDEX_GRAPH_PRIV_H

#include "memory/index/vectors_priv.h"

G_BEGIN_DECLS

#define GRAPH_LEVELS 24
#define GRAPH_TWIN   255
#define GRAPH_NONE   G_MAXUINT32

typedef struct SpkGraph SpkGraph;

typedef gboolean (*GraphFilter)(gint64 num, gpointer user);

/* `vectors` is borrowed. NULL: no memory. */
SpkGraph *graph_new(const Vectors *vectors, guint m, guint ef_construction);
void graph_free(SpkGraph *graph);
gsize graph_size(const SpkGraph *graph);
/* Bytes of memory, about. */
gsize graph_bytes(const SpkGraph *graph);

/* Adds the place graph_size(), in two steps: looks for its neighbours, which takes most of the time, then links
 * them. FALSE: no memory, and nothing is changed. */
gboolean graph_look(SpkGraph *graph);
gboolean graph_link(SpkGraph *graph);
/* Another vector has been put into a place that is in the graph. */
gboolean graph_relink(SpkGraph *graph, gsize place);

/* At most `width` of the nearest places that are somebody's who passes the filter, or whose twins are, in
 * no order; *ret_n of them. FALSE: given up after having compared `most` vectors. */
gboolean graph_search(const SpkGraph *graph, const VectorQuery *query, gsize width,
		      gsize most, GraphFilter filter, gpointer user, guint32 *ret,
		      gsize *ret_n);
/* Of the places with the same vector only one is found; it leads to the next, and so on. GRAPH_NONE:
 * that was the last. */
guint32 graph_twin(const SpkGraph *graph, gsize place);
gboolean graph_leads(const SpkGraph *graph, gsize place);

/* ---- to keep it ---- */
/* Up to GRAPH_LEVELS, or GRAPH_TWIN. */
guint8 graph_level(const SpkGraph *graph, gsize place);
/* How many lists there are for that: one for each level from 0 on. */
guint graph_n_lists(guint8 level);
/* A list: how many, then so many places, then up to graph_links_size() whatever is there; of
 * a twin just the place that leads to it. */
const guint32 *graph_links(const SpkGraph *graph, gsize place, guint list);
gsize graph_links_size(guint m, guint8 level, guint list);
/* A graph of the first n places out of such lists, one after the other; each number is checked. NULL: they are no graph. */
SpkGraph *graph_restore(const Vectors *vectors, guint m, guint ef_construction, gsize n,
			const guint8 *levels, const guint32 *links, gsize n_links);

G_END_DECLS

#endif
