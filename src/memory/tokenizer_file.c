/*
 * Two forms: vocab.txt, a word a line, with the few switches in tokenizer_config.json; and
 * tokenizer.json, which has it all.
 */
#include "memory/tokenizer_file_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "memory/vocab_json_priv.h"

#define JSON_MAX     (64 << 20)
#define SPECIALS_MAX 64

static const char *const bert_specials[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]",
					     "[MASK]" };

void tokenizer_file_clear(TokenizerFile *file)
{
	for (guint i = 0; i < file->n_specials; i++)
		g_free(file->specials[i].text);
	g_free(file->specials);
	g_free(file->continuing);
	vocab_free(file->vocab);
	*file = (TokenizerFile){ 0 };
}

static gboolean refuse(GError **error, const char *path, const char *what)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "use a model of the BERT family: sparks memory model install",
		      "%s: %s", path, what);
	return FALSE;
}

static json_t *read_json(const char *path, GError **error)
{
	gsize n;
	g_autofree char *text = spk_fs_read(path, JSON_MAX, &n, error);
	json_t *json = text ? spk_json_parse(text, n, JSON_MAX, error) : NULL;

	if (text && !json)
		g_prefix_error(error, "%s: ", path);
	return json;
}

static void add_special(TokenizerFile *file, const char *text, guint32 id)
{
	file->specials = g_renew(SpecialToken, file->specials, file->n_specials + 1);
	file->specials[file->n_specials++] = (SpecialToken){ g_strdup(text), id };
}

static gboolean find_frame(TokenizerFile *file, const char *path, GError **error)
{
	file->unk = vocab_find_word(file->vocab, "[UNK]");
	file->cls = vocab_find_word(file->vocab, "[CLS]");
	file->sep = vocab_find_word(file->vocab, "[SEP]");
	if (file->unk == VOCAB_NONE || file->cls == VOCAB_NONE || file->sep == VOCAB_NONE)
		return refuse(error, path, "[UNK], [CLS] or [SEP] is not in it");
	return TRUE;
}

/* null follows lower-casing, as in BertNormalizer. */
static gboolean accents_go(const json_t *json, gboolean lowercase)
{
	return spk_json_bool(json, "strip_accents", lowercase);
}

/* ---- vocab.txt ---- */

static gboolean read_switches(TokenizerFile *file, const char *dir, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "tokenizer_config.json", NULL);
	g_autoptr(json_t) json = NULL;

	if (g_file_test(path, G_FILE_TEST_EXISTS)) {
		json = read_json(path, error);
		if (!json)
			return FALSE;
	}
	file->clean = TRUE;
	file->lowercase = spk_json_bool(json, "do_lower_case", TRUE);
	file->strip_accents = accents_go(json, file->lowercase);
	file->ideographs = spk_json_bool(json, "tokenize_chinese_chars", TRUE);
	return TRUE;
}

static gboolean read_lines(TokenizerFile *file, const char *dir, const char *path,
			   GError **error)
{
	file->vocab = vocab_open_lines(path, error);
	if (!file->vocab || !find_frame(file, path, error) ||
	    !read_switches(file, dir, error))
		return FALSE;
	file->continuing = g_strdup("##");
	for (guint i = 0; i < G_N_ELEMENTS(bert_specials); i++) {
		guint32 id = vocab_find_word(file->vocab, bert_specials[i]);

		if (id != VOCAB_NONE)
			add_special(file, bert_specials[i], id);
	}
	return TRUE;
}

/* ---- tokenizer.json ---- */

static Vocab *words_of(const json_t *vocab, const char *path, GError **error)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	const char *word;
	json_t *number;

	json_object_foreach((json_t *)vocab, word, number) {
		json_int_t at = json_integer_value(number);

		if (!json_is_integer(number) || at < 0 || at >= VOCAB_MAX) {
			(void)refuse(error, path, "a word has no number of its own");
			return NULL;
		}
		if (at >= words->len)
			g_ptr_array_set_size(words, (gint)at + 1);
		words->pdata[at] = (char *)word;
	}
	return vocab_new_words(words, path, error);
}

static gboolean is_type(const json_t *json, const char *key, const char *type)
{
	const char *is = spk_json_str(json_object_get(json, key), "type");

	return is && !strcmp(is, type);
}

