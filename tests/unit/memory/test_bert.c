/* The engine over a made-up model, against its formula; its cache; folders that are wrong. */
#include "test_memory.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/bert.h"
#include "memory/kernels_priv.h"
#include "tiny_model.h"

static const char *const sets[] = { "portable", "avx2", "avxvnni",
				    "avx512",	"neon", "dotprod" };

static void drop(char *dir)
{
	assert_true(spk_fs_remove_tree(dir, NULL));
	g_free(dir);
}

static SpkBert *try_open(const char *dir, const SpkBertOptions *options, GError **error)
{
	g_auto(SpkModelDir) model = { 0 };

	return spk_model_dir_read(&model, dir, error)
		       ? spk_bert_open(&model, options, error)
		       : NULL;
}

static SpkBert *must_open(const char *dir, const SpkBertOptions *options)
{
	g_autoptr(GError) error = NULL;
	SpkBert *bert = try_open(dir, options, &error);

	if (!bert)
		fail_msg("%s", error->message);
	return bert;
}

static void put(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Like the formula, whatever the number of tokens. */
static void compare(const SpkBert *bert, GPtrArray *tensors, gboolean cls, double least)
{
	for (gsize n = 1; n <= TINY_POSITIONS; n += 1 + n / 14) {
		guint32 ids[TINY_POSITIONS];
		double want[TINY_HIDDEN], cosine = 0;
		float got[TINY_HIDDEN];

		for (gsize i = 0; i < n; i++)
			ids[i] = (guint32)((i * i + n) % TINY_WORDS);
		tiny_embed(tensors, ids, n, cls, want);
		assert_true(spk_bert_embed_tokens(bert, ids, n, got, NULL));
		for (guint i = 0; i < TINY_HIDDEN; i++)
			cosine += want[i] * (double)got[i];
		if (!(cosine >= least))
			fail_msg("%s, %zu tokens: cosine %.8f", spk_bert_kernels(bert), n,
				 cosine);
	}
}

static void test_formula(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	guint n_sets = 0;

	for (guint form = 0; form < 2; form++) {
		char *dir = tiny_folder(tensors, form);

		for (guint i = 0; i < 2 * G_N_ELEMENTS(sets); i++) {
			SpkBertOptions options = { .int8 = i & 1,
						   .kernels = sets[i / 2] };
			g_autoptr(SpkBert) bert = NULL;

			if (!kernels_get(options.kernels))
				continue;
			bert = must_open(dir, &options);
			assert_string_equal(spk_bert_kernels(bert), options.kernels);
			compare(bert, tensors, FALSE, options.int8 ? 0.999 : 0.9999999);
			n_sets++;
		}
		drop(dir);
	}
	assert_true(n_sets >= 4); /* "portable" is everywhere */
}

/* As bytes they would all be the largest, more than the sums of some kernels hold. */
static void test_even_weights(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	TinyTensor *tensor = tiny_find(tensors, "encoder.layer.0.output.dense.weight");
	char *dir;

	for (guint i = 0; i < tensor->rows * tensor->columns; i++)
		tensor->values[i] = i / tensor->columns % 2 ? 0.5F : -0.25F;
	dir = tiny_folder(tensors, FALSE);
	for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
		SpkBertOptions options = { .int8 = TRUE, .kernels = sets[i] };
		g_autoptr(SpkBert) bert = kernels_get(sets[i]) ? must_open(dir, &options)
							       : NULL;

		if (bert)
			compare(bert, tensors, FALSE, 0.999);
	}
	drop(dir);
}

static void test_first_token(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions options = { 0 };
	char *dir = tiny_folder(tensors, FALSE);
	g_autoptr(SpkBert) bert = NULL;

	put(dir, "sparks-model.json", "{\"pooling\":\"cls\"}");
	bert = must_open(dir, &options);
	compare(bert, tensors, TRUE, 0.9999999);
	drop(dir);
}

