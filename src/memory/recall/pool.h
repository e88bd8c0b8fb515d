/*
 * The candidates of one search: what the legs found, and the turns beside it. Fusion fills in their
 * scores. The pool is small (a few hundred), the store may be large.
 */
#ifndef SPK_MEMORY_POOL_H
#define SPK_MEMORY_POOL_H

#include "memory/index.h"
#include "memory/recall/turns.h"

#define SPK_POOL_NONE G_MAXUINT

typedef struct {
	gint64 num;
	SpkTurn *turn;
	guint before, after; /* places in the pool of the turns beside it, or NONE */
	int rank_words, rank_vector; /* in its leg, from 1; 0: not found by it */
	gboolean by_date;	     /* found by the time that the question names */
	double bm25, cosine;
	double words, vector;			    /* scaled, 0-1 */
	double lent;				    /* by those beside it, weighed */
	double age, named, timed, dated, substance; /* bounded additions */
	double apart; /* what it lost to better ones that are alike */
	double score;
} SpkCandidate;

typedef struct {
	GArray *all;	    /* SpkCandidate */
	GHashTable *places; /* num -> place + 1 */
	GArray *vectors;    /* float, dims for each; zeros where there is none */
	guint dims;	    /* 0: no vectors */
} SpkPool;

SpkPool *spk_pool_new(void);
void spk_pool_free(SpkPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkPool, spk_pool_free)

/* Good until the next add. */
SpkCandidate *spk_pool_at(SpkPool *pool, guint place);
/* Its place, new or not; NONE: `turns` doesn't have it. */
guint spk_pool_add(SpkPool *pool, SpkTurns *turns, gint64 num);
/* Adds the turns beside all that are in it, those beside them, up to `reach` away, and notes who
 * stands beside whom. */
void spk_pool_add_neighbours(SpkPool *pool, SpkTurns *turns, guint reach, gint64 gap_us);
/* Vectors and cosines of all. */
void spk_pool_measure(SpkPool *pool, SpkIndex *index, guint dims, const float *query);
/* Cosines again, to another question. */
void spk_pool_turn_to(SpkPool *pool, const float *query);
const float *spk_pool_vector(const SpkPool *pool, guint place);
/* Best first, by score, then num, newest first; links between them are void then. */
void spk_pool_sort(SpkPool *pool);

double spk_pool_dot(const float *a, const float *b, guint dims);

#endif
