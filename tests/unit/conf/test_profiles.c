/* Files of ~/.sparks/ghosts and [[ghosts]]: one name once, and no more than can be looked through. */
#include <string.h>

#include "base/fs.h"
#include "test_conf.h"

static void put_profile(const char *name, const char *text)
{
	g_autofree char *folder = in_home("ghosts");
	g_autofree char *path = g_build_filename(folder, name, NULL);

	assert_true(spk_fs_mkdirs(folder, 0700, NULL));
	put(path, text);
}

static const char *name_of(const SpkConf *conf, guint i)
{
	return spk_conf_table_str(spk_conf_tables(conf)->pdata[i], "name");
}

static void test_one_name_twice_in_a_file(void **state)
{
	g_autofree char *message = NULL;

	put("x.toml",
	    "[[ghosts]]\nname = 'a'\ntools = ['shell']\n\n"
	    "[[ghosts]]\nname = 'b'\n[[ghosts]]\ndescription = 'c'\nname = 'a'\n");
	message = load_message("x.toml");
	assert_has(message,
		   "x.toml:9: \"a\" is the name of the spark at x.toml:2 already");
}

static void test_one_name_in_two_profiles(void **state)
{
	g_autofree char *message = NULL;

	put_profile("a.toml", "name = 'x'\n");
	put_profile("b.toml", "\nname = 'x'\n");
	message = load_message(NULL);
	assert_has(message, "b.toml:2: \"x\" is the name of the spark at ");
	assert_has(message, "a.toml:1 already");
}

/* Over the one of the config file it goes without a word: that is what it is for. */
static void test_profile_over_config(void **state)
{
	g_autofree char *home = in_home("config.toml");
	g_autoptr(SpkConf) conf = NULL;

	put(home, "[[ghosts]]\nname = 'x'\n");
	put_profile("a.toml", "name = 'x'\n");
	conf = load_ok(NULL);
	assert_int_equal(spk_conf_tables(conf)->len, 2);
	assert_int_equal(g_strv_length((char **)spk_conf_warnings(conf)), 0);
}

/* Which are read doesn't depend on the order in which the folder has them. */
static void test_files_beyond_the_limit_are_named(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	for (int i = 203; i >= 1; i--) {
		g_autofree char *name = g_strdup_printf("%03d.toml", i);
		g_autofree char *text = g_strdup_printf("name = 's%d'\n", i);

		put_profile(name, text);
	}
	conf = load_ok(NULL);
	all = warnings_of(conf);
	assert_int_equal(spk_conf_tables(conf)->len, 200);
	assert_string_equal(name_of(conf, 0), "s1");
	assert_string_equal(name_of(conf, 199), "s200");
	assert_has(all, "no more than 200 files are read, in the order of their names: "
			"without effect are 201.toml, 202.toml, 203.toml");
}

static char *many_ghosts(guint n)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, "[[ghosts]]\nname = 's%u'\n", i);
	return g_string_free(text, FALSE);
}

static void test_too_many_tables(void **state)
{
	g_autofree char *fine = many_ghosts(1000), *more = many_ghosts(1003);
	g_autofree char *message = NULL, *of_profile = NULL;
	g_autoptr(SpkConf) conf = NULL;

	put_profile("a.toml", "name = 'mine'\n");
	put("x.toml", fine);
	conf = load_ok("x.toml");
	assert_int_equal(spk_conf_tables(conf)->len, 1001);
	assert_string_equal(name_of(conf, 999), "s999");
	assert_string_equal(name_of(conf, 1000), "mine");
	put("x.toml", more);
	message = load_message("x.toml");
	assert_has(message, "x.toml:2001: more than 1000 [[ghosts]]");
	assert_lacks(message, "and 1 more");
	put_profile("a.toml", more);
	of_profile = load_message(NULL);
	assert_has(of_profile, "a.toml:2001: more than 1000 [[ghosts]]");
}

static void test_a_spark_beside_a_list(void **state)
{
	g_autofree char *message = NULL;

	put_profile("a.toml", "name = 'x'\n[[ghosts]]\nname = 'y'\n");
	message = load_message(NULL);
	assert_has(message, "a.toml:1: name beside [[ghosts]]");
}

/* Found by fuzzing: nothing came of it, and nothing was said. */
static void test_ghosts_that_are_no_list(void **state)
{
	static const char *const texts[] = { "[ghosts]\n", "ghosts = 1\n",
					     "ghosts = []\n" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *message = NULL;

		put_profile("a.toml", texts[i]);
		message = load_message(NULL);
		assert_has(message, "a.toml:1:");
		assert_has(message, "ghosts must be a list of tables");
	}
}

static void test_an_empty_profile_is_said(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put_profile("a.toml", "# later\n");
	conf = load_ok(NULL);
	all = warnings_of(conf);
	assert_has(all, "a.toml is empty: no spark");
	assert_int_equal(spk_conf_tables(conf)->len, 0);
}

/* A heading alone is a spark at fault, but not one that a repository could bring. */
static void test_an_untrusted_heading_is_none(void **state)
{
	g_autoptr(SpkConf) conf = NULL;

	put("config.toml", "[[ghosts]]\n");
	conf = load_ok(NULL);
	assert_int_equal(spk_conf_tables(conf)->len, 0);
}

const struct CMUnitTest profiles_tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
	TEST(test_one_name_twice_in_a_file),
	TEST(test_one_name_in_two_profiles),
	TEST(test_profile_over_config),
	TEST(test_files_beyond_the_limit_are_named),
	TEST(test_too_many_tables),
	TEST(test_a_spark_beside_a_list),
	TEST(test_ghosts_that_are_no_list),
	TEST(test_an_empty_profile_is_said),
	TEST(test_an_untrusted_heading_is_none),
};
const size_t n_profiles_tests = G_N_ELEMENTS(profiles_tests);
