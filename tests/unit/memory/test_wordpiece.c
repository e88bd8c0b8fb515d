/* A small vocabulary, each rule of the tokenizer by what it makes of a text. That it is the
 * models' own is shown by tests/e2e/memory. */
#include "test_memory.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/vocab_json_priv.h"
#include "memory/wordpiece.h"

static const char *const words[] = {
	"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un",    "##aff", "##able",
	"a",	 "##b",	  "hello", "world", "!",      "naive", "i",	"中",
	"文",	 "##文",  "x",	   "##x",   "ss",     "ß",     "¡",	"##ed",
	"red",	 "re",	  "##d",   "é",	    "Red",    "##",    "한",	"국",
};

static char *folder_with(const char *name, const char *text)
{
	char *dir = g_dir_make_tmp("sparks-memory-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	return dir;
}

static void drop(char *dir)
{
	assert_true(spk_fs_remove_tree(dir, NULL));
	g_free(dir);
}

static char *vocab_text(const char *end)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		g_string_append_printf(text, "%s%s", words[i], end);
	return g_string_free(text, FALSE);
}

static SpkWordpiece *open_in(const char *dir)
{
	g_autoptr(GError) error = NULL;
	SpkWordpiece *pieces = spk_wordpiece_open(dir, &error);

	if (!pieces)
		fail_msg("%s", error->message);
	return pieces;
}

static char *tokens_of(const SpkWordpiece *pieces, const char *text, gsize size,
		       gsize max)
{
	GString *seen = g_string_new(NULL);
	g_autofree guint32 *ids = g_new(guint32, max);
	gsize n = spk_wordpiece_encode(pieces, text, size, ids, max);

	for (gsize i = 0; i < n; i++)
		g_string_append_printf(seen, "%s%s", i ? " " : "", words[ids[i]]);
	return g_string_free(seen, FALSE);
}

static void same(const SpkWordpiece *pieces, const char *text, gsize size, gsize max,
		 const char *want)
{
	g_autofree char *seen = tokens_of(pieces, text, size, max);

	if (strcmp(seen, want) != 0)
		fail_msg("\"%s\": %s, not %s", text, seen, want);
}

/* clang-format off */
static const struct {
	const char *text, *tokens; /* without the frame */
} rows[] = {
	{ "unaffable", "un ##aff ##able" },
	{ "Hello,  WORLD!", "hello [UNK] world !" },
	{ "", "" },
	{ " \t\r\n\xc2\xa0\xe2\x80\xa9", "" },		  /* blanks of any kind */
	{ "naïve", "naive" },				  /* accents away, composed … */
	{ "nai\xcc\x88ve", "naive" },			  /* … or apart */
	{ "hel\xc2\xadlo", "hello" },			  /* a soft hyphen is nothing */
	{ "he\x01llo", "hello" },
	{ "hello\xef\xbf\xbd", "hello" },		  /* U+FFFD */
	{ "hello\xff\xc3world", "[UNK]" },		  /* what is no UTF-8 is nothing */
	{ "中文", "中 文" },				  /* a word each */
	{ "x中x", "x 中 x" },
	{ "한국", "[UNK]" },				  /* syllables fall apart: not in there */
	{ "ß", "ß" },					  /* has no other small form */
	{ "¡hello!", "¡ hello !" },
	{ "İ", "i" },					  /* U+0130: i and a dot above, which goes */
	{ "[MASK]x[mask]", "[MASK] x [UNK] [UNK] [UNK]" },/* only as it is written */
	{ "hello[SEP]world", "hello [SEP] world" },
	{ "##", "[UNK] [UNK]" },
	{ "xxb", "x ##x ##b" },
	{ "redq", "[UNK]" },				  /* one piece missing: the whole */
	{ "red", "red" },				  /* the longest first */
	{ "Red", "red" },
};
/* clang-format on */

static void test_rows(void **state)
{
	g_autofree char *text = vocab_text("\n");
	char *dir = folder_with("vocab.txt", text);
	g_autoptr(SpkWordpiece) pieces = open_in(dir);

	assert_int_equal(spk_wordpiece_size(pieces), G_N_ELEMENTS(words));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *want = g_strdup_printf("[CLS] %s%s[SEP]", rows[i].tokens,
							*rows[i].tokens ? " " : "");

		same(pieces, rows[i].text, strlen(rows[i].text), 64, want);
	}
	same(pieces, "hello\0world", 11, 64, "[CLS] [UNK] [SEP]"); /* NUL is nothing */
	drop(dir);
}

