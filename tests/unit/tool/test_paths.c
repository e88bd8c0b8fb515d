/* Paths that try to leave the work tree, or to reach what is off limits in it. */
#include "test_tool.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void link_in_work(Fixture *f, const char *target, const char *path)
{
	g_autofree char *full = in_work(f, path);

	assert_int_equal(symlink(target, full), 0);
}

static void good_spellings(void **state)
{
	Fixture *f = *state;
	g_autofree char *absolute = g_strdup_printf("{'path':'%s/a.txt'}", f->work);

	ok(f, "file_read", "{'path':'a.txt'}");
	ok(f, "file_read", "{'path':'./a.txt'}");
	ok(f, "file_read", "{'path':'src/../a.txt'}");
	ok(f, "file_read", "{'path':'src//../././a.txt'}");
	ok(f, "file_read", absolute);
}

static void outside(void **state)
{
	static const char *const paths[] = {
		"../x",	     "../../../../../../etc/passwd", "src/../../x", "/etc/passwd",
		"/",	     "/proc/self/environ",	     "..",	    "a/../../b",
		"/dev/null",
	};
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *one = g_strdup_printf("{'path':'%s'}", paths[i]);
		g_autofree char *two =
			g_strdup_printf("{'path':'%s','content':'x'}", paths[i]);

		bad(f, "file_read", one, "outside the work tree");
		bad(f, "file_list", one, "outside the work tree");
		bad(f, "file_write", two, "outside the work tree");
	}
}

/* The work tree's own path as a mere beginning of another name is not inside. */
static void sibling_with_same_beginning(void **state)
{
	Fixture *f = *state;
	g_autofree char *sibling = g_strdup_printf("%s-2", f->work);
	g_autofree char *call_text = g_strdup_printf("{'path':'%s/x'}", sibling);

	assert_int_equal(g_mkdir(sibling, 0755), 0);
	bad(f, "file_read", call_text, "outside the work tree");
}

static void symlinks_that_leave(void **state)
{
	Fixture *f = *state;

	link_in_work(f, "/etc/passwd", "abs");
	link_in_work(f, "../../../..", "up");
	link_in_work(f, "/proc/self/fd", "fds");
	link_in_work(f, "/proc/self/root", "root");
	link_in_work(f, "loop", "loop");
	bad(f, "file_read", "{'path':'abs'}", "leaves the work tree");
	bad(f, "file_read", "{'path':'up/etc/passwd'}", "leaves the work tree");
	bad(f, "file_read", "{'path':'fds/0'}", "leaves the work tree");
	bad(f, "file_read", "{'path':'root/etc/passwd'}", "leaves the work tree");
	bad(f, "file_read", "{'path':'loop'}", "cannot open loop");
	bad(f, "file_write", "{'path':'abs','content':'x'}", "leaves the work tree");
	bad(f, "file_write", "{'path':'up/x','content':'x'}", "leaves the work tree");
	bad(f, "file_write", "{'path':'loop','content':'x'}", "cannot open loop");
	bad(f, "file_edit", "{'path':'abs','old_string':'root','new_string':'x'}",
	    "leaves the work tree");
	bad(f, "file_list", "{'path':'up'}", "leaves the work tree");
	ok(f, "file_search", "{'pattern':'root:'}");
	has(f, "[no match]");
}

