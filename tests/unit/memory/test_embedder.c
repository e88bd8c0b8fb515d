/* The embedder over a made-up model: prefixes, batches, fingerprints, and models that are none. */
#include "test_memory.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/embedder.h"
#include "tiny_model.h"

static SpkConf *conf_of(const char *dir, const char *one, const char *two)
{
	g_autofree char *model = g_strconcat("embedding.model_dir=", dir, NULL);
	const char *words[] = { model, one ? one : "embedding.enabled=true", two, NULL };
	SpkConfSource source = { .overrides = words };
	SpkConf *conf = spk_conf_load(&source, NULL);

	assert_non_null(conf);
	return conf;
}

static SpkEmbedder *open_it(const char *dir, const char *one, const char *two)
{
	g_autoptr(SpkConf) conf = conf_of(dir, one, two);
	SpkEmbedder *embedder = spk_embedder_open(conf, NULL, NULL);

	assert_non_null(embedder);
	return embedder;
}

static char *made_folder(void)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();

	return tiny_folder(tensors, FALSE);
}

static void remove_folder(char *dir)
{
	(void)spk_fs_remove_tree(dir, NULL);
	g_free(dir);
}

static double cosine(const float *a, const float *b)
{
	double sum = 0;

	for (guint i = 0; i < TINY_HIDDEN; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static void test_prefixes(void **state)
{
	const char *plain[] = { "b c" }, *with[] = { "a b c" };
	char *dir = made_folder();
	g_autoptr(SpkEmbedder) none = open_it(dir, NULL, NULL);
	g_autoptr(SpkEmbedder) one = open_it(dir, "embedding.query_prefix=a ", NULL);
	float want[TINY_HIDDEN], query[TINY_HIDDEN], passage[TINY_HIDDEN];

	assert_int_equal(spk_embedder_dims(none), TINY_HIDDEN);
	assert_true(spk_embedder_embed(none, with, 1, SPK_EMBED_QUERY, want, NULL, NULL));
	assert_true(
		spk_embedder_embed(one, plain, 1, SPK_EMBED_QUERY, query, NULL, NULL));
	assert_true(spk_embedder_embed(one, plain, 1, SPK_EMBED_PASSAGE, passage, NULL,
				       NULL));
	assert_float_equal(cosine(want, query), 1, 1e-5);
	assert_true(cosine(want, passage) < 0.9999);
	remove_folder(dir);
}

/* What a text's vector is doesn't depend on what is embedded beside it, nor on how many. */
static void test_batches(void **state)
{
	enum { N = 150 };
	static const char *const some[] = { "a", "b c d", "", "e f g h i",
					    "a\xff"
					    "b" };
	const char *texts[N];
	g_autofree float *all = g_new0(float, (gsize)N *TINY_HIDDEN);
	char *dir = made_folder();
	g_autoptr(SpkEmbedder) embedder = open_it(dir, NULL, NULL);

	for (guint i = 0; i < N; i++)
		texts[i] = some[i % G_N_ELEMENTS(some)];
	assert_true(spk_embedder_embed(embedder, texts, N, SPK_EMBED_PASSAGE, all, NULL,
				       NULL));
	for (guint i = 0; i < N; i++) {
		float one[TINY_HIDDEN];

		assert_true(spk_embedder_embed(embedder, &texts[i], 1, SPK_EMBED_PASSAGE,
					       one, NULL, NULL));
		assert_float_equal(cosine(one, all + i * TINY_HIDDEN), 1, 1e-5);
	}
	assert_true(spk_embedder_embed(embedder, texts, 0, SPK_EMBED_PASSAGE, all, NULL,
				       NULL));
	remove_folder(dir);
}

static char *fingerprint(const char *dir, const char *one, const char *two)
{
	g_autoptr(SpkEmbedder) embedder = open_it(dir, one, two);

	return g_strdup(spk_embedder_fingerprint(embedder));
}

static void test_fingerprints(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	TinyTensor *word = tiny_find(tensors, "embeddings.word_embeddings.weight");
	char *dir = made_folder(), *other;
	g_autofree char *plain = fingerprint(dir, NULL, NULL);
	g_autofree char *again = fingerprint(dir, "embedding.query_prefix=x", NULL);
	g_autofree char *small = fingerprint(dir, "embedding.precision=int8", NULL);
	g_autofree char *prefix = fingerprint(dir, "embedding.passage_prefix=x", NULL);
	g_autofree char *weights = NULL;

	word->values[0] += 1;
	other = tiny_folder(tensors, FALSE);
	weights = fingerprint(other, NULL, NULL);
	assert_string_equal(plain, again);
	assert_string_equal(plain, small);
	assert_string_not_equal(plain, prefix);
	/* the folder's name is the model's, so that is taken off */
	assert_string_not_equal(strchr(plain, '/'), strchr(weights, '/'));
	assert_true(strlen(plain) <= 200 && g_str_is_ascii(plain));
	remove_folder(dir);
	remove_folder(other);
}

static void test_no_model(void **state)
{
	static const struct {
		const char *word;
		SpkErr code;
		const char *hint;
	} cases[] = {
		{ NULL, SPK_ERR_NOT_FOUND, "sparks memory model install" },
		{ "embedding.enabled=false", SPK_ERR_NOT_FOUND, "enabled = true" },
		{ "embedding.provider=onnx", SPK_ERR_NOT_FOUND, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(SpkConf) conf = conf_of("/nowhere/model", cases[i].word, NULL);
		g_autoptr(GError) error = NULL;

		assert_null(spk_embedder_open(conf, NULL, &error));
		assert_true(spk_error_is(error, cases[i].code));
		if (cases[i].hint)
			assert_non_null(strstr(spk_error_hint(error), cases[i].hint));
	}
}

/* Weights that give no numbers: an error, and no vector. */
static void test_weights_without_numbers(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	TinyTensor *word = tiny_find(tensors, "embeddings.word_embeddings.weight");
	const char *texts[] = { "a" };
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(GError) error = NULL;
	float vector[TINY_HIDDEN];
	char *dir;

	for (guint i = 0; i < word->rows * word->columns; i++)
		word->values[i] = NAN;
	dir = tiny_folder(tensors, FALSE);
	embedder = open_it(dir, NULL, NULL);
	assert_false(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector, NULL,
					&error));
	assert_true(spk_error_is(error, SPK_ERR_CORRUPT));
	remove_folder(dir);
}

/* What the log said in between. */
static char *said_by(void (*fn)(void))
{
	char path[] = "/tmp/saidXXXXXX";
	spk_autofd int fd = mkstemp(path);
	spk_autofd int kept = dup(STDERR_FILENO);
	char *text;

	assert_true(fd >= 0 && kept >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	fn();
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	text = spk_fs_read(path, 1 << 16, NULL, NULL);
	(void)unlink(path);
	return text;
}

static void warn_often(void)
{
	g_autoptr(SpkConf) off = conf_of("/nowhere/m", "embedding.enabled=false", NULL);
	g_autoptr(SpkConf) conf = conf_of("/nowhere/m", NULL, NULL);
	g_autoptr(GError) error = NULL;

	assert_null(spk_embedder_open(conf, NULL, &error));
	spk_embedder_warn(off, error);
	for (int i = 0; i < 3; i++)
		spk_embedder_warn(conf, error);
}

static void test_one_warning_with_the_command(void **state)
{
	g_autofree char *said = said_by(warn_often);
	const char *first = strstr(said, "sparks memory model install");

	assert_non_null(first);
	assert_null(strstr(first + 1, "sparks memory model install"));
	assert_non_null(strstr(said, "by their words alone"));
}

const struct CMUnitTest embedder_tests[] = {
	cmocka_unit_test(test_prefixes),
	cmocka_unit_test(test_batches),
	cmocka_unit_test(test_fingerprints),
	cmocka_unit_test(test_no_model),
	cmocka_unit_test(test_weights_without_numbers),
	cmocka_unit_test(test_one_warning_with_the_command),
};
const size_t n_embedder_tests = G_N_ELEMENTS(embedder_tests);
