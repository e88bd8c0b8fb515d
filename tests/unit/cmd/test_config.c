/* `config explain|path|sample`, and what is made of the option table. */
#include "agent/agent.h"
#include "base/error.h"
#include "cmd/config/optdoc.h"
#include "test_cmd.h"

static void write_file(const char *path, const char *text)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_explain_names_the_line(void **state)
{
	write_file("c.toml", "[manager]\n\nmax_steps = 7\n");
	g_auto(Ran) plain =
		RUN("--config", "c.toml", "config", "explain", "manager.max_steps");
	g_auto(Ran) json =
		RUN("--config", "c.toml", "config", "explain", "max_steps", "--json");

	assert_int_equal(plain.exit_code, 0);
	assert_has(plain.out, "value      7\n");
	assert_has(plain.out, "from       c.toml:3\n");
	assert_has(plain.out, "takes      a whole number from 1 to 1000\n");
	assert_has(json.out, "\"value\":7,\"origin\":\"file\",\"place\":\"c.toml:3\"");
}

static void test_explain_names_the_variable(void **state)
{
	g_setenv("SPARKS_UP_WORKERS", "5", TRUE);
	g_auto(Ran) ran = RUN("config", "explain", "up.workers");
	g_auto(Ran) over = RUN("--set", "up.workers=6", "config", "explain", "[up]");

	g_unsetenv("SPARKS_UP_WORKERS");
	assert_has(ran.out, "from       SPARKS_UP_WORKERS\n");
	assert_has(over.out, "value      6\n");
	assert_has(over.out, "from       command line\n");
}

static void test_explain_of_what_has_no_effect(void **state)
{
	write_file("config.toml", "[openai]\nurl = \"http://evil\"\n");
	g_auto(Ran) ran = RUN("config", "explain", "openai.url");
	g_auto(Ran) path = RUN("config", "path");

	g_remove("config.toml");
	assert_has(ran.out, "value      empty\n");
	assert_has(ran.out, "which is not trusted");
	assert_has(path.out, "./config.toml (not trusted");
	assert_has(path.out, "in force  ./config.toml\n");
	assert_has(path.out, "/home/config.toml\n");
}

static void test_explain_of_what_is_no_option(void **state)
{
	g_auto(Ran) later = RUN("config", "explain", "telegram.provider");
	g_auto(Ran) part = RUN("config", "explain", "telegram");
	g_auto(Ran) slip = RUN("config", "explain", "up.wrokers");
	g_auto(Ran) secret = RUN("config", "explain", "openai.api_key");
	g_auto(Ran) section = RUN("config", "explain", "manager", "--json");

	assert_int_equal(later.exit_code, 0);
	assert_has(later.out, "telegram.provider: not in this version\n");
	assert_int_equal(part.exit_code, 0);
	assert_has(part.out, "telegram.planning_auto: not in this version\n");
	assert_has(part.out, "sparks secrets set telegram.token");
	assert_int_equal(slip.exit_code, 2);
	assert_has(slip.err, "did you mean \"up.workers\"?");
	assert_has(secret.out, "sparks secrets set openai.api_key");
	assert_has(section.out, "\"name\":\"manager.loop_guard.enabled\"");
}

/* As it stands in a file, in the table, or by the name alone. */
static void test_explain_of_a_spark(void **state)
{
	static const char *const words[] = { "ghosts[].soul_file", "ghosts[1].soul_file",
					     "ghosts.soul_file", "[[ghosts]]" };
	g_auto(Ran) image = RUN("config", "explain", "ghosts.image", "--json");
	g_auto(Ran) section = RUN("config", "explain", "[github]");

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_auto(Ran) ran = RUN("config", "explain", words[i]);

		assert_int_equal(ran.exit_code, 0);
		assert_has(ran.out, "ghosts[].soul_file: a key of each [[ghosts]]\n");
		assert_has(ran.out, "sparks ghosts show NAME");
	}
	assert_has(image.out, "{\"name\":\"ghosts[].image\"");
	assert_has(image.out, "\"built\":true}");
	assert_has(section.out, "github.token: ");
}

/* Without the # it is a file that sets every option to its default, and loads in silence. */
static void test_sample_loads(void **state)
{
	g_autofree char *sample = spk_optdoc_sample();
	g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
	SpkConfSource source = { .explicit_path = "sample.toml" };

	for (char **line = lines; *line; line++)
		if ((*line)[0] == '#' &&
		    (g_ascii_isalpha((*line)[1]) || (*line)[1] == '['))
			memmove(*line, *line + 1, strlen(*line));
	for (int round = 0; round < 2; round++) {
		g_autofree char *text = round ? g_strjoinv("\n", lines)
					      : g_strdup(sample);
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkConf) conf = NULL;
		g_autoptr(SpkSpark) spark = NULL;

		write_file("sample.toml", text);
		conf = spk_conf_load(&source, &error);
		assert_null(error);
		assert_null(spk_conf_warnings(conf)[0]);
		for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
			assert_string_equal(spk_conf_origin(conf, opt->name),
					    round ? "file" : "default");
		spark = spk_spark_find(conf, "reviewer", NULL);
		assert_int_equal(spark != NULL, round);
	}
}

static void test_quotes_of_toml(void **state)
{
	const SpkOpt opt = { .type = SPK_OPT_STRING };
	g_autofree char *text = spk_optdoc_toml(&opt, "a\"b\\s");

	assert_string_equal(text, "\"a\\\"b\\\\s\"");
}

const struct CMUnitTest config_tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, cmd_setup, cmd_teardown)
	TEST(test_explain_names_the_line),
	TEST(test_explain_names_the_variable),
	TEST(test_explain_of_what_has_no_effect),
	TEST(test_explain_of_what_is_no_option),
	TEST(test_explain_of_a_spark),
	TEST(test_sample_loads),
	TEST(test_quotes_of_toml),
};
const size_t n_config_tests = G_N_ELEMENTS(config_tests);