static void symlinks_that_stay(void **state)
{
	Fixture *f = *state;
	g_autofree char *written = NULL, *full = in_work(f, "alias");
	struct stat st;

	link_in_work(f, "a.txt", "alias");
	link_in_work(f, "src", "folder");
	link_in_work(f, "nowhere", "dangling");
	ok(f, "file_read", "{'path':'alias'}");
	ok(f, "file_write", "{'path':'alias','content':'new\\n'}");
	ok(f, "file_write", "{'path':'folder/new.c','content':'x\\n'}");
	bad(f, "file_write", "{'path':'dangling','content':'x'}", "symlink to nothing");
	assert_int_equal(lstat(full, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	written = get(f, "a.txt");
	assert_string_equal(written, "new\n");
	ok(f, "file_read", "{'path':'src/new.c'}");
}

static void git_folder(void **state)
{
	static const char *const paths[] = { ".git/config",    ".GIT/config",
					     "src/.git",       ".git",
					     "./.git/hooks/x", "src/../.Git/HEAD" };
	Fixture *f = *state;
	g_autofree char *made = in_work(f, ".git/made");

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *one = g_strdup_printf("{'path':'%s'}", paths[i]);
		g_autofree char *two =
			g_strdup_printf("{'path':'%s','content':'x'}", paths[i]);

		bad(f, "file_read", one, "use the git tool");
		bad(f, "file_write", two, "use the git tool");
	}
	link_in_work(f, ".git", "link");
	bad(f, "file_read", "{'path':'link/config'}", "use the git tool");
	bad(f, "file_write", "{'path':'link/config','content':'x'}", "use the git tool");
	bad(f, "file_write", "{'path':'link/made/x','content':'x'}", "use the git tool");
	bad(f, "file_list", "{'path':'link'}", "use the git tool");
	assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
}

static void sensitive_names(void **state)
{
	Fixture *f = *state;

	put(f, ".env", "TOKEN=1\n", -1);
	put(f, "conf/server.pem", "key\n", -1);
	put(f, ".env.example", "TOKEN=\n", -1);
	link_in_work(f, ".env", "plain");
	link_in_work(f, "conf", ".aws");
	bad(f, "file_read", "{'path':'.env'}", "may hold secrets");
	bad(f, "file_read", "{'path':'.ENV'}", "may hold secrets");
	bad(f, "file_read", "{'path':'conf/server.pem'}", "off limits");
	bad(f, "file_read", "{'path':'plain'}", "may hold secrets");
	bad(f, "file_write", "{'path':'id_rsa','content':'x'}", "may hold secrets");
	bad(f, "file_edit", "{'path':'.env','old_string':'1','new_string':'2'}",
	    "may hold secrets");
	ok(f, "file_read", "{'path':'.env.example'}");
	ok(f, "file_search", "{'pattern':'TOKEN'}");
	has(f, ".env.example:1:");
	assert_null(strstr(f->last.text, ".env:"));
	assert_null(strstr(f->last.text, "plain:"));
}

/* A command makes a file of such a name, and others for it. */
static void hard_links(void **state)
{
	Fixture *f = *state;

	ok(f, "shell", "{'command':'echo CANARY >.env; ln .env notes; ln a.txt other'}");
	bad(f, "file_read", "{'path':'notes'}", "the same file as .env");
	bad(f, "file_edit", "{'path':'notes','old_string':'CANARY','new_string':'x'}",
	    "the same file as .env");
	ok(f, "file_read", "{'path':'other'}");
	ok(f, "file_search", "{'pattern':'CANARY|two'}");
	assert_null(strstr(f->last.text, "CANARY"));
	has(f, "other:2: two");
	has(f, "files that are off limits");
	ok(f, "shell", "{'command':'rm .env'}"); /* no name of a secret is left */
	ok(f, "file_read", "{'path':'notes'}");
}

static void lists_mark_them(void **state)
{
	Fixture *f = *state;

	put(f, "x.pem", "CANARY\n", -1);
	ok(f, "file_list", "{}");
	has(f, "x.pem [may hold secrets: off limits]\n");
	has(f, "a.txt\n");
}

static void the_operators_list(void **state)
{
	static const char *const patterns[] = { "*.secret", "!.env", NULL };
	Fixture *f = *state;

	put(f, "x.secret", "CANARY\n", -1);
	put(f, ".env", "PLAIN\n", -1);
	f->ctx.sensitive = patterns;
	bad(f, "file_read", "{'path':'x.secret'}", "(it matches *.secret)");
	bad(f, "file_write", "{'path':'d/y.secret','content':'x'}",
	    "(it matches *.secret)");
	ok(f, "file_search", "{'pattern':'CANARY|PLAIN'}");
	has(f, ".env:1: PLAIN");
	assert_null(strstr(f->last.text, "CANARY"));
}

/* ---- races ---- */

typedef struct {
	const char *path;
	const char *to_one, *to_two;
	gint stop;
} Swapper;

static gpointer swap(gpointer user)
{
	Swapper *swapper = user;
	g_autofree char *next = g_strconcat(swapper->path, ".next", NULL);

	for (guint i = 0; !g_atomic_int_get(&swapper->stop); i++) {
		if (symlink(i & 1 ? swapper->to_one
				  : g_atomic_pointer_get(&swapper->to_two),
			    next) == 0)
			(void)g_rename(next, swapper->path);
	}
	return NULL;
}

/* Somebody swaps what a name leads to all the time: a plain file and a sensitive one, one in
 * the tree and one outside. What is read is always what was judged. */
static void swapped_links(void **state)
{
	static const char *const bad_targets[] = { ".env", "/etc/hostname", ".git/config",
						   "../../secret" };
	Fixture *f = *state;
	g_autofree char *path = in_work(f, "swapped"), *beside = NULL;
	guint read = 0, refused = 0;

	put(f, ".env", "CANARY\n", -1);
	beside = in_work(f, "../../secret");
	assert_true(g_file_set_contents(beside, "CANARY", -1, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad_targets); i++) {
		Swapper swapper = { .path = path,
				    .to_one = "a.txt",
				    .to_two = bad_targets[i] };
		GThread *thread;

		link_in_work(f, "a.txt", "swapped");
		thread = g_thread_new("swap", swap, &swapper);
		for (guint round = 0; round < 300; round++) {
			call(f, "file_read", "{'path':'swapped'}");
			if (f->last.ok)
				assert_string_equal(
					f->last.text,
					"     1\tone\n     2\ttwo\n     3\tthree\n");
			else
				refused++;
			read += f->last.ok;
			assert_null(strstr(f->last.text, "CANARY"));
		}
		for (guint round = 0; round < 100; round++) {
			call(f, "file_search",
			     "{'pattern':'CANARY|worktree|.','path':'swapped'}");
			assert_null(strstr(f->last.text, "CANARY"));
			assert_null(strstr(f->last.text, "worktree"));
		}
		g_atomic_int_set(&swapper.stop, 1);
		g_thread_join(thread);
		assert_int_equal(g_unlink(path), 0);
	}
	assert_true(read && refused); /* else nothing was raced */
}

/* The same with a folder on the way, for writing. */
static void swapped_folders(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = in_work(f, "swapped"), *out = in_work(f, "../../out");
	g_autofree char *made = NULL;
	Swapper swapper = { .path = path, .to_one = "src", .to_two = "../../out" };
	GThread *thread;

	assert_int_equal(g_mkdir(out, 0755), 0);
	link_in_work(f, "src", "swapped");
	thread = g_thread_new("swap", swap, &swapper);
	for (guint round = 0; round < 200; round++)
		call(f, "file_write", "{'path':'swapped/made','content':'x'}");
	g_atomic_pointer_set(&swapper.to_two, ".git");
	for (guint round = 0; round < 200; round++)
		call(f, "file_write", "{'path':'swapped/made','content':'x'}");
	g_atomic_int_set(&swapper.stop, 1);
	g_thread_join(thread);
	made = g_build_filename(out, "made", NULL);
	assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
	g_free(made);
	made = in_work(f, ".git/made");
	assert_false(g_file_test(made, G_FILE_TEST_EXISTS));
	g_free(made);
	made = in_work(f, "src/made");
	assert_true(g_file_test(made, G_FILE_TEST_EXISTS));
}

static void what_is_no_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *fifo = in_work(f, "fifo");
	gint64 start = g_get_monotonic_time();

	assert_int_equal(mkfifo(fifo, 0600), 0);
	bad(f, "file_read", "{'path':'fifo'}", "a pipe or device");
	bad(f, "file_edit", "{'path':'fifo','old_string':'a','new_string':'b'}",
	    "a pipe or device");
	bad(f, "file_write", "{'path':'fifo','content':'x'}", "not a file");
	bad(f, "file_read", "{'path':'src'}", "is a folder, not a file; use file_list");
	bad(f, "file_read", "{'path':'.'}", "is a folder");
	bad(f, "file_write", "{'path':'src','content':'x'}", "not a file");
	bad(f, "file_write", "{'path':'.','content':'x'}", "not a file");
	bad(f, "file_write", "{'path':'a.txt/x','content':'x'}", "cannot");
	ok(f, "file_search", "{'pattern':'two'}");
	assert_true(g_get_monotonic_time() - start < 5 * G_USEC_PER_SEC);
}