/* As in BERT: found in the text as it came, whatever is around it. */
static gboolean is_plain(const json_t *token)
{
	return !spk_json_bool(token, "single_word", FALSE) &&
	       !spk_json_bool(token, "lstrip", FALSE) &&
	       !spk_json_bool(token, "rstrip", FALSE) &&
	       !spk_json_bool(token, "normalized", FALSE);
}

static gboolean read_added(TokenizerFile *file, const json_t *added, const char *path,
			   GError **error)
{
	json_t *token;
	size_t i;

	if (json_array_size(added) > SPECIALS_MAX)
		return refuse(error, path, "it has more than 64 added tokens");
	json_array_foreach((json_t *)added, i, token) {
		const char *text = spk_json_str(token, "content");
		gint64 id = spk_json_int(token, "id", -1);

		if (!text || !*text || id < 0 || id >= VOCAB_MAX || !is_plain(token))
			return refuse(
				error, path,
				"an added token is of a kind that BERT doesn't have");
		add_special(file, text, (guint32)id);
	}
	return TRUE;
}

static gboolean read_whole(TokenizerFile *file, const json_t *json, const char *name,
			   GError **error)
{
	const json_t *model = json_object_get(json, "model");
	const json_t *normalizer = json_object_get(json, "normalizer");
	const char *continuing = spk_json_str(model, "continuing_subword_prefix");

	if (!is_type(json, "model", "WordPiece") ||
	    !is_type(json, "normalizer", "BertNormalizer") ||
	    !is_type(json, "pre_tokenizer", "BertPreTokenizer") ||
	    spk_json_int(model, "max_input_chars_per_word", WORD_CHARS) != WORD_CHARS)
		return refuse(error, name, "it is no WordPiece tokenizer of BERT's kind");
	if (!file->vocab)
		file->vocab = words_of(json_object_get(model, "vocab"), name, error);
	if (!file->vocab || !find_frame(file, name, error))
		return FALSE;
	file->continuing = g_strdup(continuing ? continuing : "##");
	file->clean = spk_json_bool(normalizer, "clean_text", TRUE);
	file->lowercase = spk_json_bool(normalizer, "lowercase", TRUE);
	file->strip_accents = accents_go(normalizer, file->lowercase);
	file->ideographs = spk_json_bool(normalizer, "handle_chinese_chars", TRUE);
	return read_added(file, json_object_get(json, "added_tokens"), name, error);
}

/* Without the words, which are read already; FALSE: nothing is read. */
static gboolean read_quickly(TokenizerFile *file, const char *text, gsize size,
			     const char *name)
{
	g_autoptr(GString) rest = g_string_new(NULL);
	g_autoptr(json_t) json = NULL;

	file->vocab = vocab_json_take(text, size, rest);
	if (!file->vocab)
		return FALSE;
	json = spk_json_parse(rest->str, rest->len, JSON_MAX, NULL);
	if (json && read_whole(file, json, name, NULL))
		return TRUE;
	tokenizer_file_clear(file);
	return FALSE;
}

gboolean tokenizer_file_parse(TokenizerFile *file, const char *text, gsize size,
			      const char *name, GError **error)
{
	g_autoptr(json_t) json = NULL;

	*file = (TokenizerFile){ 0 };
	if (read_quickly(file, text, size, name))
		return TRUE;
	json = spk_json_parse(text, size, JSON_MAX, error);
	if (!json) {
		g_prefix_error(error, "%s: ", name);
		return FALSE;
	}
	if (read_whole(file, json, name, error))
		return TRUE;
	tokenizer_file_clear(file);
	return FALSE;
}

/* ---- a folder ---- */

gboolean tokenizer_file_read(TokenizerFile *file, const char *dir, GError **error)
{
	g_autofree char *lines = g_build_filename(dir, "vocab.txt", NULL);
	g_autofree char *whole = g_build_filename(dir, "tokenizer.json", NULL);
	g_autofree char *text = NULL;
	gsize size;

	*file = (TokenizerFile){ 0 };
	if (g_file_test(lines, G_FILE_TEST_EXISTS)) {
		if (read_lines(file, dir, lines, error))
			return TRUE;
		tokenizer_file_clear(file);
		return FALSE;
	}
	if (!g_file_test(whole, G_FILE_TEST_EXISTS)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "install one: sparks memory model install",
			      "%s has neither vocab.txt nor tokenizer.json", dir);
		return FALSE;
	}
	text = spk_fs_read(whole, JSON_MAX, &size, error);
	return text && tokenizer_file_parse(file, text, size, whole, error);
}