static void test_texts(void **state)
{
	static const char text[] = "a b\xff c [nothing] d";
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions options = { 0 };
	char *dir = tiny_folder(tensors, FALSE);
	g_autoptr(SpkBert) bert = must_open(dir, &options);
	guint32 ids[TINY_POSITIONS];
	float a[TINY_HIDDEN], b[TINY_HIDDEN];
	g_autofree char *big = g_strnfill(1 << 20, 'x');

	assert_int_equal(spk_bert_dims(bert), TINY_HIDDEN);
	assert_int_equal(spk_bert_max_tokens(bert), TINY_POSITIONS); /* fewer than 256 */
	assert_int_equal(spk_bert_tokens(bert, NULL, "a i", 3, ids), 4);
	assert_int_equal(ids[0] * 1000 + ids[1] * 100 + ids[2] + ids[3], 1313);
	assert_int_equal(spk_bert_tokens(bert, "i ", "a", 1, ids),
			 4); /* the prefix counts */
	assert_int_equal(ids[1], 11);
	assert_true(spk_bert_embed(bert, "d ", text, strlen(text), a, NULL));
	assert_true(spk_bert_embed(bert, NULL, "d a b c [x] d", 13, b, NULL));
	assert_memory_equal(a, b, sizeof(a));
	assert_true(spk_bert_embed(bert, NULL, "", 0, a, NULL)); /* [CLS] [SEP] */
	memset(big, 'a', 1 << 19);
	for (gsize i = 0; i < 1 << 20; i += 2)
		big[i] = ' ';
	assert_true(spk_bert_embed(bert, NULL, big, 1 << 20, a, NULL)); /* cut off */
	assert_int_equal(spk_bert_tokens(bert, NULL, big, 1 << 20, ids), TINY_POSITIONS);
	drop(dir);
}

static void test_digest(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions f32 = { 0 }, int8 = { .int8 = TRUE };
	char *a = tiny_folder(tensors, FALSE), *b = tiny_folder(tensors, TRUE);
	g_autoptr(SpkBert) first = must_open(a, &f32);
	g_autoptr(SpkBert) same = must_open(b, &int8);
	g_autoptr(SpkBert) cls = NULL;
	g_autoptr(SpkBert) words = NULL;
	g_autofree char *vocab = g_build_filename(b, "vocab.txt", NULL);
	g_autofree char *lines = NULL;
	const char *const changed[] = { "encoder.layer.1.output.dense.bias",
					"encoder.layer.0.attention.self.value.weight",
					"embeddings.word_embeddings.weight" };

	assert_int_equal(strlen(spk_bert_digest(first)), 32);
	assert_string_equal(spk_bert_digest(first), spk_bert_digest(same));
	assert_true(g_file_get_contents(vocab, &lines, NULL, NULL));
	assert_non_null(strstr(lines, "\na\n"));
	strstr(lines, "\na\n")[1] = 'y'; /* another word of the same number */
	put(b, "vocab.txt", lines);
	words = must_open(b, &f32);
	assert_string_not_equal(spk_bert_digest(first), spk_bert_digest(words));
	put(a, "sparks-model.json", "{\"pooling\":\"cls\"}");
	cls = must_open(a, &f32);
	assert_string_not_equal(spk_bert_digest(first), spk_bert_digest(cls));
	for (guint i = 0; i < G_N_ELEMENTS(changed); i++) {
		TinyTensor *tensor = tiny_find(tensors, changed[i]);
		g_autoptr(SpkBert) other = NULL;
		char *c;

		for (guint n = 0; n < tensor->rows * tensor->columns; n++)
			tensor->values[n] *= 1.001F; /* as more training would */
		c = tiny_folder(tensors, FALSE);
		other = must_open(c, &f32);
		assert_string_not_equal(spk_bert_digest(first), spk_bert_digest(other));
		drop(c);
		for (guint n = 0; n < tensor->rows * tensor->columns; n++)
			tensor->values[n] /= 1.001F;
	}
	drop(a);
	drop(b);
}

/* ---- the cache ---- */

static char *only_file(const char *dir)
{
	g_autoptr(GDir) list = g_dir_open(dir, 0, NULL);
	const char *name = g_dir_read_name(list);

	assert_non_null(name);
	assert_null(g_dir_read_name(list));
	return g_build_filename(dir, name, NULL);
}

