/* Scores of candidates by the three formulas. */
#include "memory/recall/fusion.h"

#include <math.h>
#include <string.h>

#include "memory/recall/dates.h"

#define RRF_K		 60.0
#define REFERENCE_WORDS	 20
#define REFERENCE_BM25	 5.0
#define REFERENCE_COSINE 0.25
#define LEAN_ON		 3 /* best candidates that the question leans to */
/* The words' best counts fully from this part of what all words of the question would weigh. */
#define WORDS_ENOUGH 0.5

void spk_fusion_knobs(const SpkConf *conf, SpkFusionKnobs *ret)
{
	const char *fusion = spk_conf_str(conf, "memory.fusion");
	const double minute = 60e6, day = 24 * 60 * minute;

	ret->fusion = strcmp(fusion, "reference") == 0 ? SPK_FUSION_REFERENCE
		      : strcmp(fusion, "rrf") == 0     ? SPK_FUSION_RRF
						       : SPK_FUSION_SCALED;
	ret->candidates = (guint)spk_conf_int(conf, "memory.candidates");
	ret->weight_words = spk_conf_real(conf, "memory.weight_words");
	ret->weight_vector = spk_conf_real(conf, "memory.weight_vector");
	ret->lend_words = spk_conf_real(conf, "memory.lend_words");
	ret->lend_vector = spk_conf_real(conf, "memory.lend_vector");
	ret->lend_gap_us =
		(gint64)(spk_conf_int(conf, "memory.lend_gap_minutes") * minute);
	ret->named = spk_conf_real(conf, "memory.bonus_named");
	ret->substance = spk_conf_real(conf, "memory.bonus_substance");
	ret->asking = spk_conf_real(conf, "memory.malus_question");
	ret->timed = spk_conf_real(conf, "memory.bonus_time");
	ret->dated = spk_conf_real(conf, "memory.bonus_date");
	ret->age = spk_conf_real(conf, "memory.bonus_recent");
	ret->expand = spk_conf_real(conf, "memory.expand");
	ret->half_life_us = spk_conf_real(conf, "memory.recency_half_life_days") * day;
	ret->diversity = spk_conf_real(conf, "memory.diversity");
}

guint spk_fusion_reach(const SpkFusionKnobs *knobs, guint k)
{
	if (knobs->fusion == SPK_FUSION_REFERENCE)
		return 2 * k;
	return MAX(knobs->candidates, 2 * k);
}

/* 1 now, 1/2 after each half-life; what is said to come counts as now. */
static double freshness(const SpkFusionQuestion *question, const SpkCandidate *candidate)
{
	double age = (double)(question->now_us - candidate->turn->time_us);

	if (question->knobs->half_life_us <= 0)
		return 1;
	return pow(0.5, MAX(age, 0) / question->knobs->half_life_us);
}

/* ---- reference, rrf ---- */

static void score_reference(SpkPool *pool, const SpkFusionQuestion *question)
{
	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate *c = spk_pool_at(pool, i);

		if (c->rank_words && c->rank_words <= REFERENCE_WORDS)
			c->words = CLAMP(c->bm25, 0, REFERENCE_BM25) / REFERENCE_BM25;
		if (c->rank_vector && c->cosine >= REFERENCE_COSINE)
			c->vector = c->cosine;
		c->age = freshness(question, c);
		c->score = (c->words + c->vector) * c->age;
	}
}

static void score_rrf(SpkPool *pool)
{
	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate *c = spk_pool_at(pool, i);

		c->words = c->rank_words ? 1 / (RRF_K + c->rank_words) : 0;
		c->vector = c->rank_vector ? 1 / (RRF_K + c->rank_vector) : 0;
		c->score = c->words + c->vector;
	}
}

/* ---- scaled ---- */

static void scale_words(SpkPool *pool, const SpkFusionQuestion *question)
{
	double most = WORDS_ENOUGH * question->words_whole;

	for (guint i = 0; i < pool->all->len; i++)
		most = MAX(most, spk_pool_at(pool, i)->bm25);
	for (guint i = 0; most > 0 && i < pool->all->len; i++)
		spk_pool_at(pool, i)->words = spk_pool_at(pool, i)->bm25 / most;
}

/* From what any memory has to this question up to the nearest. */
static void scale_vectors(SpkPool *pool, const SpkFusionQuestion *question,
			  const float *query)
{
	double least = 0, most = 0;

	if (!pool->dims)
		return;
	if (question->mean)
		least = MAX(spk_pool_dot(query, question->mean, pool->dims), 0);
	for (guint i = 0; i < pool->all->len; i++)
		most = MAX(most, spk_pool_at(pool, i)->cosine);
	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate *c = spk_pool_at(pool, i);

		c->vector = most > least ? MAX(c->cosine - least, 0) / (most - least) : 0;
	}
}

