#include "test_base.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

static char *in(void **state, const char *name)
{
	return g_build_filename(*state, name, NULL);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void put(void **state, const char *name, const char *text)
{
	g_autofree char *path = in(state, name);

	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* ---- read and write ---- */

static void read_is_bounded_and_whole(void **state)
{
	g_autofree char *path = in(state, "f");
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gsize len = 0;

	assert_true(g_file_set_contents(path, "a\0b\n", 4, NULL));
	text = spk_fs_read(path, 4, &len, &error);
	assert_int_equal(len, 4);
	assert_memory_equal(text, "a\0b\n", 5);
	assert_null(spk_fs_read(path, 3, NULL, &error));
	assert_non_null(strstr(error->message, path));
	expect_error(&error, SPK_ERR_LIMIT);
	assert_null(spk_fs_read("/dev/zero", 100000, NULL, &error));
	expect_error(&error, SPK_ERR_LIMIT);
}

static void read_tells_what_is_wrong(void **state)
{
	g_autofree char *absent = in(state, "absent");
	g_autoptr(GError) error = NULL;

	assert_null(spk_fs_read(absent, 10, NULL, &error));
	assert_non_null(strstr(error->message, absent));
	expect_error(&error, SPK_ERR_NOT_FOUND);
	assert_null(spk_fs_read(*state, 10, NULL, &error));
	expect_error(&error, SPK_ERR_IO);
}

static void descriptors_close_and_pass_on(void **state)
{
	int kept, gone;

	{
		spk_autofd int fd = open_dir(*state);
		spk_autofd int given = open_dir(*state);

		gone = fd;
		kept = spk_fd_steal(&given);
		assert_int_equal(given, -1);
	}
	assert_int_equal(fcntl(gone, F_GETFD), -1);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	spk_fd_close(&kept);
	assert_int_equal(kept, -1);
	spk_fd_close(&kept); /* twice is fine */
}

static guint n_entries(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	guint n = 0;

	assert_non_null(dir);
	while (g_dir_read_name(dir))
		n++;
	return n;
}

static void write_atomic_replaces(void **state)
{
	g_autofree char *path = in(state, "f");
	g_autofree char *text = NULL;
	struct stat st;

	assert_true(spk_fs_write_atomic(path, "one", 3, 0600, NULL));
	assert_true(spk_fs_write_atomic(path, "two!", 4, 0600, NULL));
	text = spk_fs_read(path, 100, NULL, NULL);
	assert_string_equal(text, "two!");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(n_entries(*state), 1); /* nothing temporary stays */
}

static void write_atomic_leaves_nothing_behind(void **state)
{
	g_autofree char *folder = in(state, "folder");
	g_autofree char *deep = in(state, "absent/f");
	g_autoptr(GError) error = NULL;

	assert_int_equal(g_mkdir(folder, 0700), 0);
	assert_false(spk_fs_write_atomic(folder, "x", 1, 0600, &error));
	expect_error(&error, SPK_ERR_IO);
	assert_int_equal(n_entries(*state), 1);
	assert_false(spk_fs_write_atomic(deep, "x", 1, 0600, &error));
	assert_non_null(strstr(error->message, deep));
	expect_error(&error, SPK_ERR_IO);
}

static void full_disk_is_told(void **state)
{
	spk_autofd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;

	assert_true(full >= 0);
	assert_false(spk_fs_write_all(full, "x", 1, &error));
	expect_error(&error, SPK_ERR_DISK_FULL);
}

static gpointer drain(gpointer data)
{
	int fd = GPOINTER_TO_INT(data);
	char buffer[5000];
	gsize sum = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		sum += n;
	return GSIZE_TO_POINTER(sum);
}

static void write_all_goes_on_after_short_writes(void **state)
{
	g_autofree char *data = g_malloc0(1 << 20);
	spk_autofd int reader = -1;
	GThread *thread;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	reader = ends[0];
	thread = g_thread_new("reader", drain, GINT_TO_POINTER(reader));
	assert_true(spk_fs_write_all(ends[1], data, 1 << 20, NULL));
	close(ends[1]);
	assert_int_equal(GPOINTER_TO_SIZE(g_thread_join(thread)), 1 << 20);
}

static void mkdirs(void **state)
{
	g_autofree char *deep = in(state, "a/b/c");
	g_autofree char *file = in(state, "f");
	g_autofree char *below = in(state, "f/x");
	g_autoptr(GError) error = NULL;
	struct stat st;

	assert_true(spk_fs_mkdirs(deep, 0700, NULL));
	assert_true(spk_fs_mkdirs(deep, 0700, NULL));
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
	put(state, "f", "x");
	assert_false(spk_fs_mkdirs(file, 0700, &error));
	expect_error(&error, SPK_ERR_IO);
	assert_false(spk_fs_mkdirs(below, 0700, &error));
	assert_non_null(strstr(error->message, below));
	expect_error(&error, SPK_ERR_IO);
}

/* ---- copies ---- */

static void copy_keeps_mode_time_and_holes(void **state)
{
	spk_autofd int dir = open_dir(*state);
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1234567890 } };
	g_autofree char *path = in(state, "from");
	g_autofree char *copy = in(state, "to");
	g_autofree char *bytes = NULL;
	struct stat st;
	gsize len;

	put(state, "from", "#!/bin/sh\n");
	assert_int_equal(truncate(path, 3000000), 0);
	assert_int_equal(chmod(path, 04755), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(spk_fs_copy_file(dir, "from", dir, "to", NULL));
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* never set-user-id */
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	bytes = spk_fs_read(copy, 4000000, &len, NULL);
	assert_int_equal(len, 3000000);
	assert_true(g_str_has_prefix(bytes, "#!/bin/sh\n"));
}

static void copy_of_a_link_is_a_link(void **state)
{
	spk_autofd int dir = open_dir(*state);
	char target[64] = "";

	assert_int_equal(symlinkat("/etc/passwd", dir, "link"), 0);
	assert_true(spk_fs_copy_file(dir, "link", dir, "copy", NULL));
	assert_int_equal(readlinkat(dir, "copy", target, sizeof(target) - 1), 11);
	assert_string_equal(target, "/etc/passwd");
}

static void copy_refuses(void **state)
{
	spk_autofd int dir = open_dir(*state);
	g_autofree char *fifo = in(state, "fifo");
	g_autofree char *kept = NULL;
	g_autofree char *path = in(state, "there");
	g_autoptr(GError) error = NULL;

	put(state, "from", "new");
	put(state, "there", "old");
	assert_false(spk_fs_copy_file(dir, "from", dir, "there", &error));
	expect_error(&error, SPK_ERR_IO);
	kept = spk_fs_read(path, 10, NULL, NULL);
	assert_string_equal(kept, "old");
	assert_false(spk_fs_copy_file(dir, "absent", dir, "to", &error));
	expect_error(&error, SPK_ERR_IO);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_false(
		spk_fs_copy_file(dir, "fifo", dir, "to", &error)); /* and does not hang */
	expect_error(&error, SPK_ERR_IO);
	assert_int_equal(mkdirat(dir, "folder", 0700), 0);
	assert_false(spk_fs_copy_file(dir, "folder", dir, "to", &error));
	expect_error(&error, SPK_ERR_IO);
	assert_int_equal(faccessat(dir, "to", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* ---- places ---- */

static int forget_home(void **state)
{
	g_unsetenv("SPARKS_HOME");
	return leave_folder(state);
}

static void home_is_made_private(void **state)
{
	g_autofree char *wanted = in(state, "deep/er/home");
	g_autofree char *home = NULL;
	g_autofree char *expanded = NULL;
	g_autofree char *top = NULL;
	struct stat st;

	g_setenv("SPARKS_HOME", wanted, TRUE);
	home = spk_fs_home(NULL);
	assert_string_equal(home, wanted);
	assert_int_equal(stat(home, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	expanded = spk_fs_expand("~/.sparks/models/x");
	assert_true(g_str_has_prefix(expanded, wanted));
	assert_true(g_str_has_suffix(expanded, "/models/x"));
	top = spk_fs_expand("~/.sparks");
	assert_string_equal(top, wanted);
}

static void relative_home_becomes_absolute(void **state)
{
	g_autofree char *before = g_get_current_dir();
	g_autofree char *home = NULL;

	assert_int_equal(chdir(*state), 0);
	g_setenv("SPARKS_HOME", "here/../state", TRUE);
	home = spk_fs_home(NULL);
	assert_int_equal(chdir(before), 0);
	assert_true(g_path_is_absolute(home));
	assert_null(strstr(home, ".."));
	assert_true(g_file_test(home, G_FILE_TEST_IS_DIR));
}

static void home_that_cannot_be_is_told(void **state)
{
	g_autofree char *bad = in(state, "file/home");
	g_autoptr(GError) error = NULL;

	put(state, "file", "x");
	g_setenv("SPARKS_HOME", bad, TRUE);
	assert_null(spk_fs_home(&error));
	assert_non_null(strstr(error->message, bad));
	assert_non_null(strstr(spk_error_hint(error), "SPARKS_HOME"));
	expect_error(&error, SPK_ERR_IO);
}

static void expand_leaves_other_paths(void **state)
{
	static const char *const same[] = { "/abs", "rel", "", "~user/x", "a~/b", "./~" };
	g_autofree char *home = spk_fs_expand("~/x");
	g_autofree char *near = spk_fs_expand("~/.sparks-other");

	assert_string_equal(home + strlen(g_get_home_dir()), "/x");
	assert_true(g_str_has_prefix(home, g_get_home_dir()));
	assert_true(g_str_has_prefix(near, g_get_home_dir()));
	for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autofree char *path = spk_fs_expand(same[i]);

		assert_string_equal(path, same[i]);
	}
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, in_folder, leave_folder)
#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, in_folder, forget_home)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(read_is_bounded_and_whole),
	IN_FOLDER(read_tells_what_is_wrong),
	IN_FOLDER(descriptors_close_and_pass_on),
	IN_FOLDER(write_atomic_replaces),
	IN_FOLDER(write_atomic_leaves_nothing_behind),
	cmocka_unit_test(full_disk_is_told),
	cmocka_unit_test(write_all_goes_on_after_short_writes),
	IN_FOLDER(mkdirs),
	IN_FOLDER(copy_keeps_mode_time_and_holes),
	IN_FOLDER(copy_of_a_link_is_a_link),
	IN_FOLDER(copy_refuses),
	WITH_HOME(home_is_made_private),
	WITH_HOME(relative_home_becomes_absolute),
	WITH_HOME(home_that_cannot_be_is_told),
	cmocka_unit_test(expand_leaves_other_paths),
};

SUITE(fs_suite, tests);