static void missing_files(void **state)
{
	Fixture *f = *state;
	g_autofree char *name = g_strnfill(300, 'n');
	g_autofree char *long_name = g_strdup_printf("{'path':'%s'}", name);

	bad(f, "file_read", "{'path':'a.text'}", "did you mean \"a.txt\"");
	bad(f, "file_read", "{'path':'src/mian.c'}", "did you mean \"main.c\"");
	bad(f, "file_read", "{'path':'no/such/file'}", "there is no file no/such/file");
	bad(f, "file_list", "{'path':'srcs'}", "did you mean \"src\"");
	bad(f, "file_read", "{'path':''}", "a path has 1 to");
	bad(f, "file_read", long_name, "more than 255 bytes");
}

static void odd_names(void **state)
{
	Fixture *f = *state;

	bad(f, "file_write", "{'path':'new\\nline','content':'x\\n'}",
	    "a control character");
	bad(f, "file_write", "{'path':'x\\u0000y','content':'x\\n'}", "NUL");
	ok(f, "file_write", "{'path':'gr\\u00f6\\u00dfe \\u65e5.txt','content':'x\\n'}");
	ok(f, "file_read", "{'path':'gr\\u00f6\\u00dfe \\u65e5.txt'}");
	put(f, "new\nline", "newline\n", -1);
	put(f, "bad\xff\x1b[31mname", "x\n", -1);
	ok(f, "file_search", "{'pattern':'newline'}");
	has(f, "1: newline");
	ok(f, "file_list", "{}");
	has(f, "\"new\\nline");
	assert_null(strchr(f->last.text, '\033'));
	assert_true(g_utf8_validate(f->last.text, -1, NULL));
	bad(f, "file_read", "{'path':'\\u001b[2Jx'}", "a control character");
}

