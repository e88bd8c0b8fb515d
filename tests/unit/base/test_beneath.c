/* spk_fs_open_beneath: paths from a model, in a tree that a hostile program made. */
#include "test_base.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

static int put(int dir, const char *name, const char *text)
{
	spk_autofd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int open_work(void **state)
{
	g_autofree char *path = g_build_filename(*state, "work", NULL);

	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int make_work(void **state)
{
	static const char *const links[][2] = {
		{ "f", "inner" },
		{ "../f", "sub/up" },
		{ "sub", "to-sub" },
		{ "../secret", "out" },
		{ "..", "parent" },
		{ "/", "root" },
		{ "sub/../../secret", "winding" },
		{ "out", "twice" },
		{ "loop", "loop" },
		{ "/proc/self/fd/0", "magic" },
	};
	spk_autofd int top = -1;
	spk_autofd int work = -1;
	int failed;

	if (in_folder(state))
		return -1;
	top = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = put(top, "secret", "SECRET") | mkdirat(top, "work", 0700);
	work = open_work(state);
	failed |= put(work, "f", "FINE") | mkdirat(work, "sub", 0700) |
		  put(work, "sub/g", "FINE") | symlinkat(*state, work, "absolute");
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
		failed |= symlinkat(links[i][0], work, links[i][1]);
	return failed;
}

static void opens_what_is_below(void **state)
{
	static const char *const good[] = { "f",	"./f",	  "sub/g",
					    "sub/../f", "inner",  "sub/up",
					    "to-sub/g", "sub//g", "sub/./../sub/g" };
	spk_autofd int dir = open_work(state);

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		spk_autofd int fd =
			spk_fs_open_beneath(dir, good[i], O_RDONLY, 0, 0, &error);
		char text[8] = "";

		if (fd < 0)
			fail_msg("%s: %s", good[i], error->message);
		assert_int_equal(read(fd, text, sizeof(text)), 4);
		assert_string_equal(text, "FINE");
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

static void refuses_every_way_out(void **state)
{
	static const char *const bad[] = {
		"../secret",
		"..",
		"../work/f",
		"sub/../../secret",
		"out",
		"parent/secret",
		"absolute/secret",
		"root/",
		"root/etc/passwd",
		"winding",
		"twice",
		"loop",
		"/etc/passwd",
		"/",
		"/proc/self/root/etc/passwd",
		"to-sub/../../secret",
		"./.././secret",
		"magic/x",
	};
	static const int flags[] = { O_RDONLY, O_WRONLY, O_PATH, O_RDONLY | O_DIRECTORY,
				     O_WRONLY | O_CREAT };
	spk_autofd int dir = open_work(state);

	for (gsize i = 0; i < G_N_ELEMENTS(bad) * G_N_ELEMENTS(flags); i++) {
		const char *path = bad[i / G_N_ELEMENTS(flags)];
		int how = flags[i % G_N_ELEMENTS(flags)];
		g_autoptr(GError) error = NULL;

		if (g_str_has_suffix(path, "/") && (how & O_CREAT))
			continue; /* a folder can't be made so, wherever it is */
		if (spk_fs_open_beneath(dir, path, how, 0600, 0, &error) >= 0)
			fail_msg("%s opens with flags %x", path, how);
		if (!spk_error_is(error, SPK_ERR_POLICY))
			fail_msg("%s with flags %x: %s", path, how, error->message);
	}
}

static void tells_absent_from_forbidden(void **state)
{
	static const char *const absent[] = { "nothing", "sub/nothing", "f/x", "",
					      "nothing/../f" };
	g_autofree char *long_name = g_strnfill(300, 'n');
	spk_autofd int dir = open_work(state);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
		assert_int_equal(
			spk_fs_open_beneath(dir, absent[i], O_RDONLY, 0, 0, &error), -1);
		expect_error(&error, SPK_ERR_NOT_FOUND);
	}
	assert_int_equal(spk_fs_open_beneath(dir, long_name, O_RDONLY, 0, 0, &error), -1);
	expect_error(&error, SPK_ERR_IO);
	assert_int_equal(spk_fs_open_beneath(dir, "sub", O_WRONLY, 0, 0, &error), -1);
	expect_error(&error, SPK_ERR_IO);
}

static void creates_with_the_mode(void **state)
{
	spk_autofd int dir = open_work(state);
	spk_autofd int made = spk_fs_open_beneath(
		dir, "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0600, 0, NULL);
	/* a mode without O_CREAT means nothing, as for open() */
	spk_autofd int folder =
		spk_fs_open_beneath(dir, "sub", O_RDONLY | O_DIRECTORY, 0700, 0, NULL);
	struct stat st;

	assert_true(made >= 0 && folder >= 0);
	assert_int_equal(fstat(made, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void can_forbid_links(void **state)
{
	spk_autofd int dir = open_work(state);
	g_autoptr(GError) error = NULL;

	assert_int_equal(spk_fs_open_beneath(dir, "to-sub/g", O_RDONLY, 0,
					     RESOLVE_NO_SYMLINKS, &error),
			 -1);
	expect_error(&error, SPK_ERR_POLICY);
}

/* ---- a folder that turns into a link out of the tree and back, all the time ---- */

typedef struct {
	int dir;
	gint stop;
} Swapper;

static gpointer swap(gpointer data)
{
	Swapper *swapper = data;

	while (!g_atomic_int_get(&swapper->stop)) {
		renameat2(swapper->dir, "sub", swapper->dir, "parent", RENAME_EXCHANGE);
		renameat2(swapper->dir, "f", swapper->dir, "out", RENAME_EXCHANGE);
	}
	return NULL;
}

static void holds_in_a_race(void **state)
{
	static const char *const paths[] = {
		"sub/secret",	       "parent/secret", "sub/../f", "sub/g",
		"parent/../../secret", "inner",		"f"
	};
	spk_autofd int dir = open_work(state);
	Swapper swapper = { .dir = dir };
	GThread *thread = g_thread_new("swapper", swap, &swapper);
	gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
	guint opened = 0, refused = 0;

	for (guint i = 0;
	     (i < 20000 || !opened || !refused) && g_get_monotonic_time() < end; i++) {
		spk_autofd int fd = spk_fs_open_beneath(
			dir, paths[i % G_N_ELEMENTS(paths)], O_RDONLY, 0, 0, NULL);
		char text[8] = "";

		if (fd < 0) {
			refused++;
			continue;
		}
		opened++;
		if (read(fd, text, sizeof(text) - 1) > 0 && strcmp(text, "FINE"))
			fail_msg("read outside of the tree: %s", text);
	}
	g_atomic_int_set(&swapper.stop, 1);
	g_thread_join(thread);
	assert_true(opened > 0 && refused > 0); /* or there was no race */
}

#define IN_WORK(test) cmocka_unit_test_setup_teardown(test, make_work, leave_folder)

static const struct CMUnitTest tests[] = {
	IN_WORK(opens_what_is_below),
	IN_WORK(refuses_every_way_out),
	IN_WORK(tells_absent_from_forbidden),
	IN_WORK(creates_with_the_mode),
	IN_WORK(can_forbid_links),
	IN_WORK(holds_in_a_race),
};

SUITE(beneath_suite, tests);
