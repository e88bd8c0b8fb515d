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
	assert_true(later > 120);
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
	assert_lacks(all, "[ghosts] [].image");
	assert_has(all, "[openai] auth_file, redirect_uri, include");
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
	assert_has(all,
		   "x.toml:3:26: slack.allowed_channels is a list with whole numbers");
	assert_has(all, "x.toml:5: unknown key ghosts[0].nmae (did you mean "
			"\"ghosts[].name\"?)");
	assert_has(all, "x.toml:6: unknown key nonsense");
	assert_lacks(all, "nonsense[0]");
}

/* What stands there where nothing is set: an empty section, an empty list, ids as numbers. */
static void test_what_sets_nothing(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put("x.toml", "ghosts = []\n[github]\n[memory]\n[openai]\n"
		      "[ticket_intake]\nsources = []\n[mcp]\nservers = []\n"
		      "[telegram]\nallowed_chats = [374512753, -100]\n");
	conf = load_ok("x.toml");
	all = warnings_of(conf);
	assert_string_equal(all, "x.toml:10: [telegram] allowed_chats: known, but not in "
				 "this version: no effect");
}

static void test_what_a_table_needs(void **state)
{
	static const char text[] =
		"[[mcp.servers]]\nname = 'a'\ncommand = 'x'\n"
		"[[mcp.servers]]\ncommand = 'x'\n\n" /* line 4 */
		"[[mcp.servers]]\nname = 'b'\n"	     /* 7: of stdio */
		"[[mcp.servers]]\nname = 'c'\ntransport = 'sse'\n"
		"[[ticket_intake.sources]]\n" /* 12 */
		"[[ticket_intake.sources]]\nprovider = 'github'\nrepo = ''\n";
	static const char *const wanted[] = {
		"x.toml:4: this [[mcp.servers]] has no name",
		"x.toml:7: this [[mcp.servers]] has no command",
		"x.toml:12: this [[ticket_intake.sources]] has no provider",
		"x.toml:12: this [[ticket_intake.sources]] has no repo",
		"x.toml:13: this [[ticket_intake.sources]] has no repo",
	};
	SpkConfSource source = { .explicit_path = "x.toml" };
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(SpkConf) conf = NULL, here = NULL;
	g_autofree char *all = NULL;

	put("x.toml", text);
	conf = spk_conf_check(&source, &problems);
	assert_int_equal(problems->len, G_N_ELEMENTS(wanted));
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		assert_string_equal(((GError *)problems->pdata[i])->message, wanted[i]);
	put("config.toml", text);
	here = load_ok(NULL);
	all = warnings_of(here);
	assert_has(all, "config.toml:7: this [[mcp.servers]] has no command");
}

/* The environment sets what is not built as little as a file does, and that is said. */
static void test_variables_without_effect(void **state)
{
	static const char *const names[] = { "SPARKS_TELEGRAM_PROVIDER",
					     "SPARKS_OPENAI_REDIRECT_URI",
					     "SPARKS_SLACK_MODE", "SPARKS_MOOD_ENABELD" };
	SpkConfSource source = { .overrides = (const char *const[]){ "mood.enabled=true",
								     NULL } };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_setenv(names[i], "ollma", TRUE);
	put(".env", "\nSPARKS_MOOD_ENABLED=true\n");
	conf = load_ok(NULL);
	all = warnings_of(conf);
	assert_has(
		all,
		"SPARKS_TELEGRAM_PROVIDER: [telegram] provider: known, but not in this "
		"version: no effect");
	assert_has(all, "SPARKS_OPENAI_REDIRECT_URI: [openai] redirect_uri: known");
	assert_has(all, "SPARKS_SLACK_MODE: slack.mode is \"ollma\", but must be one of");
	assert_has(all, "SPARKS_MOOD_ENABELD is not an option (did you mean "
			"\"SPARKS_MOOD_ENABLED\"?): no effect");
	assert_has(all, ".env:2:1: SPARKS_MOOD_ENABLED: [mood] enabled: known");
	assert_int_equal(g_strv_length((char **)spk_conf_warnings(conf)), 6);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_unsetenv(names[i]);
	assert_null(spk_conf_load(&source, &error));
	assert_has(error->message, "mood.enabled is known, but not in this version");
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
	TEST(test_every_key_is_known),	     TEST(test_file_loads),
	TEST(test_wrong_value_is_a_warning), TEST(test_what_sets_nothing),
	TEST(test_what_a_table_needs),	     TEST(test_variables_without_effect),
	TEST(test_ghosts_need_trust),
};
const size_t n_reference_tests = G_N_ELEMENTS(reference_tests);
