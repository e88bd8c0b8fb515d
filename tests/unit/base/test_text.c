#include "test_base.h"

#include <string.h>

#include "base/text.h"

typedef struct {
	const char *name;
	const char *dirty;
	gssize len; /* -1: all of it */
	const char *text;
	const char *line;
} Clean;

#define FFFD "\xef\xbf\xbd"

static const Clean cleans[] = {
	{ "plain", "a b\n\tc", -1, "a b\n\tc", "a b c" },
	{ "white runs", "  a \r\n\t b  ", -1, "  a \n\t b  ", "a b" },
	{ "white of every kind",
	  "a\vb\fc\xc2\x85"
	  "d\xe2\x80\xa8"
	  "e",
	  -1, "abcde", "a b c d e" },
	{ "bell and backspace", "a\ab\bc\x7f", -1, "abc", "abc" },
	{ "NUL inside", "a\0b", 3, "ab", "ab" },
	{ "colour", "\033[1;31mred\033[0m", -1, "red", "red" },
	{ "private CSI", "\033[?1049hx\033[>c", -1, "x", "x" },
	{ "CSI with intermediates", "\033[4 qx\033[!p", -1, "x", "x" },
	{ "CSI cut off", "x\033[12;", -1, "x", "x" },
	{ "CSI and a line end", "x\033[12\ny", -1, "x\ny", "x y" },
	{ "title by BEL", "\033]0;title\ax", -1, "x", "x" },
	{ "title by ST", "\033]2;title\033\\x", -1, "x", "x" },
	{ "title by C1 ST", "\033]2;title\xc2\x9cx", -1, "x", "x" },
	{ "link", "\033]8;;http://h/\033\\text\033]8;;\033\\", -1, "text", "text" },
	{ "clipboard", "\033]52;c;ZXZpbA==\ax", -1, "x", "x" },
	{ "OSC given up by CAN", "\033]0;a\x18x", -1, "x", "x" },
	{ "OSC ended by a sequence", "\033]0;a\033[31mx", -1, "x", "x" },
	{ "OSC without end", "a\033]0;b\nc", -1, "a\nc", "a c" },
	{ "DCS, SOS, PM, APC", "\033Pq#0\033\\a\033Xs\033\\b\033^p\033\\c\033_k\033\\d",
	  -1, "abcd", "abcd" },
	{ "DCS with wide text", "\033Pä€😀\033\\x", -1, "x", "x" },
	{ "charset and reset", "\033(Ba\033cb\033#8c\0337", -1, "abc", "abc" },
	{ "ESC at the end", "a\033", -1, "a", "a" },
	{ "ESC before wide text", "\033ä", -1, "ä", "ä" },
	{ "ESC ESC", "\033\033[31mx", -1, "x", "x" },
	{ "C1 CSI",
	  "\xc2\x9b"
	  "31mred",
	  -1, "red", "red" },
	{ "C1 OSC",
	  "\xc2\x9d"
	  "0;title\ax",
	  -1, "x", "x" },
	{ "C1 DCS",
	  "\xc2\x90"
	  "q\xc2\x9cx",
	  -1, "x", "x" },
	{ "other C1",
	  "a\xc2\x84"
	  "b\xc2\x8d"
	  "c",
	  -1, "abc", "abc" },
	{ "raw C1 byte",
	  "\x9b"
	  "31m",
	  -1, FFFD "31m", FFFD "31m" },
	{ "cut character", "a\xe2\x82", -1, "a" FFFD FFFD, "a" FFFD FFFD },
	{ "cut by length", "a€", 2, "a" FFFD, "a" FFFD },
	{ "overlong", "\xc0\xaf", -1, FFFD FFFD, FFFD FFFD },
	{ "surrogate", "\xed\xa0\x80", -1, FFFD FFFD FFFD, FFFD FFFD FFFD },
	{ "past Unicode", "\xf4\x90\x80\x80", -1, FFFD FFFD FFFD FFFD,
	  FFFD FFFD FFFD FFFD },
	{ "bidi override",
	  "a\xe2\x80\xae"
	  "b\xe2\x80\xac"
	  "c",
	  -1, "abc", "abc" },
	{ "bidi isolates",
	  "\xe2\x81\xa6"
	  "a\xe2\x81\xa9\xe2\x80\x8f\xd8\x9c",
	  -1, "a", "a" },
	{ "tags and BOM",
	  "\xef\xbb\xbf"
	  "a\xf3\xa0\x81\x81",
	  -1, "a", "a" },
	{ "emoji with joiner stays", "👩‍💻é", -1, "👩‍💻é",
	  "👩‍💻é" },
	{ "empty", "", -1, "", "" },
};