static gboolean is_named(const SpkFusionQuestion *question, const SpkTurn *turn)
{
	for (guint i = 0; turn->speaker && i < question->named->len; i++)
		if (g_array_index(question->named, guint32, i) == turn->speaker)
			return TRUE;
	return FALSE;
}

static void add_bonuses(SpkPool *pool, const SpkFusionQuestion *question)
{
	const SpkFusionKnobs *knobs = question->knobs;

	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate *c = spk_pool_at(pool, i);
		const SpkTraits *traits = &c->turn->traits;

		c->named = is_named(question, c->turn) ? knobs->named : 0;
		c->timed = question->asks_time && traits->timed ? knobs->timed : 0;
		c->dated = question->dates && spk_dates_fit(question->dates,
							    c->turn->time_us,
							    c->turn->speaker != 0)
				   ? knobs->dated
				   : 0;
		c->age = knobs->age * freshness(question, c);
		/* What was stored by itself is no chatter, however short. */
		c->substance = c->turn->speaker
				       ? knobs->substance * (traits->substance - 1) -
						 knobs->asking * traits->asking
				       : 0;
	}
}

/* What those on one side of it lend: the nearest a part, the next one that part of the part. */
static double lent_from(SpkPool *pool, const SpkCandidate *c, gsize side,
			const SpkFusionKnobs *knobs)
{
	double words = knobs->weight_words, vector = knobs->weight_vector, lent = 0;

	for (guint i = 0; i < SPK_FUSION_LENT_FAR; i++) {
		guint place = G_STRUCT_MEMBER(guint, c, side);

		if (place == SPK_POOL_NONE)
			break;
		c = spk_pool_at(pool, place);
		words *= knobs->lend_words;
		vector *= knobs->lend_vector;
		lent += words * c->words + vector * c->vector;
	}
	return lent;
}

static void sum(SpkPool *pool, const SpkFusionKnobs *knobs)
{
	for (guint i = 0; i < pool->all->len; i++) {
		SpkCandidate *c = spk_pool_at(pool, i);

		c->lent = lent_from(pool, c, offsetof(SpkCandidate, before), knobs) +
			  lent_from(pool, c, offsetof(SpkCandidate, after), knobs);
		c->score = knobs->weight_words * c->words +
			   knobs->weight_vector * c->vector + c->lent + c->named +
			   c->timed + c->dated + c->age + c->substance;
	}
}

/* The places of the best, best first; how many there are. */
static guint find_best(SpkPool *pool, guint ret[LEAN_ON])
{
	guint n = 0;

	for (guint i = 0; i < pool->all->len; i++) {
		double score = spk_pool_at(pool, i)->score;
		guint at = n;

		while (at > 0 && spk_pool_at(pool, ret[at - 1])->score < score)
			at--;
		if (at >= LEAN_ON)
			continue;
		n = MIN(n + 1, LEAN_ON);
		memmove(ret + at + 1, ret + at, (n - at - 1) * sizeof(*ret));
		ret[at] = i;
	}
	return n;
}

/* The question and a little of what answers it best (Rocchio 1971), of length 1. */
static float *lean(SpkPool *pool, const SpkFusionQuestion *question)
{
	float *query = g_memdup2(question->query, pool->dims * sizeof(float));
	guint best[LEAN_ON], n = find_best(pool, best);
	double length;

	for (guint i = 0; i < n; i++) {
		const float *vector = spk_pool_vector(pool, best[i]);

		for (guint d = 0; d < pool->dims; d++)
			query[d] += (float)question->knobs->expand * vector[d];
	}
	length = sqrt(spk_pool_dot(query, query, pool->dims));
	for (guint d = 0; length > 0 && d < pool->dims; d++)
		query[d] = (float)(query[d] / length);
	return query;
}

static void score_scaled(SpkPool *pool, const SpkFusionQuestion *question)
{
	const SpkFusionKnobs *knobs = question->knobs;
	g_autofree float *leant = NULL;

	scale_words(pool, question);
	if (question->query)
		scale_vectors(pool, question, question->query);
	add_bonuses(pool, question);
	sum(pool, knobs);
	if (!question->query || !pool->dims || knobs->expand <= 0)
		return;
	leant = lean(pool, question);
	spk_pool_turn_to(pool, leant);
	scale_vectors(pool, question, leant);
	sum(pool, knobs);
	/* What is shown is the likeness to the question itself. */
	spk_pool_turn_to(pool, question->query);
}

void spk_fusion_score(SpkPool *pool, const SpkFusionQuestion *question)
{
	switch (question->knobs->fusion) {
	case SPK_FUSION_REFERENCE:
		score_reference(pool, question);
		break;
	case SPK_FUSION_RRF:
		score_rrf(pool);
		break;
	case SPK_FUSION_SCALED:
		score_scaled(pool, question);
		break;
	}
}
