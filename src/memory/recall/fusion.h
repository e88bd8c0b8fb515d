/*
 * How the legs of a search become one order. Three formulas (memory.fusion):
 *
 * "scaled": each leg is brought to 0-1 for this question, a share of a turn's scores is lent to the
 * turns beside it, both are weighed and summed, and small bounded additions decide between what is
 * near: the speaker is named, how much a text says, whether it asks, a time where one is asked
 * for, its age. Then the question leans a little towards the best and the vectors are compared
 * again.
 * "rrf": the sum of 1 / (60 + rank) (Cormack, Clarke, Büttcher 2009).
 * "reference": the reference program's: min(bm25, 5) / 5 of its best 20 words, plus cosines from
 * 0.25, times 0.5^(age / half-life).
 *
 * docs/benchmarks.md has what each part brings.
 */
#ifndef SPK_MEMORY_FUSION_H
#define SPK_MEMORY_FUSION_H

#include "conf/conf.h"
#include "memory/recall/pool.h"

/* So many turns away one still lends; of what it lends, each further one that part again. */
#define SPK_FUSION_LENT_FAR 2

typedef enum { SPK_FUSION_SCALED, SPK_FUSION_RRF, SPK_FUSION_REFERENCE } SpkFusion;

typedef struct {
	SpkFusion fusion;
	guint candidates; /* of each leg, at least */
	double weight_words, weight_vector;
	double lend_words, lend_vector;
	gint64 lend_gap_us;
	double named, substance, asking, timed, dated, age, expand;
	double half_life_us; /* 0: age doesn't count */
	double diversity;    /* 0: none; MMR's 1 - lambda */
} SpkFusionKnobs;

void spk_fusion_knobs(const SpkConf *conf, SpkFusionKnobs *ret);

typedef struct {
	const SpkFusionKnobs *knobs;
	const float *query; /* of length 1; NULL: by words alone */
	const float *
		mean; /* of all vectors, as they are: what a cosine is worth nothing; NULL */
	double words_whole; /* bm25 of a memory with all words of the question; 0: not known */
	gint64 now_us;
	GArray *named; /* guint32: speakers that are called by name */
	gboolean asks_time;
	const GArray *dates; /* SpkDateSpan: times that it names; NULL: none */
} SpkFusionQuestion;

/* How many of each leg it wants for k results. */
guint spk_fusion_reach(const SpkFusionKnobs *knobs, guint k);
/* Fills in the scores; `pool` is measured when there is a query. */
void spk_fusion_score(SpkPool *pool, const SpkFusionQuestion *question);
/* The best k, first the best: the pool is sorted and cut. With diversity the order is that of
 * maximal marginal relevance (Carbonell, Goldstein 1998), and scores still descend. */
void spk_fusion_best(SpkPool *pool, const SpkFusionKnobs *knobs, guint k);

#endif