static void in_a_subfolder(void **state)
{
	Fixture *f = *state;

	assert_string_equal(spk_tree_subdir(f->tree), "src");
	ok(f, "file_read", "{'path':'main.c'}");
	ok(f, "file_read", "{'path':'../a.txt'}");
	bad(f, "file_read", "{'path':'../../x'}", "outside the work tree");
	assert_string_equal(ok(f, "file_list", "{}"), "main.c\nutil.h\n");
	ok(f, "file_list", "{'path':'..','depth':1}");
	has(f, "../a.txt\n");
	has(f, "../deep/ (2 files)\n");
	has(f, "./ (2 files)\n");
	ok(f, "file_write", "{'path':'x/y.c','content':''}");
	ok(f, "shell", "{'command':'ls x && pwd'}");
	has(f, "y.c");
	has(f, "/src");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(good_spellings, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(outside, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(sibling_with_same_beginning, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(symlinks_that_leave, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(symlinks_that_stay, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(git_folder, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(sensitive_names, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(hard_links, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(lists_mark_them, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(the_operators_list, fixture_setup,
					fixture_teardown),
	cmocka_unit_test_setup_teardown(swapped_links, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(swapped_folders, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(what_is_no_file, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(missing_files, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(odd_names, fixture_setup, fixture_teardown),
	cmocka_unit_test_setup_teardown(in_a_subfolder, fixture_setup_subdir,
					fixture_teardown),
};
SUITE(paths_suite, tests);
