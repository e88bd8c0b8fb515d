#include "test_guard.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "guard/autonomy.h"

#define ROW(spark, repo, level)                                               \
	{                                                                     \
		(char *)spark, (char *)repo, (char *)level, (char *)"anna", 0 \
	}

static SpkConf *conf_of(const char *level, const char *raise_to)
{
	g_autofree char *one = g_strconcat("autonomy.level=", level, NULL);
	g_autofree char *two = g_strconcat("autonomy.raise_to=", raise_to, NULL);
	const char *const overrides[] = { one, two, NULL };
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp(NULL, &path, NULL);
	SpkConf *conf = spk_conf_load(
		&(SpkConfSource){ .explicit_path = path, .overrides = overrides }, NULL);

	assert_non_null(conf);
	close(fd);
	unlink(path);
	return conf;
}

static void assert_held(const SpkConf *conf, SpkLevelRow *const *rows, guint n_rows,
			const char *own, const char *repo, SpkLevel level,
			const char *from)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_auto(SpkLevelHeld) held = { 0 };

	for (guint i = 0; i < n_rows; i++)
		g_ptr_array_add(list, rows[i]);
	spk_autonomy_find(conf, list, "coder", own, repo, &held);
	assert_int_equal(held.level, level);
	if (!strstr(held.from, from))
		fail_msg("\"%s\" does not hold \"%s\"", held.from, from);
}

/* The nearest wins; between the spark and the repository the least. */
static void nearest_and_least(void **state)
{
	g_autoptr(SpkConf) conf = conf_of("2", "none");
	SpkLevelRow all = ROW("", "", "autonomous");
	SpkLevelRow spark = ROW("coder", "", "deliver");
	SpkLevelRow other = ROW("scout", "", "observe");
	SpkLevelRow repo = ROW("", "/src", "propose");
	SpkLevelRow below = ROW("", "/src/lib", "assist");
	SpkLevelRow both = ROW("coder", "/src/lib", "autonomous");
	SpkLevelRow broken = ROW("coder", "/x", "high");
	SpkLevelRow *rows[] = { &all, &spark, &other, &repo, &below, &both, &broken };

	(void)state;
	assert_held(conf, rows, 0, NULL, "/src", SPK_LEVEL_ASSIST, "command line");
	assert_held(conf, rows, 1, NULL, "/src", SPK_LEVEL_AUTONOMOUS, "every spark");
	assert_held(conf, rows, 1, "observe", "/src", SPK_LEVEL_OBSERVE, "own key");
	assert_held(conf, rows, 2, NULL, "/src", SPK_LEVEL_DELIVER, "spark coder");
	assert_held(conf, rows, 3, NULL, "/src", SPK_LEVEL_DELIVER, "spark coder");
	assert_held(conf, rows, 4, NULL, "/src/a", SPK_LEVEL_PROPOSE, "/src by anna");
	assert_held(conf, rows, 5, NULL, "/src/lib/b", SPK_LEVEL_ASSIST, "/src/lib");
	/* /src/library is not below /src/lib */
	assert_held(conf, rows, 5, NULL, "/src/library", SPK_LEVEL_PROPOSE, "/src by");
	assert_held(conf, rows, 6, NULL, "/src/lib", SPK_LEVEL_AUTONOMOUS,
		    "coder in /src/lib");
	/* a row that holds no level gives the least */
	assert_held(conf, rows, 7, NULL, "/x", SPK_LEVEL_OBSERVE, "/x");
}

static void asked_for_one_task(void **state)
{
	g_autoptr(SpkConf) conf = conf_of("propose", "none");
	g_autoptr(SpkConf) generous = conf_of("propose", "deliver");
	g_auto(SpkLevelHeld) held = { SPK_LEVEL_PROPOSE, g_strdup("a test") };
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_false(spk_autonomy_ask(conf, "deliver", &held, &error));
	assert_true(spk_error_is(error, SPK_ERR_POLICY));
	assert_int_equal(held.level, SPK_LEVEL_PROPOSE);
	g_clear_error(&error);
	assert_false(spk_autonomy_ask(conf, "all", &held, &error));
	assert_true(spk_error_is(error, SPK_ERR_USAGE));
	g_clear_error(&error);
	assert_true(spk_autonomy_ask(generous, "deliver", &held, &error));
	assert_int_equal(held.level, SPK_LEVEL_DELIVER);
	assert_false(spk_autonomy_ask(generous, "4", &held, &error));
	assert_true(spk_autonomy_ask(conf, "0", &held, NULL));
	assert_int_equal(held.level, SPK_LEVEL_OBSERVE);
	spk_autonomy_cap(&held, SPK_LEVEL_DELIVER, "its parent");
	assert_string_equal(held.from, "--level");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nearest_and_least),
	cmocka_unit_test(asked_for_one_task),
};

SUITE(autonomy_suite, tests);
