/* What a folder says of its model, and who says it first. */
#include "test_memory.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/model_dir.h"

#define POOLING_FILE "1_Pooling/config.json"
#define LENGTH_FILE  "sentence_bert_config.json"
#define PROMPTS_FILE "config_sentence_transformers.json"
#define MANIFEST     "sparks-model.json"

/* clang-format off */
static const struct {
	const char *folder;
	const char *files[8]; /* name, text, … */
	SpkPooling pooling;
	const char *name, *query, *passage;
	guint max_tokens;
} rows[] = {
	{ "any", { NULL }, SPK_POOL_MEAN, "any", "", "", 256 },
	{ "bge-small-en-v1.5", { NULL }, SPK_POOL_CLS, "bge-small-en-v1.5",
	  "Represent this sentence for searching relevant passages: ", "", 512 },
	{ "E5-small-v2-onnx", { NULL }, SPK_POOL_MEAN, "E5-small-v2-onnx", "query: ", "passage: ", 512 },
	{ "all-MiniLM-L6-v2", { NULL }, SPK_POOL_MEAN, "all-MiniLM-L6-v2", "", "", 256 },
	{ "any", { POOLING_FILE, "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}",
		   LENGTH_FILE, "{\"max_seq_length\":128}",
		   PROMPTS_FILE, "{\"prompts\":{\"query\":\"q: \",\"document\":\"d: \"}}" },
	  SPK_POOL_CLS, "any", "q: ", "d: ", 128 },
	{ "bge-small-en-v1.5", { POOLING_FILE, "{\"pooling_mode_mean_tokens\":true}" },
	  SPK_POOL_MEAN, "bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", "", 512 },
	{ "any", { MANIFEST, "{\"name\":\"n\",\"pooling\":\"mean\",\"query_prefix\":\"Q \",\"passage_prefix\":\"\",\"max_tokens\":99}",
		   POOLING_FILE, "{\"pooling_mode_cls_token\":true}", LENGTH_FILE, "{\"max_seq_length\":128}",
		   PROMPTS_FILE, "{\"prompts\":{\"query\":\"q: \",\"passage\":\"p: \"}}" },
	  SPK_POOL_MEAN, "n", "Q ", "", 99 },
};

static const struct {
	const char *file, *text, *error;
} wrong[] = {
	{ MANIFEST, "[]", "no object" },
	{ MANIFEST, "{", MANIFEST },
	{ MANIFEST, "{\"poling\":\"cls\"}", "unknown key poling" },
	{ MANIFEST, "{\"max_tokens\":\"9\"}", "wrong type of max_tokens" },
	{ MANIFEST, "{\"max_tokens\":2}", "3 to 8192" },
	{ MANIFEST, "{\"max_tokens\":100000}", "3 to 8192" },
	{ LENGTH_FILE, "{\"max_seq_length\":-1}", "3 to 8192" },
	{ POOLING_FILE, "{\"pooling_mode_max_tokens\":true}", "pooling_mode_max_tokens" },
	{ POOLING_FILE, "{\"pooling_mode_mean_tokens\":true,\"pooling_mode_cls_token\":true}", "pooling_mode_cls_token" },
	{ "modules.json", "[{\"type\":\"sentence_transformers.models.Transformer\"},{\"type\":\"sentence_transformers.models.Dense\"}]", "models.Dense" },
};
/* clang-format on */

static void put(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	assert_true(spk_fs_mkdirs(parent, 0700, NULL));
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_rows(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *root = g_dir_make_tmp("sparks-model-XXXXXX", NULL);
		g_autofree char *dir = g_build_filename(root, rows[i].folder, NULL);
		g_auto(SpkModelDir) model = { 0 };

		put(dir, "model.onnx", "x");
		for (guint f = 0; f < 8 && rows[i].files[f]; f += 2)
			put(dir, rows[i].files[f], rows[i].files[f + 1]);
		assert_true(spk_model_dir_read(&model, dir, NULL));
		assert_int_equal(model.pooling, rows[i].pooling);
		assert_string_equal(model.name, rows[i].name);
		assert_string_equal(model.query, rows[i].query);
		assert_string_equal(model.passage, rows[i].passage);
		assert_int_equal(model.max_tokens, rows[i].max_tokens);
		assert_null(model.safetensors);
		assert_true(g_str_has_suffix(model.onnx, "/model.onnx"));
		assert_true(spk_fs_remove_tree(root, NULL));
	}
}

static void test_wrong(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *dir = g_dir_make_tmp("sparks-model-XXXXXX", NULL);
		g_auto(SpkModelDir) model = { 0 };
		g_autoptr(GError) error = NULL;

		put(dir, "model.safetensors", "x");
		put(dir, wrong[i].file, wrong[i].text);
		assert_false(spk_model_dir_read(&model, dir, &error));
		if (!spk_error_is(error, SPK_ERR_BAD_INPUT) ||
		    !strstr(error->message, wrong[i].error) ||
		    !strstr(error->message, dir))
			fail_msg("row %zu: %s", i, error->message);
		assert_null(model.dir);
		assert_true(spk_fs_remove_tree(dir, NULL));
	}
}

static void test_nothing_there(void **state)
{
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(spk_model_dir_read(&model, "/nonexistent/model", &error));
	assert_true(spk_error_is(error, SPK_ERR_NOT_FOUND));
	assert_non_null(strstr(spk_error_hint(error), "sparks memory model install"));
}

static void test_exporters_folder(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("sparks-model-XXXXXX", NULL);
	g_auto(SpkModelDir) model = { 0 };

	put(dir, "onnx/model.onnx", "x");
	assert_true(spk_model_dir_read(&model, dir, NULL));
	assert_true(g_str_has_suffix(model.onnx, "/onnx/model.onnx"));
	assert_string_equal(spk_pooling_name(model.pooling), "mean");
	assert_true(spk_fs_remove_tree(dir, NULL));
}

const struct CMUnitTest model_dir_tests[] = {
	{ "model folder: who says what first", test_rows, NULL, NULL, NULL },
	{ "model folder: wrong files", test_wrong, NULL, NULL, NULL },
	{ "model folder: nothing there", test_nothing_there, NULL, NULL, NULL },
	{ "model folder: the folder of exporters", test_exporters_folder, NULL, NULL,
	  NULL },
};
const size_t n_model_dir_tests = G_N_ELEMENTS(model_dir_tests);
