/* Removal of trees that a hostile program made. As root permissions stop nobody, so the
 * tests about them give root's rights up in a child. */
#include "test_base.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

static char *in(void **state, const char *name)
{
	return g_build_filename(*state, name, NULL);
}

static gboolean exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void remove_it(const char *path)
{
	g_autoptr(GError) error = NULL;

	if (!spk_fs_remove_tree(path, &error))
		fail_msg("%s", error->message);
	assert_false(exists(path));
}

static void files_folders_and_nothing(void **state)
{
	g_autofree char *file = in(state, "f");
	g_autofree char *folder = in(state, "d/e/f");
	g_autofree char *top = in(state, "d");
	g_autofree char *absent = in(state, "absent/x");

	assert_true(g_file_set_contents(file, "x", 1, NULL));
	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	remove_it(file);
	remove_it(top);
	assert_true(spk_fs_remove_tree(top, NULL));
	assert_true(spk_fs_remove_tree(absent, NULL));
}

static void links_are_not_followed(void **state)
{
	g_autofree char *outside = in(state, "outside");
	g_autofree char *kept = in(state, "outside/kept");
	g_autofree char *tree = in(state, "tree");
	g_autofree char *link = in(state, "tree/link");
	g_autofree char *top_link = in(state, "top-link");

	assert_int_equal(g_mkdir(outside, 0755), 0);
	assert_true(g_file_set_contents(kept, "x", 1, NULL));
	assert_int_equal(g_mkdir(tree, 0700), 0);
	assert_int_equal(symlink(outside, link), 0);
	assert_int_equal(symlink(outside, top_link), 0);
	remove_it(tree);
	remove_it(top_link);
	assert_true(exists(kept));
}

static void wide_and_odd_names(void **state)
{
	g_autofree char *tree = in(state, "tree");
	spk_autofd int dir = -1;

	assert_int_equal(g_mkdir(tree, 0700), 0);
	dir = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		g_autofree char *name = g_strdup_printf("%d \n\xff;*", i);

		assert_int_equal(
			mknodat(dir, name, (i % 2 ? S_IFREG : S_IFIFO) | 0600, 0), 0);
	}
	assert_int_equal(mkdirat(dir, "...", 0700), 0);
	remove_it(tree);
}

/* name/name/name… below dir. */
static void make_deep(int dir, const char *name, int depth)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 3);

	for (int i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0700), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		assert_true(at >= 0);
	}
	close(at);
}

static void deep_with_few_descriptors(void **state)
{
	g_autofree char *tree = in(state, "tree");
	struct rlimit before, few;
	spk_autofd int dir = -1;

	assert_int_equal(g_mkdir(tree, 0700), 0);
	dir = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_deep(dir, "d", 5000);
	make_deep(dir, "e", 70);
	assert_int_equal(mkdirat(dir, "d/e", 0700), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 128;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	remove_it(tree);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- without root's rights ---- */

static void put_unwritable(const char *top)
{
	static const char *const folders[] = { "a", "a/b", "a/c", "a/b/d" };
	static const mode_t modes[] = { 0500, 0000, 0400, 0100 };

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_build_filename(top, folders[i], NULL);
		g_autofree char *file = g_build_filename(path, "file", NULL);

		if (g_mkdir_with_parents(path, 0700) ||
		    !g_file_set_contents(file, "x", 1, NULL))
			_exit(2);
	}
	for (int i = G_N_ELEMENTS(folders) - 1; i >= 0; i--) {
		g_autofree char *path = g_build_filename(top, folders[i], NULL);

		if (chmod(path, modes[i]))
			_exit(3);
	}
}

/* Runs test(folder) as a user without rights; its answer is the child's exit code. */
static int as_nobody(const char *folder, int (*test)(const char *folder))
{
	const uid_t nobody = 65534;
	int status;
	pid_t pid;

	if (getuid() == 0)
		assert_int_equal(chown(folder, nobody, nobody), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && (setgid(nobody) || setuid(nobody)))
			_exit(4);
		_exit(test(folder));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int remove_unwritable(const char *folder)
{
	g_autofree char *tree = g_build_filename(folder, "tree", NULL);

	put_unwritable(tree);
	return spk_fs_remove_tree(tree, NULL) && !exists(tree) ? 0 : 1;
}

static void unwritable_folders_are_no_hindrance(void **state)
{
	assert_int_equal(as_nobody(*state, remove_unwritable), 0);
}

static int deep_unwritable(const char *folder)
{
	g_autofree char *tree = g_build_filename(folder, "tree", NULL);
	int dirs[200];

	g_mkdir(tree, 0700);
	dirs[0] = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (gsize i = 1; i < G_N_ELEMENTS(dirs); i++) {
		if (mkdirat(dirs[i - 1], "d", 0700))
			return 2;
		dirs[i] = openat(dirs[i - 1], "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
		if (fchmod(dirs[i], 0500))
			return 3;
		close(dirs[i]);
	}
	return spk_fs_remove_tree(tree, NULL) && !exists(tree) ? 0 : 1;
}

static void deep_and_unwritable(void **state)
{
	assert_int_equal(as_nobody(*state, deep_unwritable), 0);
}

static int no_right_above(const char *folder)
{
	static const char *const names[] = { "file", "link" };
	g_autofree char *file = g_build_filename(folder, "file", NULL);
	g_autofree char *link = g_build_filename(folder, "link", NULL);

	if (!g_file_set_contents(file, "x", 1, NULL) || symlink("/", link) ||
	    chmod(folder, 0500))
		return 2;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_autoptr(GError) error = NULL;

		if (spk_fs_remove_tree(path, &error))
			return 1;
		if (!strstr(error->message, g_strerror(EACCES)) ||
		    !strstr(error->message, path))
			return 3;
	}
	return chmod(folder, 0700);
}

static void the_true_reason_is_told(void **state)
{
	assert_int_equal(as_nobody(*state, no_right_above), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, in_folder, leave_folder)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(files_folders_and_nothing),
	IN_FOLDER(links_are_not_followed),
	IN_FOLDER(wide_and_odd_names),
	IN_FOLDER(deep_with_few_descriptors),
	IN_FOLDER(unwritable_folders_are_no_hindrance),
	IN_FOLDER(deep_and_unwritable),
	IN_FOLDER(the_true_reason_is_told),
};

SUITE(remove_suite, tests);