static void clean(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cleans); i++) {
		const Clean *one = &cleans[i];
		g_autofree char *text =
			spk_text_clean(one->dirty, one->len, SPK_CLEAN_TEXT);
		g_autofree char *line =
			spk_text_clean(one->dirty, one->len, SPK_CLEAN_LINE);

		if (strcmp(text, one->text))
			fail_msg("%s as text: \"%s\"", one->name, text);
		if (strcmp(line, one->line))
			fail_msg("%s as line: \"%s\"", one->name, line);
	}
}

/* Every sequence cut at every byte, and glued to ordinary text. */
static void clean_cut_anywhere(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cleans); i++) {
		gsize len = cleans[i].len < 0 ? strlen(cleans[i].dirty)
					      : (gsize)cleans[i].len;

		for (gsize n = 0; n <= len; n++) {
			g_autofree char *exact = g_memdup2(cleans[i].dirty, MAX(n, 1));
			g_autofree char *text = spk_text_clean(exact, n, SPK_CLEAN_TEXT);

			assert_true(g_utf8_validate(text, -1, NULL));
			assert_null(strpbrk(text, "\033\a\b\r\v\f\x7f\x18"));
		}
	}
}

static void prefix_len(void **state)
{
	const char *text = "a€😀"; /* 1 + 3 + 4 bytes */
	static const gsize wanted[] = { 0, 1, 1, 1, 4, 4, 4, 4, 8, 8 };

	for (gsize max = 0; max < G_N_ELEMENTS(wanted); max++)
		assert_int_equal(spk_text_prefix_len(text, 8, max), wanted[max]);
	assert_int_equal(spk_text_prefix_len("\x80\x80\x80", 3, 2), 0);
}

