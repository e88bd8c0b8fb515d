/* What holds after loading: places, precedence, warnings, errors, the database's place. */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "test_conf.h"

static void test_no_file(void **state)
{
	g_autoptr(SpkConf) conf = load_ok(NULL);
	g_autofree char *store = in_home("store.db");

	assert_null(spk_conf_path(conf));
	assert_true(spk_conf_is_trusted(conf));
	assert_null(spk_conf_warnings(conf)[0]);
	assert_int_equal(spk_conf_int(conf, "manager.max_steps"), 15);
	assert_true(spk_conf_real(conf, "openai.temperature") == 0.3);
	assert_true(spk_conf_bool(conf, "manager.loop_guard.enabled"));
	assert_string_equal(spk_conf_str(conf, "openai.url"), "");
	assert_string_equal(spk_conf_str(conf, "box.require_tier"), "landlock");
	assert_string_equal(spk_conf_store_path(conf), store);
	assert_false(spk_conf_is_set(conf, "manager.max_steps"));
	assert_string_equal(spk_conf_origin(conf, "manager.max_steps"), "default");
}

static void test_home_file(void **state)
{
	g_autofree char *path = in_home("config.toml");
	g_autoptr(SpkConf) conf = NULL;

	put(path, "[manager]\nmax_steps = 20\n[openai]\nurl = 'http://h/v1'\n");
	conf = load_ok(NULL);
	assert_string_equal(spk_conf_path(conf), path);
	assert_true(spk_conf_is_trusted(conf));
	assert_int_equal(spk_conf_int(conf, "manager.max_steps"), 20);
	assert_string_equal(spk_conf_str(conf, "openai.url"), "http://h/v1");
	assert_string_equal(spk_conf_origin(conf, "openai.url"), "file");
}

static void test_here_before_home(void **state)
{
	g_autofree char *path = in_home("config.toml");
	g_autoptr(SpkConf) conf = NULL;

	put(path, "[manager]\nmax_steps = 20\n[up]\nworkers = 9\n");
	put("config.toml", "[manager]\nmax_steps = 21\n");
	conf = load_ok(NULL);
	assert_string_equal(spk_conf_path(conf), "./config.toml");
	assert_int_equal(spk_conf_int(conf, "manager.max_steps"), 21);
	assert_int_equal(spk_conf_int(conf, "up.workers"), 2);
}

static void test_precedence(void **state)
{
	static const char *const overrides[] = { "manager.max_steps=5", NULL };
	SpkConfSource source = { "x.toml", overrides };
	g_autoptr(SpkConf) all = NULL;
	g_autoptr(SpkConf) conf = NULL;

	put("x.toml",
	    "[manager]\nmax_steps = 2\n[up]\nworkers = 2\n[llm]\nmax_retries = 2\n"
	    "[openai]\nmodel = 'two'\n");
	put(".env", "SPARKS_MANAGER_MAX_STEPS=3\nSPARKS_UP_WORKERS=3\n"
		    "SPARKS_LLM_MAX_RETRIES=3\n");
	g_setenv("SPARKS_MANAGER_MAX_STEPS", "4", TRUE);
	g_setenv("SPARKS_UP_WORKERS", "4", TRUE);
	all = spk_conf_load(&source, NULL);
	assert_non_null(all);
	assert_int_equal(spk_conf_int(all, "manager.max_steps"), 5);
	assert_string_equal(spk_conf_origin(all, "manager.max_steps"), "command line");
	assert_int_equal(spk_conf_int(all, "up.workers"), 4);
	assert_string_equal(spk_conf_origin(all, "up.workers"), "environment");
	assert_int_equal(spk_conf_int(all, "llm.max_retries"), 3);
	assert_string_equal(spk_conf_origin(all, "llm.max_retries"), ".env");
	assert_string_equal(spk_conf_str(all, "openai.model"), "two");
	g_unsetenv("SPARKS_MANAGER_MAX_STEPS");
	g_unsetenv("SPARKS_UP_WORKERS");
	conf = load_ok("x.toml");
	assert_int_equal(spk_conf_int(conf, "manager.max_steps"), 3);
}

static void test_environment_reaches_every_option(void **state)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		g_autofree char *env = spk_conf_env_name(opt->name);
		g_autoptr(SpkConf) conf = NULL;

		g_setenv(env, opt->fallback, TRUE);
		conf = load_ok(NULL);
		assert_string_equal(spk_conf_origin(conf, opt->name), "environment");
		assert_null(spk_conf_warnings(conf)[0]);
		g_unsetenv(env);
	}
}