static void check_cache(gboolean int8)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	char *dir = tiny_folder(tensors, TRUE);
	g_autofree char *cache = g_build_filename(dir, "a", "cache", NULL);
	const SpkBertOptions options = { .int8 = int8, .cache = cache };
	static const char *const damages[] = { "", "12345678{}", "\1\2\3", NULL };
	g_autofree char *path = NULL;
	g_autofree char *whole = NULL;
	gsize size;

	spk_bert_free(must_open(dir, &options));
	path = only_file(cache);
	assert_true(g_file_get_contents(path, &whole, &size, NULL));
	for (guint i = 0; i < 2 + G_N_ELEMENTS(damages); i++) {
		g_autoptr(SpkBert) bert = NULL;
		g_autofree char *now = NULL;
		gsize now_size;

		if (i < G_N_ELEMENTS(damages) && damages[i])
			assert_true(g_file_set_contents(path, damages[i], -1, NULL));
		else /* the beginning of one */
			assert_true(g_file_set_contents(path, whole,
							(gssize)(size / (i - 1)), NULL));
		bert = must_open(dir, &options);
		compare(bert, tensors, FALSE, int8 ? 0.999 : 0.9999999);
		assert_true(g_file_get_contents(path, &now, &now_size, NULL));
		assert_int_equal(now_size, size);
		assert_memory_equal(now, whole, size);
	}
	drop(dir);
}

static void test_cache(void **state)
{
	check_cache(FALSE);
	check_cache(TRUE);
}

/* What a kill in the middle leaves is taken away by the next one that makes it; one who comes
 * while another makes it doesn't wait. */
static void test_cache_half_made(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	char *dir = tiny_folder(tensors, TRUE);
	g_autofree char *cache = g_build_filename(dir, "cache", NULL);
	const SpkBertOptions options = { .cache = cache };
	g_autofree char *path = NULL;
	g_autofree char *beside = NULL;

	spk_bert_free(must_open(dir, &options));
	path = only_file(cache);
	beside = g_strconcat(path, ".new", NULL);
	assert_int_equal(g_remove(path), 0);
	for (guint i = 0; i < 2; i++) {
		spk_autofd int fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		g_autoptr(SpkBert) bert = NULL;

		assert_int_equal(write(fd, "half", 4), 4);
		if (!i)
			assert_int_equal(flock(fd, LOCK_EX), 0);
		bert = must_open(dir, &options);
		compare(bert, tensors, FALSE, 0.9999999);
		assert_int_equal(g_file_test(path, G_FILE_TEST_EXISTS), i);
		assert_int_equal(g_file_test(beside, G_FILE_TEST_EXISTS), !i);
	}
	drop(dir);
}

static void replace(const char *path, GPtrArray *tensors)
{
	g_autoptr(GByteArray) file = tiny_safetensors(tensors);

	assert_true(g_file_set_contents(path, (char *)file->data, file->len, NULL));
}

/* Another model of the same path, size and time of writing, as cp -p and archives of one date make
 * them. */
static void test_stale_cache(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	char *dir = tiny_folder(tensors, FALSE);
	g_autofree char *cache = g_build_filename(dir, "cache", NULL);
	g_autofree char *path = g_build_filename(dir, "model.safetensors", NULL);
	const SpkBertOptions options = { .cache = cache };
	const struct timespec times[] = { { 1e9, 0 }, { 1e9, 0 } };
	float *values = tiny_find(tensors, "encoder.layer.0.output.dense.weight")->values;

	for (guint i = 0; i < 4; i++) {
		g_autoptr(SpkBert) bert = NULL;

		if (i & 1)
			values[7] += 3;
		else
			values[0] += 3;
		if (i & 2)
			g_usleep(
				20000); /* another time, however coarse the clock of files */
		replace(path, tensors);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		bert = must_open(dir, &options);
		compare(bert, tensors, FALSE, 0.9999999);
	}
	drop(dir);
}

