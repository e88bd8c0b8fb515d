/* The table of secrets. */
#include <string.h>

#include "base/json.h"
#include "conf/secret.h"
#include "test_conf.h"

static void test_table_is_sorted_and_unique(void **state)
{
	for (const SpkSecret *one = spk_secrets(); one->key; one++) {
		assert_true(!one[1].key || strcmp(one->key, one[1].key) < 0);
		assert_ptr_equal(spk_secret_find(one->key), one);
		assert_ptr_equal(spk_secret_find(one->env), one);
		assert_true(*one->sentence);
	}
}

static void test_names(void **state)
{
	g_autofree char *near = spk_secret_nearest("github.tokn");
	g_autofree char *none = spk_secret_nearest("quite.other.things");

	assert_string_equal(spk_secret_find("zen.api_key")->env, "OPENCODE_API_KEY");
	assert_string_equal(spk_secret_find("GH_TOKEN")->key, "github.token");
	assert_null(spk_secret_find("openai.url"));
	assert_null(spk_secret_find(""));
	assert_string_equal(near, " (did you mean \"github.token\"?)");
	assert_string_equal(none, "");
}

static void test_only_models_keys_are_compared(void **state)
{
	g_autoptr(SpkConf) without = load_ok(NULL);
	g_autoptr(json_t) before = spk_conf_task_values(without);
	g_autoptr(json_t) other = NULL, with = NULL;

	g_setenv("GH_TOKEN", "ghp_x", TRUE);
	other = spk_conf_task_values(without);
	assert_true(json_equal(before, other));
	g_setenv("ANTHROPIC_API_KEY", "sk-x", TRUE);
	with = spk_conf_task_values(without);
	assert_false(json_equal(before, with));
	g_unsetenv("GH_TOKEN");
	g_unsetenv("ANTHROPIC_API_KEY");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

const struct CMUnitTest secret_tests[] = {
	TEST(test_table_is_sorted_and_unique),
	TEST(test_names),
	TEST(test_only_models_keys_are_compared),
};
const size_t n_secret_tests = G_N_ELEMENTS(secret_tests);