static void test_long_texts(void **state)
{
	g_autofree char *text = vocab_text("\r\n");
	char *dir = folder_with("vocab.txt", text);
	g_autoptr(SpkWordpiece) pieces = open_in(dir);
	GString *big = g_string_new(NULL);
	g_autofree char *seen = NULL;

	same(pieces, "hello world hello", 17, 2, "[CLS] [SEP]");
	same(pieces, "hello world hello", 17, 4, "[CLS] hello world [SEP]");
	for (guint i = 0; i < 100; i++)
		g_string_append_c(big, 'x');
	seen = tokens_of(pieces, big->str, big->len, 256);
	assert_true(g_str_has_prefix(seen, "[CLS] x ##x ##x")); /* 100 characters … */
	g_string_append_c(big, 'x');
	same(pieces, big->str, big->len, 256, "[CLS] [UNK] [SEP]"); /* … and one more */
	while (big->len < 1 << 20)
		g_string_append(big, "x"); /* a word of a megabyte */
	same(pieces, big->str, big->len, 256, "[CLS] [UNK] [SEP]");
	memset(big->str, ' ', big->len);
	same(pieces, big->str, big->len, 256, "[CLS] [SEP]");
	g_string_free(big, TRUE);
	drop(dir);
}

static void test_switches(void **state)
{
	g_autofree char *text = vocab_text("\n");
	char *dir = folder_with("vocab.txt", text);
	g_autofree char *path = g_build_filename(dir, "tokenizer_config.json", NULL);

	assert_true(g_file_set_contents(
		path, "{\"do_lower_case\":false,\"tokenize_chinese_chars\":false}", -1,
		NULL));
	{
		g_autoptr(SpkWordpiece) pieces = open_in(dir);

		same(pieces, "Red é 中文", strlen("Red é 中文"), 64,
		     "[CLS] Red é 中 ##文 [SEP]");
	}
	assert_true(g_file_set_contents(path, "{", -1, NULL));
	assert_null(spk_wordpiece_open(dir, NULL));
	drop(dir);
}

#define JSON(model, normalizer, added)                                               \
	"{\"model\":{\"type\":\"" model "\",\"vocab\":{\"[UNK]\":1,\"[CLS]\":2,"     \
	"\"[SEP]\":3,\"a\":8,\"@@b\":9},\"continuing_subword_prefix\":\"@@\"},"      \
	"\"normalizer\":{\"type\":\"BertNormalizer\"" normalizer "},"                \
	"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"added_tokens\":[" added \
	"]}"

static void test_tokenizer_json(void **state)
{
	char *dir = folder_with("tokenizer.json",
				JSON("WordPiece", "", "{\"id\":4,\"content\":\"<m>\"}"));
	g_autoptr(SpkWordpiece) pieces = open_in(dir);

	assert_int_equal(spk_wordpiece_size(pieces), 10);
	same(pieces, "AB<m> c", 7, 64, "[CLS] a ##b [MASK] [UNK] [SEP]");
	drop(dir);
}

/* The reader of what tokenizers write, and what it leaves to the parser of JSON. */
static void test_words_of_json(void **state)
{
#define OBJECT(words)                                                             \
	"{\"a\":[{\"vocab\":\"}\\\"\"}],\"model\" :{\"b\":-1e3,\"vocab\":{" words \
	"}},\"z\":0}"
	static const struct {
		const char *text, *words; /* by number; NULL: left to the parser */
	} texts[] = {
		{ OBJECT("\"b\":1,\"\\\"\":0"), "\" b" },
		{ OBJECT("\n \"\\\\x\" : 0 ,\t\"é\":1\r"), "\\x é" },
		{ OBJECT("\"\":0,\"c\":2"), " - c" },
		{ OBJECT("\"\\u0062\":0"), NULL },
		{ OBJECT("\"b\":0,\"b\":1"), NULL },
		{ OBJECT("\"b\":0,\"c\":0"), NULL },
		{ OBJECT("\"b\":01"), NULL },
		{ OBJECT("\"b\":1.0"), NULL },
		{ OBJECT("\"b\":-1"), NULL },
		{ OBJECT("\"b\":1048576"), NULL },
		{ OBJECT("\"b\":"), NULL },
		{ OBJECT("\"b\":0,"), NULL },
		{ OBJECT("\"\x01\":0"), NULL },
		{ OBJECT("\"\xff\":0"), NULL },
		{ OBJECT("\"\xc3\":0,\"\xa9\":1"), NULL },
		{ OBJECT(""), NULL },
		{ "{\"model\":{\"vocab\":{\"b\":0", NULL },
		{ "{\"model\":[\"vocab\"]}", NULL },
		{ "{\"vocab\":{\"b\":0}}", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GString) rest = g_string_new(NULL);
		gsize size = strlen(texts[i].text);
		g_autofree char *exact = g_memdup2(texts[i].text, MAX(size, 1));
		g_autoptr(Vocab) vocab = vocab_json_take(exact, size, rest);
		g_auto(GStrv)
			want = g_strsplit(texts[i].words ? texts[i].words : "", " ", 0);

		if (!vocab != !texts[i].words)
			fail_msg("%s", texts[i].text);
		if (!vocab)
			continue;
		assert_string_equal(rest->str, OBJECT(""));
		assert_int_equal(vocab_size(vocab), g_strv_length(want));
		for (guint k = 0; want[k]; k++)
			assert_int_equal(vocab_find_word(vocab, want[k]),
					 *want[k] == '-' ? VOCAB_NONE : k);
	}
}