static void test_no_place_for_a_cache(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	char *dir = tiny_folder(tensors, FALSE);
	const SpkBertOptions options = { .cache = "/proc/no/such/place" };
	g_autoptr(SpkBert) bert = must_open(dir, &options);

	compare(bert, tensors, FALSE, 0.9999999);
	drop(dir);
}

/* ---- what is wrong ---- */

static void expect(const char *dir, SpkErr code, const char *part)
{
	const SpkBertOptions options = { 0 };
	g_autoptr(GError) error = NULL;

	assert_null(try_open(dir, &options, &error));
	if (!spk_error_is(error, code) || !strstr(error->message, part) ||
	    !strstr(error->message, dir))
		fail_msg("%s, not \"%s\"", error->message, part);
}

static void test_wrong_shapes(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();

	for (guint i = 0; i < tensors->len; i++) {
		TinyTensor *tensor = tensors->pdata[i];
		guint rows = tensor->rows;
		char *dir;

		if (strstr(tensor->name, "token_type"))
			continue; /* the first row counts */
		tensor->columns--;
		dir = tiny_folder(tensors, FALSE);
		expect(dir, SPK_ERR_BAD_INPUT, tensor->name);
		expect(dir, SPK_ERR_BAD_INPUT, "would fit");
		tensor->columns++;
		drop(dir);
		if (rows == 1)
			continue;
		tensor->rows--;
		dir = tiny_folder(tensors, FALSE);
		expect(dir, SPK_ERR_BAD_INPUT, tensor->name);
		tensor->rows++;
		drop(dir);
	}
}

static void test_missing_tensors(void **state)
{
	for (guint i = 0; i < 2; i++) {
		g_autoptr(GPtrArray) tensors = tiny_tensors();
		char *dir;

		g_ptr_array_remove(tensors,
				   tiny_find(tensors, "encoder.layer.1.intermediate."
						      "dense.weight"));
		dir = tiny_folder(tensors, i);
		expect(dir, SPK_ERR_BAD_INPUT,
		       "encoder.layer.1.intermediate.dense.weight is missing");
		drop(dir);
	}
}

static void test_no_numbers(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions options = { 0 };
	g_autoptr(SpkBert) bert = NULL;
	g_autoptr(GError) error = NULL;
	float ret[TINY_HIDDEN];
	char *dir;

	tiny_find(tensors, "encoder.layer.0.output.dense.bias")->values[0] = NAN;
	dir = tiny_folder(tensors, FALSE);
	bert = must_open(dir, &options);
	assert_false(spk_bert_embed(bert, NULL, "a", 1, ret, &error));
	assert_true(spk_error_is(error, SPK_ERR_CORRUPT));
	drop(dir);
}

/* clang-format off */
static const struct {
	const char *file, *text, *error;
} wrong[] = {
	{ "config.json", "{", "config.json" },
	{ "config.json", "{\"hidden_size\":36}", "num_hidden_layers" },
	{ "config.json", "{\"num_hidden_layers\":2,\"num_attention_heads\":5,\"hidden_size\":36,"
	  "\"intermediate_size\":40,\"max_position_embeddings\":70,\"vocab_size\":12}", "number of heads" },
	{ "config.json", "{\"model_type\":\"roberta\",\"num_hidden_layers\":2,\"num_attention_heads\":3,\"hidden_size\":36,"
	  "\"intermediate_size\":40,\"max_position_embeddings\":70,\"vocab_size\":12}", "type bert" },
	{ "config.json", "{\"num_hidden_layers\":3,\"num_attention_heads\":3,\"hidden_size\":36,"
	  "\"intermediate_size\":40,\"max_position_embeddings\":70,\"vocab_size\":12}", "encoder.layer.2" },
	{ "config.json", "{\"num_hidden_layers\":2,\"num_attention_heads\":3,\"hidden_size\":36,"
	  "\"intermediate_size\":40,\"max_position_embeddings\":71,\"vocab_size\":12}", "position_embeddings" },
	{ "vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "13 words" },
	{ "model.safetensors", "", "" },
	{ "model.safetensors", "<html>no such file</html>", "no model file" },
	{ "sparks-model.json", "{\"pooling\":\"max\"}", "\"mean\" or \"cls\", not max" },
};
/* clang-format on */

static void test_wrong_files(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		char *dir = tiny_folder(tensors, FALSE);

		put(dir, wrong[i].file, wrong[i].text);
		expect(dir, SPK_ERR_BAD_INPUT, wrong[i].error);
		drop(dir);
	}
}