/* Text of a file, the message it must give. */
static void test_errors(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[manager]\nmax_steps = 0\n",
		  "x.toml:2:13: manager.max_steps is 0, but must be a whole number from 1 to" },
		{ "[manager]\nmax_steps = '15'\n",
		  "x.toml:2:13: manager.max_steps is a string: 15" },
		{ "[manager]\nmax_steps = 1.0\n",
		  "is a number: 1, but must be a whole number" },
		{ "[manager.loop_guard]\nenabled = 'true'\n",
		  "must be true or false, without" },
		{ "[openai]\nmodel = 4\n",
		  "openai.model is a whole number: 4, but must be a string" },
		{ "[openai]\nmodel = ['a']\n",
		  "openai.model is a list: [\"a\"], but must be" },
		{ "openai.model.x = 1\nup.workers = 'a'", "up.workers is a string" },
		{ "[box]\nbackend = 'podman'\n",
		  "box.backend is \"podman\", but must be one of" },
		{ "[openai]\ntemperature = nan\n",
		  "openai.temperature is nan, but must be" },
		{ "a = [\n", "x.toml:" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *message = NULL;

		put("x.toml", rows[i].text);
		message = load_message("x.toml");
		if (!strstr(message, rows[i].message))
			print_error("%s\n", message);
		assert_has(message, rows[i].message);
	}
}

static void test_all_problems_are_found(void **state)
{
	static const char *const overrides[] = { "up.wokers=3", "nothing", NULL };
	SpkConfSource source = { "x.toml", overrides };
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(GError) error = NULL;

	put("x.toml",
	    "[manager]\nmax_steps = 0\n[up]\nworkers = 100\n[llm]\nmax_retries = 7\n");
	g_setenv("SPARKS_OPENAI_MAX_TOKENS", "many", TRUE);
	conf = spk_conf_check(&source, &problems);
	assert_int_equal(problems->len, 5);
	assert_has(((GError *)problems->pdata[2])->message, "SPARKS_OPENAI_MAX_TOKENS: ");
	assert_has(((GError *)problems->pdata[3])->message,
		   "did you mean \"up.workers\"?");
	assert_int_equal(spk_conf_int(conf, "llm.max_retries"), 7);
	assert_int_equal(spk_conf_int(conf, "up.workers"), 2);
	assert_null(spk_conf_load(&source, &error));
	assert_has(error->message, "and 4 more");
	g_unsetenv("SPARKS_OPENAI_MAX_TOKENS");
}

static void test_explicit_file_must_exist(void **state)
{
	g_autofree char *message = load_message("nope.toml");
	g_autofree char *folder = load_message(".");

	assert_has(message, "nope.toml: no such file");
	assert_has(folder, "no such file");
}

static void test_warnings(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put("x.toml",
	    "[manager]\nmax_step = 3\n[telegram]\nprovider = 'x'\nallow_all = true\n"
	    "[[ghosts]]\nname = 'a'\nimage = 'i'\n[openai]\nauth_file = 'm'\n"
	    "[llm]\n[nonsense]\nx = 1\n\"openai.url\" = 'http://x'\n");
	conf = load_ok("x.toml");
	all = warnings_of(conf);
	assert_has(all, "x.toml:2: unknown key manager.max_step (did you mean "
			"\"manager.max_steps\"?)");
	assert_has(all,
		   "x.toml:4: [telegram] provider, allow_all: known, but not in this "
		   "version: no effect");
	assert_lacks(all, "image");
	assert_has(all, "x.toml:10: [openai] auth_file: known");
	assert_has(all, "unknown key nonsense.x");
	assert_has(all, "unknown key nonsense.\"openai.url\"");
	assert_lacks(all, "x.toml:5");
	assert_lacks(all, "[llm]");
	assert_string_equal(spk_conf_str(conf, "openai.url"), "");
}

static void test_unknown_keys_are_not_endless(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	for (int i = 0; i < 1000; i++)
		g_string_append_printf(text, "zzzzzzzzzzzzzzz%d = 1\n", i);
	put("x.toml", text->str);
	conf = load_ok("x.toml");
	assert_int_equal(g_strv_length((char **)spk_conf_warnings(conf)), 13);
	all = warnings_of(conf);
	assert_has(all, "and 988 more keys of this kind");
}