/* Its words stand in another form, which gives the same tokens. */
static void test_escaped_words(void **state)
{
	g_auto(GStrv) parts = g_strsplit(JSON("WordPiece", "", ""), "@@b", 2);
	g_autofree char *text = g_strjoinv("\\u0040@b", parts);
	char *dir = folder_with("tokenizer.json", text);
	g_autoptr(SpkWordpiece) pieces = open_in(dir);

	same(pieces, "AB c", 4, 64, "[CLS] a ##b [UNK] [SEP]");
	drop(dir);
}

/* clang-format off */
static const struct {
	const char *name, *text, *error;
} wrong[] = {
	{ "nothing.txt", "a\n", "neither vocab.txt nor tokenizer.json" },
	{ "vocab.txt", "", "empty" },
	{ "vocab.txt", "a\n\xff\n", "UTF-8" },
	{ "vocab.txt", "a\nb\n", "[UNK], [CLS] or [SEP]" },
	{ "tokenizer.json", "", "" },
	{ "tokenizer.json", "[]", "no WordPiece" },
	{ "tokenizer.json", JSON("WordPiece\",\"vocab\":{},\"x\":\"", "", ""), "duplicate" },
	{ "tokenizer.json", JSON("WordPiece", "", "") "x", "not JSON" },
	{ "tokenizer.json", "{\"model\":{}}", "no WordPiece" },
	{ "tokenizer.json", JSON("BPE", "", ""), "no WordPiece" },
	{ "tokenizer.json", JSON("WordPiece", "", "{\"id\":4,\"content\":\"m\",\"lstrip\":true}"), "added token" },
	{ "tokenizer.json", JSON("WordPiece", "", "{\"id\":-4,\"content\":\"m\"}"), "added token" },
	{ "tokenizer.json", JSON("WordPiece\",\"max_input_chars_per_word\":5,\"x\":\"", "", ""), "no WordPiece" },
};
/* clang-format on */

static void test_wrong_files(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *dir = folder_with(wrong[i].name, wrong[i].text);
		g_autoptr(GError) error = NULL;

		assert_null(spk_wordpiece_open(dir, &error));
		if (!strstr(error->message, wrong[i].error) ||
		    !strstr(error->message, dir))
			fail_msg("row %zu: %s", i, error->message);
		drop(dir);
	}
}

static void test_too_long_word(void **state)
{
	g_autofree char *word = g_strnfill(513, 'a');
	g_autofree char *text = g_strdup_printf("[UNK]\n[CLS]\n[SEP]\n%s\n", word);
	char *dir = folder_with("vocab.txt", text);
	g_autoptr(GError) error = NULL;

	assert_null(spk_wordpiece_open(dir, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	assert_non_null(spk_error_hint(error));
	drop(dir);
}

const struct CMUnitTest wordpiece_tests[] = {
	{ "wordpiece: what becomes of a text", test_rows, NULL, NULL, NULL },
	{ "wordpiece: long texts and long words", test_long_texts, NULL, NULL, NULL },
	{ "wordpiece: the switches of tokenizer_config.json", test_switches, NULL, NULL,
	  NULL },
	{ "wordpiece: tokenizer.json", test_tokenizer_json, NULL, NULL, NULL },
	{ "wordpiece: words of tokenizer.json", test_words_of_json, NULL, NULL, NULL },
	{ "wordpiece: escaped words", test_escaped_words, NULL, NULL, NULL },
	{ "wordpiece: files that are wrong", test_wrong_files, NULL, NULL, NULL },
	{ "wordpiece: a word that is too long", test_too_long_word, NULL, NULL, NULL },
};
const size_t n_wordpiece_tests = G_N_ELEMENTS(wordpiece_tests);
