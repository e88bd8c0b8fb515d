/* [[ghosts]]: beside the built-in ones or in their place, refused with file and line. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "test_agent.h"

static char *root;

static char *below(const char *name)
{
	return g_build_filename(root, name, NULL);
}

static void put(const char *name, const char *text)
{
	g_autofree char *path = below(name);

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static SpkConf *load(const char *text)
{
	g_autofree char *path = below("c.toml");
	SpkConfSource source = { .explicit_path = path };
	SpkConf *conf;

	put("c.toml", text);
	conf = spk_conf_load(&source, NULL);
	assert_non_null(conf);
	return conf;
}

static int setup(void **state)
{
	root = g_dir_make_tmp("spk-sparks-XXXXXX", NULL);
	if (!root)
		return -1;
	g_setenv("SPARKS_HOME", root, TRUE);
	return 0;
}

static int teardown(void **state)
{
	gboolean ok = spk_fs_remove_tree(root, NULL);

	g_unsetenv("SPARKS_HOME");
	g_clear_pointer(&root, g_free);
	return ok ? 0 : -1;
}

static void test_added_and_overridden(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(GPtrArray) all = NULL;
	g_autoptr(SpkSpark) mine = NULL, scout = NULL, again = NULL;
	g_autoptr(json_t) record = NULL;

	put("soul.md", "Be brief.");
	put("skill.md", "Count twice.");
	conf = load(
		"[[ghosts]]\nname = 'mine'\ntools = ['grep', 'file_read', 'mcp:a:b']\n"
		"soul_file = 'soul.md'\nskill_files = ['skill.md']\n"
		"[[ghosts]]\nname = 'scout'\ntools = ['file_write']\nrole = 'critic'\n");
	all = spk_sparks(conf, NULL);
	assert_int_equal(all->len, 3);
	mine = spk_spark_find(conf, "mine", NULL);
	scout = spk_spark_find(conf, "scout", NULL);
	assert_string_equal(mine->soul, "Be brief.\n\nCount twice.");
	assert_string_equal(mine->tools[0], "file_search");
	assert_string_equal(mine->tools[2], "finish");
	assert_true(mine->read_only);
	assert_false(scout->read_only);
	assert_string_equal(scout->role, "critic");
	assert_true(g_str_has_suffix(scout->origin, "c.toml:7"));
	put("soul.md", "Changed.");
	record = spk_spark_record(mine);
	again = spk_spark_recorded(record);
	assert_string_equal(again->soul, mine->soul);
	assert_true(again->read_only);
	assert_null(again->tools[3]);
}

static void test_built_in_ones_are_not_recorded(void **state)
{
	g_autoptr(SpkConf) conf = load("");
	g_autoptr(SpkSpark) coder = spk_spark_find(conf, "coder", NULL);

	assert_null(spk_spark_record(coder));
	assert_null(spk_spark_recorded(NULL));
}

/* [persona] goes around what a spark says of itself; a soul of its own comes before that of
 * the persona, and a task keeps all of it. */
static void test_persona(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkSpark) mine = NULL, coder = NULL, again = NULL;
	g_autoptr(json_t) record = NULL;
	g_autofree char *self = below("self.md");

	put("soul.md", "SOUL");
	put("self.md", "SELF");
	put("tools.md", "TOOLS");
	put("own.md", "OWN");
	conf = load("[persona]\nsoul_file = 'soul.md'\nself_file = '~/.sparks/self.md'\n"
		    "tools_file = 'tools.md'\n[[ghosts]]\nname = 'mine'\n"
		    "tools = ['shell']\nsoul_file = 'own.md'\n");
	mine = spk_spark_find(conf, "mine", NULL);
	coder = spk_spark_find(conf, "coder", NULL);
	assert_string_equal(mine->soul, "SELF\n\nOWN\n\nTOOLS");
	assert_string_equal(mine->persona_files[0], self);
	assert_null(mine->persona_files[2]);
	assert_true(g_str_has_prefix(coder->soul, "SOUL\n\nSELF\n\nYou are coder"));
	assert_true(g_str_has_suffix(coder->soul, "\n\nTOOLS"));
	put("soul.md", "ANOTHER");
	record = spk_spark_record(coder);
	again = spk_spark_recorded(record);
	assert_string_equal(again->soul, coder->soul);
	assert_string_equal(again->origin, "built in");
}

static void test_persona_at_fault(void **state)
{
	g_autoptr(SpkConf) conf = load("[persona]\n\nself_file = 'none.md'\n");
	g_autoptr(GPtrArray)
		problems = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	g_autoptr(GError) error = NULL;

	assert_null(spk_sparks(conf, &error));
	assert_true(spk_error_is(error, SPK_ERR_CONFIG));
	assert_non_null(strstr(error->message, "c.toml:3: persona.self_file "));
	assert_non_null(strstr(error->message, "none.md"));
	spk_sparks_check(conf, problems);
	assert_int_equal(problems->len, 1);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[[ghosts]]\nname = 'a'\ntools = ['file_raed']\n",
		  "c.toml:3: tools has \"file_raed\", which is no tool (did you mean "
		  "\"file_read\"?)" },
		{ "[[ghosts]]\nname = 'a'\ntools = ['web_search']\n",
		  "c.toml:3: tools leaves the spark without any" },
		{ "[[ghosts]]\ntools = ['shell']\n", "c.toml:1: name must be 1 to 64" },
		{ "[[ghosts]]\n", "c.toml:1: name must be 1 to 64" },
		{ "[[ghosts]]\nname = 'a'\ntools = ['shell']\nsoul_file = 'none.md'\n",
		  "c.toml:4: soul_file" },
		{ "[[ghosts]]\nname = 'a'\ntools = ['shell']\nskill_file = 'fifo'\n",
		  "fifo, which is not a regular file" },
	};

	g_autofree char *fifo = below("fifo");

	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(SpkConf) conf = load(rows[i].text);
		g_autoptr(GError) error = NULL;

		assert_null(spk_sparks(conf, &error));
		assert_true(spk_error_is(error, SPK_ERR_CONFIG));
		assert_non_null(strstr(error->message, rows[i].message));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_added_and_overridden, setup, teardown),
	cmocka_unit_test_setup_teardown(test_built_in_ones_are_not_recorded, setup,
					teardown),
	cmocka_unit_test_setup_teardown(test_persona, setup, teardown),
	cmocka_unit_test_setup_teardown(test_persona_at_fault, setup, teardown),
	cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
};
const Suite sparks_suite = { tests, G_N_ELEMENTS(tests) };