static void test_mistyped_variable(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	g_setenv("SPARKS_OPENAI_MODLE", "x", TRUE);
	g_setenv("SPARKS_RELEASE", "x", TRUE);
	g_setenv("SPARKS_OPENAI_API_KEY", "x", TRUE);
	conf = load_ok(NULL);
	all = warnings_of(conf);
	assert_has(all, "SPARKS_OPENAI_MODLE is not an option (did you mean "
			"\"SPARKS_OPENAI_MODEL\"?)");
	assert_int_equal(g_strv_length((char **)spk_conf_warnings(conf)), 1);
	g_unsetenv("SPARKS_OPENAI_MODLE");
	g_unsetenv("SPARKS_RELEASE");
	g_unsetenv("SPARKS_OPENAI_API_KEY");
}

static void test_paths(void **state)
{
	g_autofree char *cwd = g_get_current_dir();
	g_autofree char *play = g_build_filename(cwd, "a", "b.play", NULL);
	g_autofree char *db = in_home("x/y.db");
	g_autoptr(SpkConf) conf = NULL;

	put("x.toml", "[script]\nplay = 'a/./b.play'\n[db]\npath = '~/.sparks/x/y.db'\n");
	conf = load_ok("x.toml");
	assert_string_equal(spk_conf_str(conf, "script.play"), play);
	assert_string_equal(spk_conf_str(conf, "db.path"), db);
	assert_string_equal(spk_conf_store_path(conf), db);
}

/* A file that starts as SQLite's do, with that application id. */
static void put_database(const char *path, char id)
{
	char head[4096] = "SQLite format 3";

	head[71] = id;
	assert_true(g_file_set_contents(path, head, sizeof(head), NULL));
}

static void test_database_of_the_reference(void **state)
{
	g_autofree char *theirs = in_home("sparks.db");
	g_autofree char *ours = in_home("store.db");
	g_autofree char *own = in_home("mine.db");
	g_autofree char *all = NULL;
	g_autoptr(SpkConf) first = NULL, again = NULL, mine = NULL, same = NULL;

	put("x.toml", "[db]\npath = '~/.sparks/sparks.db'\n");
	put_database(theirs, 0);
	first = load_ok("x.toml");
	assert_string_equal(spk_conf_store_path(first), ours);
	all = warnings_of(first);
	assert_has(all, "database of the reference program");
	put_database(ours, 7);
	again = load_ok("x.toml");
	assert_string_equal(spk_conf_store_path(again), ours);
	assert_null(spk_conf_warnings(again)[0]);
	put("y.toml", "[db]\npath = '~/.sparks/mine.db'\n");
	put_database(own, 7);
	mine = load_ok("y.toml");
	assert_string_equal(spk_conf_store_path(mine), own);
	/* looked at once: what is open since then must not be opened and closed again */
	put_database(own, 0);
	same = load_ok("y.toml");
	assert_string_equal(spk_conf_store_path(same), own);
}

static void test_secret(void **state)
{
	g_autofree char *path = in_home(".env");
	g_autoptr(SpkConf) conf = load_ok(NULL);
	g_autoptr(SpkConf) with = NULL;
	g_autoptr(json_t) json = NULL;
	g_autofree char *text = NULL;

	assert_null(spk_conf_secret(conf, "OPENAI_API_KEY"));
	put(path, "OPENAI_API_KEY=sk-from-file\n");
	with = load_ok(NULL);
	assert_string_equal(spk_conf_secret(with, "OPENAI_API_KEY"), "sk-from-file");
	g_setenv("OPENAI_API_KEY", "sk-from-env", TRUE);
	assert_string_equal(spk_conf_secret(with, "OPENAI_API_KEY"), "sk-from-env");
	g_setenv("OPENAI_API_KEY", "", TRUE);
	assert_string_equal(spk_conf_secret(with, "OPENAI_API_KEY"), "sk-from-file");
	g_unsetenv("OPENAI_API_KEY");
	json = spk_conf_to_json(with);
	text = spk_json_dump(json);
	assert_lacks(text, "sk-from");
}

