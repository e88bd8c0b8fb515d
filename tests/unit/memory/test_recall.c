/* The parts of a search: what texts show, who stands beside whom, fusion, kept results. */
#include "test_memory.h"

#include <math.h>

#include "memory/recall/dates.h"
#include "memory/recall/fusion.h"
#include "memory/recall/memory_priv.h"
#include "memory/recall/results.h"

#define MINUTE (60 * (gint64)G_USEC_PER_SEC)

/* ---- traits ---- */

static void test_speaker(void **state)
{
	static const struct {
		const char *text;
		gsize len;
	} rows[] = {
		{ "Maya: hello", 4 },
		{ "Dr. Anna Lee: hello", 12 },
		{ "Élodie: salut", 7 },
		{ "maya: hello", 0 },
		{ "Maya:hello", 0 },
		{ "Maya : hello", 0 },
		{ "Maya", 0 },
		{ "", 0 },
		{ "https://example.org: down", 0 },
		{ "Note to all of us here: hello", 0 },
		{ "C++: hello", 0 },
		{ "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: x",
		  0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(spk_traits_speaker(rows[i].text), rows[i].len);
	assert_string_equal(spk_traits_body("Maya: hello: you"), "hello: you");
	assert_string_equal(spk_traits_body("hello"), "hello");
}

static void test_traits(void **state)
{
	SpkTraits long_one, short_one, asks, both, timed;

	spk_traits_of(
		"Tom: My grandmother left me her sourdough starter with a jar of old "
		"rye flour, a wooden spoon, three linen towels and her recipes",
		&long_one);
	spk_traits_of("Tom: Thanks!", &short_one);
	spk_traits_of("Maya: What did you bake?", &asks);
	spk_traits_of("Maya: I baked bread. And you?", &both);
	spk_traits_of("Maya: We came back last Thursday", &timed);
	assert_true(long_one.substance == 1);
	assert_true(short_one.substance < 0.2f);
	assert_true(asks.asking == 1 && long_one.asking == 0);
	assert_true(both.asking > 0 && both.asking < 0.6f);
	assert_true(timed.timed && !long_one.timed);
	assert_true(spk_traits_asks_time("When did Maya come back?"));
	assert_true(spk_traits_asks_time("since when does it run"));
	assert_false(spk_traits_asks_time("Whenever is wherever"));
	assert_false(spk_traits_asks_time("Where is Maya?"));
}

/* ---- turns ---- */

static void turn(SpkTurns *turns, gint64 num, gint64 minutes, const char *scope,
		 const char *speaker)
{
	static gint64 changes;
	SpkMemoryChange change = { .num = num,
				   .change = ++changes,
				   .time_us = minutes * MINUTE,
				   .scope = scope,
				   .kind = "fact",
				   .speaker = speaker };

	spk_turns_apply(turns, &change);
}

static void assert_beside(SpkTurns *turns, gint64 num, gint64 before, gint64 after)
{
	SpkTurn *one, *two;

	spk_turns_beside(turns, spk_turns_get(turns, num), 60 * MINUTE, &one, &two);
	assert_int_equal(one ? one->num : 0, before);
	assert_int_equal(two ? two->num : 0, after);
}

static void test_turns_order(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();
	SpkMemoryChange gone = { .num = 2, .change = 9999, .gone = TRUE };

	turn(turns, 1, 10, "a", "Ann");
	turn(turns, 2, 12, "a", "Bob");
	turn(turns, 3, 11, "a", "Ann");	 /* came late, was said between */
	turn(turns, 4, 12, "b", "Ann");	 /* elsewhere */
	turn(turns, 5, 11, "a", NULL);	 /* no turn */
	turn(turns, 6, 200, "a", "Bob"); /* long after */
	turn(turns, 7, 200, "a", "Ann"); /* at the same time: in the order of num */
	assert_int_equal(spk_turns_count(turns), 7);
	assert_beside(turns, 1, 0, 3);
	assert_beside(turns, 3, 1, 2);
	assert_beside(turns, 2, 3, 0);
	assert_beside(turns, 4, 0, 0);
	assert_beside(turns, 5, 0, 0);
	assert_beside(turns, 6, 0, 7);
	assert_int_equal(
		spk_turns_before(turns, "a", 12 * MINUTE, G_MAXINT64, 60 * MINUTE)->num,
		2);
	assert_null(spk_turns_before(turns, "c", 12 * MINUTE, 1, 60 * MINUTE));
	turn(turns, 3, 199, "a", "Ann"); /* it was edited */
	assert_beside(turns, 1, 0, 2);
	assert_beside(turns, 6, 3, 7);
	spk_turns_apply(turns, &gone);
	assert_beside(turns, 1, 0, 0);
	assert_null(spk_turns_get(turns, 2));
	assert_true(spk_turns_is_talk(turns, NULL));
}

static void assert_named(SpkTurns *turns, const char *question, guint n, const char *rest)
{
	g_autofree char *left = NULL;
	g_autoptr(GArray) named = spk_turns_named(turns, question, &left);

	assert_int_equal(named->len, n);
	assert_string_equal(left, rest);
}

static void test_turns_named(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();

	turn(turns, 1, 1, "a", "Maya");
	turn(turns, 2, 2, "a", "Will Stone");
	assert_named(turns, "What did Maya bake?", 1, "What did  bake?");
	assert_named(turns, "what is maya's cat called", 1, "what is  cat called");
	assert_named(turns, "Did Maya's brother meet Mr Stone?", 2,
		     "Did  brother meet Mr ?");
	assert_named(turns, "Will it rain?", 0, "Will it rain?");
	assert_named(turns, "Does Will like it?", 1, "Does  like it?");
	assert_named(turns, "a stone for Nobody", 0, "a stone for Nobody");
}

/* ---- fusion ---- */

static SpkFusionKnobs knobs_of(SpkFusion fusion)
{
	return (SpkFusionKnobs){ .fusion = fusion,
				 .candidates = 8,
				 .weight_words = 1,
				 .weight_vector = 1,
				 .lend_gap_us = 60 * MINUTE,
				 .half_life_us = 100 * MINUTE };
}

static SpkCandidate *candidate(SpkPool *pool, SpkTurns *turns, gint64 num, double bm25,
			       int rank_words, double cosine, int rank_vector)
{
	guint place = spk_pool_add(pool, turns, num);
	SpkCandidate *c = spk_pool_at(pool, place);

	c->bm25 = bm25;
	c->rank_words = rank_words;
	c->cosine = cosine;
	c->rank_vector = rank_vector;
	return c;
}

static void assert_near(double one, double other)
{
	if (fabs(one - other) > 1e-9)
		fail_msg("%.12g is not %.12g", one, other);
}

/* clamp(bm25, 0, 5) / 5 of the first 20, cosine from 0.25, times 0.5^(age / half-life). */
static void test_reference(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();
	g_autoptr(SpkPool) pool = spk_pool_new();
	g_autoptr(GArray) nobody = g_array_new(FALSE, FALSE, sizeof(guint32));
	SpkFusionKnobs knobs = knobs_of(SPK_FUSION_REFERENCE);
	SpkFusionQuestion question = { .knobs = &knobs,
				       .now_us = 300 * MINUTE,
				       .named = nobody };

	turn(turns, 1, 300, "a", NULL);
	turn(turns, 2, 200, "a", NULL);
	turn(turns, 3, 100, "a", NULL);
	turn(turns, 4, 500, "a", NULL); /* said to come */
	candidate(pool, turns, 1, 2.5, 1, 0.4, 2);
	candidate(pool, turns, 2, 9, 2, 0.8, 1);
	candidate(pool, turns, 3, 2.5, 21, 0.24, 3);
	candidate(pool, turns, 4, 0, 0, 0.5, 4);
	spk_fusion_score(pool, &question);
	assert_near(spk_pool_at(pool, 0)->score, 0.5 + 0.4);
	assert_near(spk_pool_at(pool, 1)->score, (1 + 0.8) * 0.5);
	assert_near(spk_pool_at(pool, 2)->score, 0);
	assert_near(spk_pool_at(pool, 3)->score, 0.5);
	assert_int_equal(spk_fusion_reach(&knobs, 10), 20);
	knobs.half_life_us = 0;
	spk_fusion_score(pool, &question);
	assert_near(spk_pool_at(pool, 1)->score, 1.8);
}

static void test_rrf(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();
	g_autoptr(SpkPool) pool = spk_pool_new();
	SpkFusionKnobs knobs = knobs_of(SPK_FUSION_RRF);
	SpkFusionQuestion question = { .knobs = &knobs };

	turn(turns, 1, 300, "a", NULL);
	turn(turns, 2, 200, "a", NULL);
	candidate(pool, turns, 1, 2.5, 1, 0.4, 3);
	candidate(pool, turns, 2, 0, 0, 0.8, 1);
	spk_fusion_score(pool, &question);
	assert_near(spk_pool_at(pool, 0)->score, 1 / 61.0 + 1 / 63.0);
	assert_near(spk_pool_at(pool, 1)->score, 1 / 61.0);
}

/* Words alone: scaled by the best, lent to those beside, the named first, questions last. */
static void test_scaled(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();
	g_autoptr(SpkPool) pool = spk_pool_new();
	g_autoptr(GArray) named = NULL;
	SpkFusionKnobs knobs = knobs_of(SPK_FUSION_SCALED);
	SpkFusionQuestion question = { .knobs = &knobs, .now_us = 0 };

	turn(turns, 1, 1, "a", "Ann");
	turn(turns, 2, 2, "a", "Bob");
	turn(turns, 3, 3, "a", "Ann");
	turn(turns, 4, 4, "a", "Ann");
	knobs.weight_words = 0.5;
	knobs.lend_words = 0.2;
	knobs.named = 0.1;
	knobs.asking = 0.3;
	knobs.age = 0.01;
	question.named = named = spk_turns_named(turns, "Bob", NULL);
	candidate(pool, turns, 3, 8, 1, 0, 0);
	candidate(pool, turns, 1, 2, 2, 0, 0);
	spk_pool_add_neighbours(pool, turns, SPK_FUSION_LENT_FAR, knobs.lend_gap_us);
	assert_int_equal(pool->all->len, 4);
	spk_turns_get(turns, 1)->traits.asking = 1;
	spk_fusion_score(pool, &question);
	/* 3: the best; beside 2 and 4, which have nothing to lend, and two away from 1. */
	assert_near(spk_pool_at(pool, 0)->score, 0.5 + 0.5 * 0.04 * 0.25 + 0.01);
	assert_near(spk_pool_at(pool, 1)->score,
		    0.5 * 0.25 + 0.5 * 0.04 * 1 + 0.01 - 0.3);
	for (guint i = 2; i < 4; i++) {
		const SpkCandidate *c = spk_pool_at(pool, i);
		double lent = 0.5 * 0.2 * (c->num == 2 ? 1 + 0.25 : 1);

		assert_near(c->lent, lent);
		assert_near(c->score, lent + 0.01 + (c->num == 2 ? 0.1 : 0));
	}
	/* What is worth little of all words of the question is not scaled up to 1. */
	question.words_whole = 64;
	spk_fusion_score(pool, &question);
	assert_true(spk_pool_at(pool, 0)->words < 0.5);
	question.words_whole = 0;
	spk_fusion_score(pool, &question);
	spk_fusion_best(pool, &knobs, 2);
	assert_int_equal(pool->all->len, 2);
	assert_int_equal(spk_pool_at(pool, 0)->num, 3);
}

/* A tie is broken by age, and by no more than memory.bonus_recent. */
static void test_age_breaks_ties(void **state)
{
	g_autoptr(SpkTurns) turns = spk_turns_new();
	g_autoptr(SpkPool) pool = spk_pool_new();
	g_autoptr(GArray) nobody = g_array_new(FALSE, FALSE, sizeof(guint32));
	SpkFusionKnobs knobs = knobs_of(SPK_FUSION_SCALED);
	SpkFusionQuestion question = { .knobs = &knobs,
				       .now_us = 10000 * MINUTE,
				       .named = nobody };

	turn(turns, 1, 1, "a", NULL);
	turn(turns, 2, 9999, "a", NULL);
	turn(turns, 3, 9999, "a", NULL);
	knobs.age = 0.02;
	candidate(pool, turns, 1, 5, 1, 0, 0);
	candidate(pool, turns, 2, 4.95, 2, 0, 0);
	candidate(pool, turns, 3, 4.0, 3, 0, 0);
	spk_fusion_score(pool, &question);
	spk_fusion_best(pool, &knobs, 3);
	assert_int_equal(spk_pool_at(pool, 0)->num, 2);
	assert_int_equal(spk_pool_at(pool, 1)->num, 1);
	assert_int_equal(spk_pool_at(pool, 2)->num, 3);
}

static void test_diversity(void **state)
{
	static const float vectors[][2] = { { 0.9f, 0.43f },
					    { 0.9f, 0.44f },
					    { 0.8f, -0.6f } };
	g_autoptr(SpkTurns) turns = spk_turns_new();
	g_autoptr(SpkPool) pool = spk_pool_new();
	SpkIndexOptions options = { .dims = 2, .min_size = 100 };
	g_autoptr(SpkIndex) index = spk_index_new(&options);
	g_autoptr(GArray) nobody = g_array_new(FALSE, FALSE, sizeof(guint32));
	const float query[] = { 1, 0 };
	SpkFusionKnobs knobs = knobs_of(SPK_FUSION_SCALED);
	SpkFusionQuestion question = { .knobs = &knobs, .query = query, .named = nobody };

	for (gint64 i = 1; i <= 3; i++) {
		turn(turns, i, i, "a", NULL);
		assert_true(spk_index_put(index, i, vectors[i - 1], NULL));
		candidate(pool, turns, i, 0, 0, 0, (int)i);
	}
	spk_pool_measure(pool, index, 2, query);
	spk_fusion_score(pool, &question);
	knobs.diversity = 0.5;
	spk_fusion_best(pool, &knobs, 2);
	assert_int_equal(pool->all->len, 2);
	assert_int_equal(spk_pool_at(pool, 0)->num, 1);
	assert_int_equal(spk_pool_at(pool, 1)->num, 3);
	assert_true(spk_pool_at(pool, 1)->apart < 0);
	assert_near(spk_pool_at(pool, 1)->score - spk_pool_at(pool, 1)->apart,
		    spk_pool_at(pool, 1)->vector);
	assert_true(spk_pool_at(pool, 0)->score >= spk_pool_at(pool, 1)->score);
}

/* ---- times that are named ---- */

static gint64 noon(int year, int month, int day)
{
	g_autoptr(GDateTime) time = g_date_time_new_local(year, month, day, 12, 0, 0);

	return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

/* A day that is of the time that is named, and one that is not; 0: no time is named. */
static void test_dates(void **state)
{
	static const struct {
		const char *question;
		int in[3], out[3];
	} rows[] = {
		{ "What did Ana do on 6 October 2023?",
		  { 2023, 10, 6 },
		  { 2023, 10, 5 } },
		{ "the 6th of October, 2023", { 2023, 10, 13 }, { 2023, 10, 14 } },
		{ "on October 6th 2023", { 2023, 10, 6 }, { 2023, 10, 5 } },
		{ "What happened in October 2023?", { 2023, 10, 31 }, { 2023, 9, 30 } },
		{ "What did we decide in may?", { 2021, 5, 3 }, { 2021, 4, 30 } },
		{ "on 2024-02-29", { 2024, 2, 29 }, { 2024, 2, 28 } },
		{ "releases of 2024-02", { 2024, 2, 1 }, { 2024, 3, 8 } },
		{ "Which trips were there in 2022?", { 2022, 12, 31 }, { 2021, 12, 31 } },
		{ "what broke yesterday", { 2025, 6, 10 }, { 2025, 6, 9 } },
		{ "what broke last week", { 2025, 6, 2 }, { 2025, 6, 1 } },
		{ "what did I learn this month", { 2025, 6, 1 }, { 2025, 5, 31 } },
		{ "what did I learn last year", { 2024, 1, 1 }, { 2023, 12, 31 } },
		{ "what was it two weeks ago", { 2025, 5, 26 }, { 2025, 5, 25 } },
		{ "What did May say to April?", { 0 }, { 0 } },
		{ "port 2023 and 31 of 30 February", { 0 }, { 0 } },
		{ "How do soldiers march?", { 0 }, { 0 } },
		{ "0 march 99999999999999999999 of", { 0 }, { 0 } },
		{ "", { 0 }, { 0 } },
	};
	g_autofree char *rest = g_strnfill(SPK_DATES_QUESTION_MAX, 'x');
	g_autofree char *log = g_strconcat("in October 2023 ", rest, NULL);
	g_autoptr(GArray) none = spk_dates_named(log, noon(2025, 6, 11));
	g_autoptr(GArray) week = NULL, june = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const int *in = rows[i].in, *out = rows[i].out;
		g_autoptr(GArray)
			spans = spk_dates_named(rows[i].question, noon(2025, 6, 11));

		assert_int_equal(spans->len > 0, in[0] > 0);
		if (!in[0])
			continue;
		assert_true(spk_dates_fit(spans, noon(in[0], in[1], in[2]), TRUE));
		assert_false(spk_dates_fit(spans, noon(out[0], out[1], out[2]), TRUE));
	}
	assert_int_equal(none->len, 0);
	week = spk_dates_named("what broke last week", noon(2025, 6, 11));
	assert_true(spk_dates_fit(week, noon(2025, 6, 4), FALSE));
	assert_true(spk_dates_fit(week, noon(2025, 6, 11), TRUE));
	assert_false(spk_dates_fit(week, noon(2025, 6, 11), FALSE));
	june = spk_dates_named("what expires in June 2025", noon(2025, 6, 11));
	assert_true(spk_dates_fit(june, noon(2025, 6, 4), TRUE));
	assert_false(spk_dates_fit(june, noon(2025, 6, 4), FALSE));
}

/* ---- results ---- */

static GArray *result(guint32 value)
{
	GArray *array = g_array_new(FALSE, FALSE, sizeof(value));

	g_array_append_val(array, value);
	return array;
}

static void test_results(void **state)
{
	g_autoptr(SpkResults) results = spk_results_new(2);
	g_autoptr(GArray) one = result(1), two = result(2), three = result(3);

	assert_null(spk_results_get(results, "one", 5, 100, 10));
	spk_results_put(results, "one", 5, 100, one);
	spk_results_put(results, "two", 5, 100, two);
	assert_ptr_equal(spk_results_get(results, "one", 5, 110, 10), one);
	/* two was asked for the longest ago */
	spk_results_put(results, "three", 5, 100, three);
	assert_int_equal(spk_results_count(results), 2);
	assert_null(spk_results_get(results, "two", 5, 100, 10));
	assert_ptr_equal(spk_results_get(results, "one", 5, 100, 10), one);
	/* too old, by whatever clock */
	assert_null(spk_results_get(results, "one", 5, 111, 10));
	assert_null(spk_results_get(results, "three", 5, 80, 10));
	spk_results_put(results, "one", 5, 100, one);
	/* what was found before a write is not put after it, and not found */
	assert_null(spk_results_get(results, "one", 6, 100, 10));
	spk_results_put(results, "one", 5, 100, one);
	assert_int_equal(spk_results_count(results), 0);
}

/* ---- what says the same ---- */

static void test_same_said(void **state)
{
	static const struct {
		const char *one, *other;
		gboolean same;
	} rows[] = {
		{ "The user likes dark themes.", "User likes dark themes", TRUE },
		{ "the port is 5432", "The port is: 5432.", TRUE },
		{ "the port is 5432", "the port is 5433", FALSE },
		{ "use tabs", "don't use tabs", FALSE },
		{ "never push to main", "push to main", FALSE },
		{ "tests are in src/a_test.c", "tests are in src/b_test.c", FALSE },
		{ "version 1.2 is out", "version 1.2 has come out", TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(spk_memory_is_same_said(rows[i].one, rows[i].other),
				 rows[i].same);
}

/* One that is taken for a contradiction and is none would hide a memory: none of these may be. */
static void test_contradicts(void **state)
{
	static const struct {
		const char *older, *newer;
		gboolean contradicts;
	} rows[] = {
		{ "The database listens on port 5432",
		  "The database listens on port 5433", TRUE },
		{ "Stand-up is at 9:45 on weekdays", "Stand-up is at 10:00 on weekdays",
		  TRUE },
		{ "Release 4.2 is planned for 18 August 2025",
		  "Release 4.2 is planned for 25 August 2025", TRUE },
		{ "Release 4.2 is planned for 18 August",
		  "Release 4.2 is planned for 1 September", TRUE },
		{ "The build needs Go 1.22", "The build needs Go 1.23", TRUE },
		{ "The weekly call is on Monday", "The weekly call is on Tuesday", TRUE },
		{ "The budget for machines is 1,200 euros",
		  "The budget for machines is 1,500 euros", TRUE },
		/* other things, other events, other people, more of the same */
		{ "Release 4.2 is planned for 18 August",
		  "Release 4.3 is planned for 18 August", FALSE },
		{ "The deploy was rolled back on 14 May",
		  "The deploy was rolled back on 20 May", FALSE },
		{ "The port for staging is 80", "The port for production is 81", FALSE },
		{ "Server 1 is at 10.0.0.1", "Server 2 is at 10.0.0.2", FALSE },
		{ "Henrik likes tea", "Henrik likes coffee", FALSE },
		{ "Dana is the product owner", "Dana is on leave until August", FALSE },
		{ "The tests run with make check", "The tests run with 4 workers",
		  FALSE },
		{ "We paid 300 euros in May", "We paid 400 euros in May", FALSE },
		{ "Maya ran 10 km on 3 May", "Maya ran 12 km on 3 May", FALSE },
		{ "Issue 12 is about the parser", "Issue 13 is about the parser", FALSE },
		{ "The team has 3 testers", "The team has 3 testers", FALSE },
		{ "The user is learning Rust", "The user is learning Zig", FALSE },
		{ "Files are in src/a.c", "Files are in src/b.c", FALSE },
		{ "is 1", "is 2", FALSE },
		{ "", "", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (spk_memory_contradicts(rows[i].older, rows[i].newer) !=
		    rows[i].contradicts)
			fail_msg("\"%s\" and \"%s\"", rows[i].older, rows[i].newer);
}

const struct CMUnitTest recall_tests[] = {
	cmocka_unit_test(test_dates),
	cmocka_unit_test(test_speaker),
	cmocka_unit_test(test_traits),
	cmocka_unit_test(test_turns_order),
	cmocka_unit_test(test_turns_named),
	cmocka_unit_test(test_reference),
	cmocka_unit_test(test_rrf),
	cmocka_unit_test(test_scaled),
	cmocka_unit_test(test_age_breaks_ties),
	cmocka_unit_test(test_diversity),
	cmocka_unit_test(test_results),
	cmocka_unit_test(test_same_said),
	cmocka_unit_test(test_contradicts),
};
const size_t n_recall_tests = G_N_ELEMENTS(recall_tests);
