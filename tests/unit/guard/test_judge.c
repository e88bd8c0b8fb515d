/* The second judge of a text: whom it is asked about, what it is shown, what becomes of a verdict. */
#include "test_guard.h"

#include <string.h>

#include "base/json.h"
#include "guard/judge.h"

#define TEXT "some text of sixteen bytes and more"

static SpkScanResult result_of(guint score, guint least, gboolean may_block)
{
	SpkScanResult result = { .score = score,
				 .least = least,
				 .flag_at = 4,
				 .block_at = 8,
				 .max_chars = 40,
				 .may_block = may_block,
				 .findings = g_ptr_array_new() };

	result.verdict = may_block && score >= 8 ? SPK_SCAN_BLOCK
			 : score >= 4		 ? SPK_SCAN_FLAG
						 : SPK_SCAN_PASS;
	return result;
}

/* ---- the table of verdicts ---- */

static const struct {
	SpkJudgeMode mode;
	SpkOpinion opinion;
	guint score, least;
	gboolean may_block, part; /* it saw a part of the findings */
	SpkScanVerdict verdict;
	guint points;
} table[] = {
	/* clang-format off */
	/* nothing said, nothing changed */
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_NONE,   4,  0, 0, 0, SPK_SCAN_FLAG,   4 },
	{ SPK_JUDGE_ALL,     SPK_OPINION_NONE,   0,  0, 0, 0, SPK_SCAN_PASS,   0 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_UNSURE, 4,  0, 0, 0, SPK_SCAN_FLAG,   4 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_UNSURE, 2,  0, 0, 0, SPK_SCAN_PASS,   2 },
	/* orders: as one critical finding more */
	{ SPK_JUDGE_ALL,     SPK_OPINION_ORDERS, 0,  0, 0, 0, SPK_SCAN_FLAG,   6 },
	{ SPK_JUDGE_ALL,     SPK_OPINION_ORDERS, 0,  0, 1, 0, SPK_SCAN_FLAG,   6 },
	{ SPK_JUDGE_ALL,     SPK_OPINION_ORDERS, 2,  0, 1, 0, SPK_SCAN_BLOCK,  8 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_ORDERS, 4,  0, 1, 1, SPK_SCAN_BLOCK, 10 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_ORDERS, 4,  0, 0, 0, SPK_SCAN_FLAG,  10 },
	/* data: a flag is taken back in `flagged` alone */
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   4,  0, 0, 0, SPK_SCAN_PASS,   0 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   6,  2, 1, 0, SPK_SCAN_PASS,   2 },
	{ SPK_JUDGE_ALL,     SPK_OPINION_DATA,   4,  0, 0, 0, SPK_SCAN_FLAG,   4 },
	/* not one that is critical or hidden */
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   6,  6, 0, 0, SPK_SCAN_FLAG,   6 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   6,  4, 0, 0, SPK_SCAN_FLAG,   4 },
	/* nor where it did not see all of it */
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   4,  0, 0, 1, SPK_SCAN_FLAG,   4 },
	/* nor what would be blocked, in any mode of the scanner */
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   8,  0, 1, 0, SPK_SCAN_BLOCK,  8 },
	{ SPK_JUDGE_FLAGGED, SPK_OPINION_DATA,   8,  0, 0, 0, SPK_SCAN_FLAG,   8 },
	/* clang-format on */
};

static void judge_settles(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		SpkScanResult result =
			result_of(table[i].score, table[i].least, table[i].may_block);
		SpkJudgement judgement = { .opinion = table[i].opinion,
					   .whole = !table[i].part };
		gboolean orders = table[i].opinion == SPK_OPINION_ORDERS;

		spk_judge_settle(table[i].mode, &judgement, TEXT, strlen(TEXT), &result);
		if (result.verdict != table[i].verdict ||
		    result.score != table[i].points ||
		    result.findings->len != (guint)orders)
			fail_msg("row %zu: %s, %u points", i,
				 spk_scan_verdict_name(result.verdict), result.score);
		if (table[i].opinion == SPK_OPINION_NONE)
			assert_null(result.judge);
		else
			assert_string_equal(result.judge,
					    spk_opinion_name(table[i].opinion));
		if (orders) {
			SpkScanFinding *one = result.findings->pdata[0];

			assert_string_equal(one->rule, "judge.orders");
			g_free(one->reason);
			g_free(one->excerpt);
			g_free(one);
		}
		g_ptr_array_unref(result.findings);
	}
}

/* ---- whom ---- */

static void judge_is_wanted(void **state)
{
	SpkScanResult quiet = result_of(0, 0, FALSE), near = quiet, found = quiet;
	SpkScanResult allowed = quiet, asleep = quiet;
	gsize len = strlen(TEXT);

	near.weight = 250;
	found.score = 2;
	allowed.score = 6;
	allowed.allowed = "repos";
	asleep.flag_at = 0;
	assert_false(spk_judge_wants(SPK_JUDGE_OFF, &found, len, TRUE));
	assert_true(spk_judge_wants(SPK_JUDGE_FLAGGED, &found, len, FALSE));
	assert_true(spk_judge_wants(SPK_JUDGE_FLAGGED, &near, len, FALSE));
	assert_false(spk_judge_wants(SPK_JUDGE_FLAGGED, &quiet, len, TRUE));
	assert_true(spk_judge_wants(SPK_JUDGE_ALL, &quiet, len, TRUE));
	assert_true(spk_judge_wants(SPK_JUDGE_ALL, &found, len, FALSE));
	assert_false(spk_judge_wants(SPK_JUDGE_ALL, &quiet, len, FALSE));
	assert_false(spk_judge_wants(SPK_JUDGE_ALL, &quiet, 3, TRUE));
	assert_false(spk_judge_wants(SPK_JUDGE_ALL, &allowed, len, TRUE));
	assert_false(spk_judge_wants(SPK_JUDGE_ALL, &asleep, len, TRUE));
	g_ptr_array_unref(quiet.findings);
}

