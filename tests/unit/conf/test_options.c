/* The table itself: sorted, complete, and each default is a value the option accepts. */
#include <string.h>

#include "conf/knob.h"
#include "test_conf.h"

static void test_table_is_sorted_and_complete(void **state)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		if (opt[1].name)
			assert_true(strcmp(opt->name, opt[1].name) < 0);
		assert_int_equal(spk_conf_find(opt->name), opt - spk_conf_options());
		assert_non_null(opt->sentence);
		assert_true(opt->type != SPK_OPT_ENUM || opt->choices);
		assert_true((opt->type != SPK_OPT_INT && opt->type != SPK_OPT_REAL) ||
			    opt->min < opt->max);
	}
	assert_int_equal(spk_conf_find("openai.modell"), -1);
	assert_int_equal(spk_conf_find(""), -1);
}

static void test_defaults_are_values(void **state)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		g_autofree char *why = NULL;
		SpkConfValue value;

		assert_true(spk_conf_value_parse(opt, opt->fallback, &value, &why));
		g_free(value.text);
	}
}

/* What decides where data goes, or how much is spent or allowed, needs trust. */
static void test_sensitive_ones(void **state)
{
	static const char *const prefixes[] = {
		"box.",
		"budget.",
		"db.path",
		"embedding.",
		"llm.provider",
		"script.",
		"task.max_tokens",
		"keep.",
		"llm.fallback",
		"llm.local_servers",
		"persona.",
		"llm.summary_model",
		"docker.",
		"cli.",
		"llm.verify_model",
		"llm.classifier_model",
		"approvals.",
		"autonomy.",
		"guard.",
		"manager.sensitive",
		"manager.auto_approve",
		"manager.deny",
		"memory.dedup_threshold",
		"memory.max_entries",
		"prompt_scanner.",
	};

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		gboolean want = g_str_has_suffix(opt->name, ".url");

		for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
			want |= g_str_has_prefix(opt->name, prefixes[i]);
		assert_int_equal(!!(opt->flags & SPK_OPT_SENSITIVE), want);
	}
}

/* What is set at run time is read anew by every task: an option there is, of ours. */
static void test_knobs_are_options(void **state)
{
	const char *last = "";

	for (const SpkKnob *knob = spk_knobs(); knob->name; last = knob++->name) {
		assert_true(strcmp(last, knob->name) < 0);
		if (knob->option) {
			assert_true(spk_conf_find(knob->option) >= 0);
			assert_ptr_equal(spk_knob_find(knob->name, NULL), knob);
		} else {
			assert_true(spk_conf_find(knob->name) < 0);
			assert_true(*knob->takes && *knob->sentence);
		}
	}
}

static void test_knobs_over_a_configuration(void **state)
{
	static const char *const given[] = { "manager.max_steps=7", NULL };
	SpkConfSource source = { .overrides = given };
	g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(SpkConf) loaded = spk_conf_load(&source, NULL);
	g_autoptr(SpkConf) with = NULL, back = NULL;

	g_hash_table_insert(values, (gpointer) "manager.max_steps", (gpointer) "9");
	g_hash_table_insert(values, (gpointer) "up.workers", (gpointer) "3");
	g_hash_table_insert(values, (gpointer) "task.heal_attempts",
			    (gpointer) "no number");
	with = spk_conf_with_knobs(loaded, values);
	assert_int_equal(spk_conf_int(with, "manager.max_steps"), 7);
	assert_int_equal(spk_conf_int(with, "up.workers"), 3);
	assert_string_equal(spk_conf_origin(with, "up.workers"), "knob");
	assert_string_equal(spk_conf_origin(with, "task.heal_attempts"), "default");
	assert_int_equal(spk_conf_int(loaded, "up.workers"), 2);
	back = spk_conf_with_knobs(with, none);
	assert_ptr_equal(back, loaded);
	g_setenv("OPENAI_API_KEY", "sk-x", TRUE);
	assert_string_equal(spk_conf_secret(with, "OPENAI_API_KEY"), "sk-x");
	g_unsetenv("OPENAI_API_KEY");
}

/* The same rules for what has no effect yet; no name is in both tables. */
static void test_later_options(void **state)
{
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		g_autofree char *why = NULL;
		SpkConfValue value = { NULL };

		if (opt[1].name)
			assert_true(strcmp(opt->name, opt[1].name) < 0);
		assert_int_equal(spk_conf_find(opt->name), -1);
		assert_ptr_equal(spk_conf_find_later(opt->name), opt);
		assert_true(opt->flags & (SPK_OPT_LATER | SPK_OPT_SENSITIVE));
		assert_true(*opt->sentence);
		assert_true(spk_conf_value_parse(opt, opt->fallback, &value, &why));
		g_free(value.text);
	}
	assert_non_null(spk_conf_find_later("ghosts[12].mounts[0].host_path"));
	assert_null(spk_conf_find_later("ghosts.name"));
}

