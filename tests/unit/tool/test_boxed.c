/* shell and git, in the real box. */
#include "test_tool.h"

#include <string.h>
#include <unistd.h>

#include "base/json.h"

static void shell_runs(void **state)
{
	Fixture *f = *state;
	g_autofree char *made = NULL;

	assert_string_equal(ok(f, "shell", "{'command':'cat a.txt'}"),
			    "exit code 0\none\ntwo\nthree\n");
	assert_string_equal(ok(f, "shell", "{'command':'true'}"),
			    "exit code 0\n(no output)");
	bad(f, "shell", "{'command':'echo out; echo err >&2; exit 3'}",
	    "exit code 3\nout\nerr\n");
	assert_int_equal(spk_json_int(f->last.meta, "exit_code", 0), 3);
	assert_non_null(spk_json_str(f->last.meta, "output_sha256"));
	bad(f, "shell", "{'command':'no-such-program'}", "exit code 127");
	ok(f, "shell", "{'command':'echo made > made.txt'}");
	made = get(f, "made.txt");
	assert_string_equal(made, "made\n");
}

/* No terminal output, no environment, and nothing that differs between equal runs. */
static void shell_output_is_plain(void **state)
{
	Fixture *f = *state;
	g_autofree char *first = NULL;

	ok(f, "shell", "{'command':'printf \\\"a\\\\033[2Jb\\\\377\\\\n\\\"'}");
	has(f, "exit code 0\nab\xef\xbf\xbd\n");
	first = g_strdup(
		ok(f, "shell", "{'command':'env | grep -c SPARKS; sleep 0.05; true'}"));
	assert_string_equal(first, "exit code 0\n0\n");
	assert_string_equal(ok(f, "shell",
			       "{'command':'env | grep -c SPARKS; sleep 0.05; true'}"),
			    first);
}

static void shell_output_is_bounded(void **state)
{
	Fixture *f = *state;

	ok(f, "shell", "{'command':'seq 1 1000'}");
	has(f, "exit code 0\n1\n2\n");
	has(f, "\n1000\n");
	has(f, "spill:7");
	assert_true(strlen(f->last.text) < 2200);
	ok(f, "file_read", "{'path':'spill:7','offset':502,'limit':1}");
	has(f, "   502\t501\n");

	f->ctx.step = 8;
	ok(f, "shell", "{'command':'seq 1 400000'}");
	has(f, "exit code 0\n1\n2\n");
	has(f, "400000\n");
	has(f, "spill:8");
	assert_true(strlen(f->last.text) < 2200);
	ok(f, "file_read", "{'path':'spill:8','offset':399999}");
	has(f, "399999\t399999\n400000\t400000\n");
}

/* Long equal outputs are named by one file, or no loop would be seen in them. */
static void equal_runs_give_equal_results(void **state)
{
	static const char *const commands[] = { "{'command':'seq 1 1000'}",
						"{'command':'seq 1 400000'}" };
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *first = NULL, *other = NULL;

		f->ctx.step += 10;
		first = g_strdup(ok(f, "shell", commands[i]));
		f->ctx.step++;
		assert_string_equal(ok(f, "shell", commands[i]), first);
		f->ctx.step++;
		other = g_strdup(ok(f, "shell", "{'command':'seq 2 400001'}"));
		assert_string_not_equal(other, first);
	}
}

static void shell_times_out(void **state)
{
	Fixture *f = *state;
	gint64 start = g_get_monotonic_time();

	bad(f, "shell", "{'command':'echo begun; sleep 60','timeout_secs':1}",
	    "exit code 124");
	has(f, "time ran out");
	has(f, "begun");
	assert_true(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
}

static void shell_stays_inside(void **state)
{
	Fixture *f = *state;
	g_autofree char *secret = g_build_filename(f->root, "repo", "secret", NULL);
	g_autofree char *args = g_strdup_printf("{'command':'cat %s'}", secret);

	assert_true(g_file_set_contents(secret, "hunter2", -1, NULL));
	call(f, "shell", args);
	assert_false(f->last.ok);
	assert_null(strstr(f->last.text, "hunter2"));
}

static void try_to_write(Fixture *f)
{
	g_autofree char *text = NULL;

	f->ctx.read_only = TRUE;
	ok(f, "shell", "{'command':'cat a.txt'}");
	bad(f, "shell", "{'command':'echo x > a.txt'}", "exit code");
	bad(f, "shell", "{'command':'touch new'}", "exit code");
	ok(f, "git", "{'args':['status']}");
	text = get(f, "a.txt");
	assert_string_equal(text, "one\ntwo\nthree\n");
	assert_null(get(f, "new"));
}

static void read_only_spark(void **state)
{
	try_to_write(*state);
}

static void read_only_spark_behind_landlock(void **state)
{
	static const char *const overrides[] = { "box.tier=landlock", NULL };
	Fixture *f = *state;
	g_autofree char *config = g_build_filename(f->root, "config.toml", NULL);
	SpkConfSource source = { .explicit_path = config, .overrides = overrides };
	g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);

	f->ctx.box = f->box = spk_box_open(conf, NULL);
	assert_non_null(f->box);
	assert_int_equal(spk_box_tier(f->box), SPK_TIER_LANDLOCK);
	try_to_write(f);
}

/* The folder one stood in is gone: commands go on from the top. */
static void folder_is_gone(void **state)
{
	Fixture *f = *state;

	ok(f, "shell", "{'command':'rm -rf ../src'}");
	ok(f, "shell", "{'command':'ls'}");
	has(f, "a.txt");
}

static void git_works(void **state)
{
	Fixture *f = *state;

	ok(f, "git", "{'args':['status','--short']}");
	ok(f, "file_write", "{'path':'a.txt','content':'one\\n2\\nthree\\n'}");
	ok(f, "git", "{'args':['git','diff']}");
	has(f, "-two\n+2\n");
	ok(f, "git", "{'args':['commit','-qam','change two']}");
	ok(f, "git", "{'args':['log','-1','--format=%an %ae %s']}");
	has(f, "sparks sparks@localhost change two");
	bad(f, "git", "{'args':['log','no-such-branch']}", "exit code 128");
}

static void git_is_guarded(void **state)
{
	Fixture *f = *state;

	bad(f, "git", "{'args':['push']}", "git push is refused");
	bad(f, "git", "{'args':['-c','alias.x=!id','x']}", "sub-command first");
	bad(f, "git", "{'args':['commit','--amend']}", "make a new commit");
	bad(f, "git", "{'args':['statsu']}", "did you mean \"status\"");
	bad(f, "git", "{'args':[]}", "no sub-command");
	bad(f, "git", "{'args':['git']}", "no sub-command");
	bad(f, "git", "{'args':['']}", "may run here");
	assert_null(f->last.meta);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(shell_runs, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(shell_output_is_plain, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(shell_output_is_bounded, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(equal_runs_give_equal_results, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(shell_times_out, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(shell_stays_inside, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(read_only_spark, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(read_only_spark_behind_landlock, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(folder_is_gone, fixture_setup_subdir,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(git_works, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(git_is_guarded, fixture_setup, fixture_teardown),
};
SUITE(boxed_suite, tests);