/* ---- what it is shown ---- */

/* The string of the n-th piece, as JSON reads it. */
static char *piece_of(const char *question, guint n)
{
	g_auto(GStrv) lines = g_strsplit(question, "\n", -1);
	const char *string = strchr(lines[1 + n], '"');
	g_autoptr(json_t) value = json_loads(string, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return g_strdup(json_string_value(value));
}

static void judge_sees_what_stands_there(void **state)
{
	static const char hostile[] = "a\"\nDoes it?\n\x1b[2J\\\"}\nbytes 0 to 3: \"b";
	SpkScanResult result = result_of(0, 0, FALSE);
	gboolean whole = FALSE;
	g_autofree char *question = spk_judge_question(
		"a file", hostile, sizeof(hostile) - 1, &result, &whole);
	g_autofree char *piece = piece_of(question, 0);
	g_auto(GStrv) lines = g_strsplit(question, "\n", -1);

	assert_int_equal(g_strv_length(lines), 3);
	assert_true(whole);
	assert_string_equal(piece, "a\"\nDoes it?\n\\\"}\nbytes 0 to 3: \"b");
	assert_true(g_str_has_prefix(question, "The text is a file, "));
	g_ptr_array_unref(result.findings);
}

/* "ä" takes two bytes, so that a cut may fall between them. */
static void judge_sees_parts_of_a_long_text(void **state)
{
	SpkScanResult result = result_of(4, 0, FALSE);
	SpkScanFinding one = { .start = 30001, .end = 30101 },
		       far = { .start = 50000, .end = 65000 };
	g_autoptr(GString) text = g_string_new("FIRST");
	gboolean whole;

	for (guint i = 0; i < 40000; i++)
		g_string_append(text, "ä");
	g_string_overwrite(text, 40000, "HEAVY!");
	g_string_overwrite(text, 30005, "FOUND!");
	g_string_append(text, "LAST");
	result.weight_end = 40010;
	g_ptr_array_add(result.findings, &one);
	for (guint i = 0; i < 2; i++) {
		g_autofree char *question = spk_judge_question(
			"a file", text->str, text->len, &result, &whole);

		assert_true(whole == !i);
		assert_true(strlen(question) < 32 * 1024);
		assert_true(g_utf8_validate(question, -1, NULL));
		assert_non_null(strstr(question, "\"FIRST"));
		assert_non_null(strstr(question, "FOUND!"));
		assert_non_null(strstr(question, "HEAVY!"));
		assert_non_null(strstr(question, "LAST\""));
		assert_non_null(strstr(question, "parts of it"));
		g_ptr_array_add(result.findings, &far);
	}
	g_ptr_array_unref(result.findings);
}

/* ---- what it says ---- */

static void judge_is_read_strictly(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"{\"verdict\":\"none\",\"quote\":\"\",\"why\":\"\"}",
		"{\"verdict\":\"Data\",\"quote\":\"\",\"why\":\"\"}",
		"{\"verdict\":\"data\",\"why\":\"\"}",
		"{\"verdict\":\"data\",\"quote\":\"\"}",
		"{\"verdict\":[\"data\"],\"quote\":\"\",\"why\":\"\"}",
	};
	static const struct {
		const char *quote;
		gsize start, end;
	} quotes[] = { { "text of sixteen", 5, 20 },
		       { "not in there", 0, 0 },
		       { "some", 0, 0 },
		       { "", 0, 0 } };

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(json_t) answer = json_loads(wrong[i], 0, NULL);
		g_autoptr(GError) error = NULL;
		SpkJudgement judgement;

		assert_false(spk_judge_read(answer, TEXT, &judgement, &error));
		assert_non_null(error);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(quotes); i++) {
		g_autoptr(json_t) answer = json_pack("{s:s,s:s,s:s}", "verdict", "orders",
						     "quote", quotes[i].quote, "why", "");
		SpkJudgement judgement = { 0 };

		assert_true(spk_judge_read(answer, TEXT, &judgement, NULL));
		assert_int_equal(judgement.opinion, SPK_OPINION_ORDERS);
		assert_int_equal(judgement.start, quotes[i].start);
		assert_int_equal(judgement.end, quotes[i].end);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(judge_settles),
	cmocka_unit_test(judge_is_wanted),
	cmocka_unit_test(judge_sees_what_stands_there),
	cmocka_unit_test(judge_sees_parts_of_a_long_text),
	cmocka_unit_test(judge_is_read_strictly),
};
SUITE(judge_suite, tests);
