/* A file with every key of the reference program loads, and each key without effect is named. */
#include <stdlib.h>
#include <string.h>

#include "test_conf.h"

static char *fixture(void)
{
	g_autofree char *path = g_build_filename(SPK_TEST_DATA, "reference.toml", NULL);
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static void test_every_key_is_known(void **state)
{
	g_autofree char *text = fixture();
	g_autoptr(GPtrArray) entries = spk_toml_parse(text, strlen(text), "r", NULL);
	guint later = 0;

	assert_non_null(entries);
	for (guint i = 0; i < entries->len; i++) {
		const SpkConfEntry *entry = entries->pdata[i];

		if (entry->type == SPK_TOML_TABLES || entry->type == SPK_TOML_TABLE)
			continue;
		if (spk_conf_find(entry->key) < 0 && !spk_conf_find_later(entry->key))
			fail_msg("%s is in no table", entry->key);
		later += spk_conf_find(entry->key) < 0;
	}
	assert_true(later > 140);
}

static void test_file_loads(void **state)
{
	g_autofree char *text = fixture();
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put("x.toml", text);
	conf = load_ok("x.toml");
	all = warnings_of(conf);
	assert_string_equal(spk_conf_str(conf, "llm.provider"), "openai");
	assert_string_equal(spk_conf_str(conf, "openai.api_style"), "responses");
	assert_has(all,
		   "x.toml:6:12: llm.provider \"ouath\" is an old spelling of openai");
	assert_has(all, "[telegram] provider, allowed_chats, allow_all");
	assert_has(all, "[ghosts] [].image, [].mounts[].host_path");
	assert_has(all, "[openai] classifier_model, auth_file, redirect_uri, include");
	assert_lacks(all, "unknown key");
	/* one for each section, and the old spelling */
	assert_in_range(g_strv_length((char **)spk_conf_warnings(conf)), 20, 32);
}

/* What has no effect keeps nobody from working, even when it is wrong. */
static void test_wrong_value_is_a_warning(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put("x.toml", "[slack]\nmode = 'sockt'\nallowed_channels = ['a', 3]\n"
		      "[[ghosts]]\nnmae = 'x'\n[[nonsense]]\na = 1\nb = 2\n");
	conf = load_ok("x.toml");
	all = warnings_of(conf);
	assert_has(all, "x.toml:2:8: slack.mode is \"sockt\", but must be one of socket, "
			"events_api (did you mean \"socket\"?)");
	assert_has(all, "x.toml:3:26: slack.allowed_channels is an array or a date");
	assert_has(all, "x.toml:5: unknown key ghosts[0].nmae (did you mean "
			"\"ghosts[].name\"?)");
	assert_has(all, "x.toml:6: unknown key nonsense");
	assert_lacks(all, "nonsense[0]");
}

/* A repository brings no sparks of its own; what the person has stays. */
static void test_ghosts_need_trust(void **state)
{
	g_autofree char *home = in_home("config.toml");
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put("config.toml", "[[ghosts]]\nname = 'coder'\ntools = ['shell']\n");
	put(home, "[[ghosts]]\nname = 'mine'\ntools = ['shell']\n");
	conf = load_ok(NULL);
	all = warnings_of(conf);
	assert_has(all, "is not trusted: ghosts[0].name, ghosts[0].tools have no effect");
	assert_int_equal(spk_conf_tables(conf)->len, 1);
	assert_string_equal(spk_conf_table_str(spk_conf_tables(conf)->pdata[0], "name"),
			    "mine");
}

const struct CMUnitTest reference_tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
	TEST(test_every_key_is_known),
	TEST(test_file_loads),
	TEST(test_wrong_value_is_a_warning),
	TEST(test_ghosts_need_trust),
};
const size_t n_reference_tests = G_N_ELEMENTS(reference_tests);