static void test_json(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(json_t) json = NULL;
	const json_t *values, *row;

	put("x.toml", "\n[up]\nworkers = 3\n");
	conf = load_ok("x.toml");
	json = spk_conf_to_json(conf);
	assert_string_equal(spk_json_str(json, "file"), "x.toml");
	assert_true(spk_json_bool(json, "trusted", FALSE));
	values = json_object_get(json, "values");
	assert_int_equal(json_object_size(values), spk_conf_n_options());
	row = json_object_get(values, "up.workers");
	assert_int_equal(spk_json_int(row, "value", 0), 3);
	assert_int_equal(spk_json_int(row, "line", 0), 3);
	assert_string_equal(spk_json_str(row, "origin"), "file");
	row = json_object_get(values, "box.pids");
	assert_true(json_is_null(json_object_get(row, "line")));
}

static void test_references(void **state)
{
	SpkConf *conf = load_ok(NULL);

	assert_ptr_equal(spk_conf_ref(conf), conf);
	spk_conf_unref(conf);
	assert_int_equal(spk_conf_int(conf, "up.workers"), 2);
	spk_conf_unref(conf);
}

/* What two processes compare: no names of files of the store, and of keys only that they are
 * there. */
static void test_task_values(void **state)
{
	g_autoptr(SpkConf) conf = load_ok(NULL);
	g_autoptr(json_t) without = spk_conf_task_values(conf), with = NULL, other = NULL;
	g_autofree char *text = NULL;

	assert_int_equal(spk_json_int(without, "manager.max_steps", 0), 15);
	assert_null(json_object_get(without, "db.path"));
	assert_null(json_object_get(without, "db.synchronous"));
	assert_null(json_object_get(without, "up.workers"));
	assert_non_null(json_object_get(without, "openai.url"));
	g_setenv("OPENAI_API_KEY", "sk-canary", TRUE);
	with = spk_conf_task_values(conf);
	g_setenv("OPENAI_API_KEY", "sk-other", TRUE);
	other = spk_conf_task_values(conf);
	g_unsetenv("OPENAI_API_KEY");
	assert_false(json_equal(with, without));
	assert_true(json_equal(with, other));
	text = spk_json_dump(with);
	assert_lacks(text, "canary");
}

static json_t *values_of(const char *text)
{
	g_autoptr(SpkConf) conf = NULL;

	put("modes.toml", text);
	conf = load_ok("modes.toml");
	return spk_conf_task_values(conf);
}

/* Whether a text is withheld depends on them: on what each says, and on which comes first. */
static void test_scan_modes_are_compared(void **state)
{
#define MODES "[[prompt_scanner.mode_overrides]]\n"
	static const char web[] = MODES "provider = 'web'\nmode = 'block'\n";
	g_autofree char *said = g_strdup_printf("%s%s", web, MODES "repo = 'a/b'\n");
	g_autofree char *turned = g_strdup_printf("%s%s", MODES "repo = 'a/b'\n", web);
	g_autofree char *full = g_strdup_printf(
		"# the same\n%s%s", web, MODES "mode = 'flag_only'\nrepo = 'a/b'\n");
	g_autoptr(json_t) none = values_of("\n"), one = values_of(web);
	g_autoptr(json_t) two = values_of(said), same = values_of(full);
	g_autoptr(json_t) order = values_of(turned);
	const json_t *modes = json_object_get(one, "prompt_scanner.mode_overrides");

	assert_int_equal(json_array_size(modes), 1);
	assert_string_equal(spk_json_str(json_array_get(modes, 0), "mode"), "block");
	assert_string_equal(spk_json_str(json_array_get(modes, 0), "provider"), "web");
	assert_false(json_equal(none, one));
	assert_false(json_equal(one, two));
	assert_false(json_equal(two, order));
	assert_true(json_equal(two, same));
#undef MODES
}

#define T(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
const struct CMUnitTest load_tests[] = {
	T(test_no_file),
	T(test_home_file),
	T(test_here_before_home),
	T(test_precedence),
	T(test_environment_reaches_every_option),
	T(test_errors),
	T(test_all_problems_are_found),
	T(test_explicit_file_must_exist),
	T(test_warnings),
	T(test_unknown_keys_are_not_endless),
	T(test_mistyped_variable),
	T(test_paths),
	T(test_database_of_the_reference),
	T(test_secret),
	T(test_json),
	T(test_task_values),
	T(test_scan_modes_are_compared),
	T(test_references),
};
const size_t n_load_tests = G_N_ELEMENTS(load_tests);