/* A number that the weights have no row for, of a token that is none of the vocabulary. */
static void test_added_token(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions options = { 0 };
	char *dir = tiny_folder(tensors, FALSE);
	g_autofree char *lines = g_build_filename(dir, "vocab.txt", NULL);

	assert_int_equal(g_remove(lines), 0);
	for (guint id = TINY_WORDS - 1; id <= TINY_WORDS; id++) {
		g_autofree char *text = g_strdup_printf(
			"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,"
			"\"[CLS]\":1,\"[SEP]\":2,\"a\":3}},"
			"\"normalizer\":{\"type\":\"BertNormalizer\"},"
			"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
			"\"added_tokens\":[{\"id\":%u,\"content\":\"qq\"}]}",
			id);

		put(dir, "tokenizer.json", text);
		if (id < TINY_WORDS)
			spk_bert_free(must_open(dir, &options));
		else
			expect(dir, SPK_ERR_BAD_INPUT, "13 words");
	}
	drop(dir);
}

static void test_other_kernels(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	const SpkBertOptions options = { .kernels = "mmx" };
	char *dir = tiny_folder(tensors, FALSE);
	g_autoptr(GError) error = NULL;

	assert_null(try_open(dir, &options, &error));
	assert_non_null(strstr(error->message, "mmx"));
	drop(dir);
}

/* As a reference user has it: model.onnx, without config.json. */
static void test_without_config(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	char *dir = tiny_folder(tensors, TRUE);
	g_autofree char *path = g_build_filename(dir, "config.json", NULL);
	const SpkBertOptions options = { 0 };
	g_autoptr(SpkBert) bert = NULL;

	assert_int_equal(g_remove(path), 0);
	bert = must_open(dir, &options); /* twelve heads are assumed, which divide it */
	assert_int_equal(spk_bert_dims(bert), TINY_HIDDEN);
	assert_int_equal(spk_bert_max_tokens(bert), TINY_POSITIONS);
	drop(dir);
}

const struct CMUnitTest bert_tests[] = {
	{ "bert: the formula, in every set of kernels and both forms of file",
	  test_formula, NULL, NULL, NULL },
	{ "bert: the first token's vector", test_first_token, NULL, NULL, NULL },
	{ "bert: texts and prefixes", test_texts, NULL, NULL, NULL },
	{ "bert: the digest", test_digest, NULL, NULL, NULL },
	{ "bert: weights that are all alike", test_even_weights, NULL, NULL, NULL },
	{ "bert: the cache, and what happens to it", test_cache, NULL, NULL, NULL },
	{ "bert: a cache that is half made", test_cache_half_made, NULL, NULL, NULL },
	{ "bert: the cache of another model", test_stale_cache, NULL, NULL, NULL },
	{ "bert: nowhere to put a cache", test_no_place_for_a_cache, NULL, NULL, NULL },
	{ "bert: tensors of other shapes", test_wrong_shapes, NULL, NULL, NULL },
	{ "bert: missing tensors", test_missing_tensors, NULL, NULL, NULL },
	{ "bert: weights that are no numbers", test_no_numbers, NULL, NULL, NULL },
	{ "bert: wrong files", test_wrong_files, NULL, NULL, NULL },
	{ "bert: an added token beyond the weights", test_added_token, NULL, NULL, NULL },
	{ "bert: unknown kernels", test_other_kernels, NULL, NULL, NULL },
	{ "bert: without config.json", test_without_config, NULL, NULL, NULL },
};
const size_t n_bert_tests = G_N_ELEMENTS(bert_tests);