static void clip(void **state)
{
	static const struct {
		const char *text;
		gsize max;
		const char *wanted;
	} rows[] = {
		{ "hello", 5, "hello" }, { "hello!", 5, "he…" }, { "€€€", 8, "€…" },
		{ "€€€", 9, "€€€" },	 { "hello", 3, "…" },	 { "hello", 2, "" },
		{ "hello", 0, "" },	 { "", 0, "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = spk_text_clip(rows[i].text, rows[i].max);

		assert_string_equal(got, rows[i].wanted);
	}
}

static void clip_middle_keeps_both_ends(void **state)
{
	g_autofree char *text = g_strnfill(1000, 'x');
	g_autofree char *got = NULL;

	memcpy(text, "HEAD", 4);
	memcpy(text + 996, "TAIL", 4);
	got = spk_text_clip_middle(text, 1000, 100);
	assert_true(g_str_has_prefix(got, "HEADxxx"));
	assert_true(g_str_has_suffix(got, "xxxTAIL"));
	assert_non_null(strstr(got, "\n[… 948 bytes left out …]\n"));
	assert_true(strlen(got) <= 100);
}

static void clip_middle_is_bounded(void **state)
{
	GString *text = g_string_new(NULL);

	for (int i = 0; i < 100; i++)
		g_string_append(text, "€ä");
	for (gsize max = 0; max <= text->len + 1; max++) {
		g_autofree char *got = spk_text_clip_middle(text->str, text->len, max);

		assert_true(strlen(got) <= max);
		assert_true(g_utf8_validate(got, -1, NULL));
		if (max >= text->len)
			assert_string_equal(got, text->str);
	}
	g_string_free(text, TRUE);
}

static void width(void **state)
{
	static const struct {
		const char *text;
		int columns, clusters;
	} cases[] = {
		{ "", 0, 0 },
		{ "abc", 3, 3 },
		{ "…", 1, 1 },
		{ "a\xff", 2, 2 },
		{ "\xf0\x9f", 2, 2 }, /* the half of a character */
		/* CJK: wide, full width, half width, Hangul whole and in parts */
		{ "日本", 4, 2 },
		{ "Ａ。", 4, 2 },
		{ "ｱ", 1, 1 },
		{ "한", 2, 1 },
		{ "\u1112\u1161\u11ab", 2, 1 },
		/* marks */
		{ "e\u0301", 1, 1 },
		{ "e\u0301\u0323x", 2, 2 },
		{ "\u0301", 0, 1 },
		{ "日\u0301", 2, 1 },
		{ "ก\u0e34\u0e48", 1, 1 },
		{ "a\u200bb", 2, 2 },
		{ "\n\u0301", 1, 2 }, /* none on a line end */
		/* pictures */
		{ "🙂", 2, 1 },
		{ "❤", 1, 1 },
		{ "❤\ufe0f", 2, 1 },
		{ "❤\ufe0e", 1, 1 },
		{ "🙂\ufe0f", 2, 1 },
		{ "a\ufe0f", 1, 1 },
		{ "1\ufe0f\u20e3", 2, 1 },
		{ "✅ ok", 5, 4 },
		/* skin tones */
		{ "👍🏽", 2, 1 },
		{ "☝🏽", 2, 1 },
		{ "☝\ufe0f🏽", 2, 1 },
		{ "🏽", 2, 1 },
		{ "a🏽", 3, 2 },
		{ "🌸🏽", 4, 2 },
		/* joined */
		{ "👨\u200d👩\u200d👧\u200d👦", 2, 1 },
		{ "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿", 2, 1 },
		{ "🏳\ufe0f\u200d🌈", 2, 1 },
		{ "👷🏻\u200d♀\ufe0f", 2, 1 },
		{ "👨\u200dx", 3, 2 },
		{ "👨👩", 4, 2 },
		{ "ب\u200dب", 2, 2 },
		/* flags */
		{ "🇩🇪", 2, 1 },
		{ "🇩🇪🇫🇷", 4, 2 },
		{ "🇩🇪🇫", 3, 2 },
		{ "🇩x", 2, 2 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *p = cases[i].text;
		int clusters = 0, columns = 0, one;

		for (gsize len; (len = spk_text_cluster(p, &one)) > 0; p += len) {
			columns += one;
			clusters++;
		}
		if (columns != cases[i].columns || clusters != cases[i].clusters)
			fail_msg("\"%s\": %d columns, %d clusters", cases[i].text,
				 columns, clusters);
		assert_int_equal(spk_text_width(cases[i].text), columns);
		assert_int_equal(*p, '\0');
	}
}

/* A million marks on one letter are many clusters, each soon done with. */
static void width_of_many_marks(void **state)
{
	g_autoptr(GString) text = g_string_new("e");
	int one;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		g_string_append(text, "\u0301");
	assert_true(spk_text_cluster(text->str, &one) < 100);
	assert_int_equal(spk_text_width(text->str), 1);
}

static void nearest(void **state)
{
	static const char *const words[] = { "model", "provider", "max_tokens", "url",
					     NULL };
	static const char *const none[] = { NULL };

	assert_string_equal(
		spk_text_nearest("modle", (const char *const[]){ "mode", NULL }), "mode");
	assert_string_equal(spk_text_nearest("provder", words), "provider");
	assert_string_equal(spk_text_nearest("MAX_TOKEN", words), "max_tokens");
	assert_string_equal(spk_text_nearest("ur", words), "url");
	assert_null(spk_text_nearest("temperature", words));
	assert_null(spk_text_nearest("", words));
	assert_null(spk_text_nearest("model", none));
}

static void nearest_of_long_words(void **state)
{
	g_autofree char *word = g_strnfill(5000, 'a');
	g_autofree char *other = g_strnfill(5000, 'b');
	const char *const words[] = { other, NULL };

	assert_null(spk_text_nearest(word, words));
}

static void did_you_mean(void **state)
{
	static const char *const words[] = { "model", NULL };
	g_autofree char *near = spk_text_did_you_mean("modell", words);
	g_autofree char *far = spk_text_did_you_mean("wholly-other", words);

	assert_string_equal(near, " (did you mean \"model\"?)");
	assert_string_equal(far, "");
}

static void sha256(void **state)
{
	g_autofree char *empty = spk_text_sha256("", 0);
	g_autofree char *abc = spk_text_sha256("abc", 3);

	assert_string_equal(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
				   "a495991b7852b855");
	assert_string_equal(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9c"
				 "b410ff61f20015ad");
}

static void bytes(void **state)
{
	static const struct {
		guint64 n;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.0 kB" },
		{ 12345678, "12.3 MB" },
		{ 999949, "999.9 kB" },
		{ 999960, "1.0 MB" },
		{ G_MAXUINT64, "18446744.1 TB" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = spk_text_bytes(rows[i].n);

		assert_string_equal(text, rows[i].text);
	}
}

static void to_int(void **state)
{
	static const char *const bad[] = { "",	  " 1",	 "1 ",	"0x10",
					   "1e3", "1.0", "--1", "x",
					   "11",  "-6",	 "1\n", "99999999999999999999" };
	gint64 value = 42;

	assert_true(spk_text_to_int("-5", -5, 10, &value));
	assert_int_equal(value, -5);
	assert_true(spk_text_to_int("10", -5, 10, &value));
	assert_int_equal(value, 10);
	value = 42;
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		if (spk_text_to_int(bad[i], -5, 10, &value))
			fail_msg("\"%s\" is taken as a number", bad[i]);
	assert_int_equal(value, 42);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(clean),
	cmocka_unit_test(clean_cut_anywhere),
	cmocka_unit_test(prefix_len),
	cmocka_unit_test(clip),
	cmocka_unit_test(clip_middle_keeps_both_ends),
	cmocka_unit_test(clip_middle_is_bounded),
	cmocka_unit_test(width),
	cmocka_unit_test(width_of_many_marks),
	cmocka_unit_test(nearest),
	cmocka_unit_test(nearest_of_long_words),
	cmocka_unit_test(did_you_mean),
	cmocka_unit_test(sha256),
	cmocka_unit_test(bytes),
	cmocka_unit_test(to_int),
};

SUITE(text_suite, tests);