static void test_later_sections(void **state)
{
	static const char *const later[] = { "telegram", "ghosts", "manager",
					     "mcp.servers[2]", "ghosts[0].mounts[1]" };
	static const char *const not_later[] = { "ghostsx", "telegra", "keep",
						 "ghosts[0].x[1]" };

	for (gsize i = 0; i < G_N_ELEMENTS(later); i++)
		assert_true(spk_conf_is_later_section(later[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(not_later); i++)
		assert_false(spk_conf_is_later_section(not_later[i]));
}

static const SpkOpt *find_any(const char *name)
{
	int at = spk_conf_find(name);

	return at >= 0 ? &spk_conf_options()[at] : spk_conf_find_later(name);
}

static void test_lists(void **state)
{
	static const struct {
		const char *name, *text, *value, *why;
	} lists[] = {
		{ "snapshot.include", "a, b", "[\"a\",\"b\"]", NULL },
		{ "snapshot.include", "[\"a, b\"]", "[\"a, b\"]", NULL },
		{ "snapshot.include", "[\"a\", 1]", NULL, "nothing but strings" },
		{ "snapshot.include", "[\"a\"", NULL, "must be a list of strings" },
		{ "telegram.allowed_chats", "[]", "[]", NULL },
		{ "manager.sensitive_patterns", "[\"a(\"]", NULL,
		  "has \"a(\", which is no regular expression" },
		{ "initiative.quiet_hours_start", "", "", NULL },
		{ "initiative.quiet_hours_start", "25", NULL, "from 0 to 24" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		const SpkOpt *opt = find_any(lists[i].name);
		g_autofree char *why = NULL;
		SpkConfValue value = { NULL };
		gboolean ok = spk_conf_value_parse(opt, lists[i].text, &value, &why);

		assert_int_equal(ok, !lists[i].why);
		if (ok)
			assert_string_equal(value.text, lists[i].value);
		else
			assert_has(why, lists[i].why);
		g_free(value.text);
	}
}

/* Every way in which a text is no value of an option, with the words that say so. */
static void test_values(void **state)
{
	static const struct {
		const char *name, *text, *why;
	} rows[] = {
		{ "manager.max_steps", "1", NULL },
		{ "manager.max_steps", "1000", NULL },
		{ "guard.sensitive_files", "*.secret, vault/, !open.secret", NULL },
		{ "guard.sensitive_files", "[\"a b/*.x\"]", NULL },
		{ "guard.sensitive_files", "*", "has \"*\", which names nothing" },
		{ "guard.sensitive_files", "!", "names nothing" },
		{ "guard.sensitive_files", "*.*", "names nothing, or everything" },
		{ "guard.sensitive_files", "/etc/x", "no path" },
		{ "guard.sensitive_files", "../x", "no path" },
		{ "guard.sensitive_files", "[\"a\\nb\"]", "a control character" },
		{ "manager.max_steps", "0",
		  "is 0, but must be a whole number from 1 to 1000" },
		{ "manager.max_steps", "1001", "from 1 to 1000" },
		{ "manager.max_steps", "1.5", "is 1.5, but must be a whole" },
		{ "manager.max_steps", "", "is empty" },
		{ "manager.max_steps", " 5", "must be a whole" },
		{ "manager.max_steps", "99999999999999999999", "must be a whole" },
		{ "openai.temperature", "0", NULL },
		{ "openai.temperature", "2", NULL },
		{ "openai.temperature", "2.01", "from 0 to 2" },
		{ "openai.temperature", "nan", "from 0 to 2" },
		{ "openai.temperature", "0.3x", "from 0 to 2" },
		{ "box.backend", "native", NULL },
		{ "box.backend", "natve",
		  "one of auto, native, docker (did you mean \"native\"?)" },
		{ "box.backend", "", "one of" },
		{ "manager.loop_guard.enabled", "off", NULL },
		{ "manager.loop_guard.enabled", "maybe", "must be true or false" },
		{ "openai.model", "\xff", "UTF-8" },
		{ "openai.model", "", "is empty" },
		{ "db.path", "", "is empty" },
		{ "script.play", "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const SpkOpt *opt = &spk_conf_options()[spk_conf_find(rows[i].name)];
		g_autofree char *why = NULL;
		SpkConfValue value = { NULL };
		gboolean ok = spk_conf_value_parse(opt, rows[i].text, &value, &why);

		assert_int_equal(ok, !rows[i].why);
		if (!ok)
			assert_has(why, rows[i].why);
		g_free(value.text);
	}
}

/* What a file would have, whatever way it was typed. */
static void test_canon(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "budget.day_usd", ".5", "0.5" },  { "budget.day_usd", "05", "5" },
		{ "budget.day_usd", "0.1", "0.1" }, { "up.workers", "07", "7" },
		{ "llm.fallback", "off", "false" }, { "openai.model", "a\"b", "a\"b" },
		{ "script.play", "~/x", "~/x" },    { "up.workers", "x", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const SpkOpt *opt = &spk_conf_options()[spk_conf_find(rows[i].name)];
		g_autofree char *got = spk_conf_canon(opt, rows[i].text);

		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
}

static void test_value_is_bounded(void **state)
{
	g_autofree char *huge = g_strnfill(SPK_CONF_MAX_VALUE + 1, 'x');
	const SpkOpt *opt = &spk_conf_options()[spk_conf_find("openai.model")];
	g_autofree char *why = NULL;
	SpkConfValue value = { NULL };

	assert_false(spk_conf_value_parse(opt, huge, &value, &why));
	assert_has(why, "longer than 4096 bytes");
	g_clear_pointer(&why, g_free);
	huge[SPK_CONF_MAX_VALUE] = '\0';
	assert_true(spk_conf_value_parse(opt, huge, &value, &why));
	g_free(value.text);
}

const struct CMUnitTest options_tests[] = {
	cmocka_unit_test(test_table_is_sorted_and_complete),
	cmocka_unit_test(test_defaults_are_values),
	cmocka_unit_test(test_sensitive_ones),
	cmocka_unit_test(test_knobs_are_options),
	cmocka_unit_test(test_knobs_over_a_configuration),
	cmocka_unit_test(test_later_options),
	cmocka_unit_test(test_later_sections),
	cmocka_unit_test(test_lists),
	cmocka_unit_test(test_values),
	cmocka_unit_test(test_canon),
	cmocka_unit_test(test_value_is_bounded),
};
const size_t n_options_tests = G_N_ELEMENTS(options_tests);
