/*
 * Places a database may find itself in: a full disk, files that cannot be written, locked
 * by another process, damaged. Each has its own error code, and nothing acknowledged is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "child.h"
#include "fault_vfs.h"
#include "script.h"

typedef struct {
	char *folder;
	char *path;
} Place;

static int setup(void **state)
{
	Place *place = g_new0(Place, 1);

	place->folder = g_dir_make_tmp("spk-place-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "store.db", NULL);
	*state = place;
	return place->folder ? 0 : -1;
}

static int teardown(void **state)
{
	Place *place = *state;
	gboolean removed = spk_fs_remove_tree(place->folder, NULL);

	g_free(place->path);
	g_free(place->folder);
	g_free(place);
	return removed ? 0 : -1;
}

static void assert_code(GError **error, SpkErr code)
{
	assert_non_null(*error);
	if (!spk_error_is(*error, code))
		fail_msg("wanted %s, got: %s", spk_err_info(code)->name,
			 (*error)->message);
	assert_non_null(spk_error_hint(*error));
	g_clear_error(error);
}

/* A closed database with one task and `n` appended entries. */
static void fill(const char *path, int n)
{
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, NULL);
	SpkTask task = { .id = (char *)SCRIPT_TASK,
			 .goal = (char *)"g",
			 .spark = (char *)"coder",
			 .repo = (char *)"/" };

	assert_non_null(store);
	assert_true(spk_task_insert(store, &task, NULL));
	for (int i = 0; i < n; i++)
		assert_true(script_append(store, SCRIPT_TASK, 0, i, NULL, NULL));
}

static void assert_journal(const char *path, gint64 at_least)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);
	g_autofree char *problem = NULL;
	gint64 last = 0;

	assert_non_null(store);
	assert_true(spk_store_check(store, NULL));
	problem = script_check_journal(store, SCRIPT_TASK, &last);
	assert_null(problem);
	assert_true(last >= at_least);
}

/* ---- a full disk ---- */

/* Appends until the disk is full; the number of acknowledged entries, or 0. */
static gint64 append_until_full(SpkStore *store, GError **error)
{
	g_autofree char *text = g_strnfill(20000, 'x');
	g_autoptr(json_t) payload = json_pack("{s:s}", "text", text);
	gint64 seq = 0;

	while (seq < 1000 && spk_journal_append(store, SCRIPT_TASK, 0, "note",
						SPK_EFFECT_PURE, payload, &seq, error))
		;
	return seq;
}

static char *complain(const char *what, GError *error)
{
	return g_strdup_printf("%s: %s", what, error ? error->message : "no error");
}

/* In a file system of 1 MB: fills it, looks at it, makes room, goes on. */
static char *use_small_disk(gpointer user)
{
	const char *folder = user;
	g_autofree char *path = g_build_filename(folder, "store.db", NULL);
	g_autofree char *filler = g_build_filename(folder, "filler", NULL);
	g_autofree char *bytes = g_malloc0(200000);
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = NULL;
	gint64 acknowledged, last = 0;
	char *problem;

	if (!spk_fs_write_atomic(filler, bytes, 200000, 0600, NULL))
		return g_strdup("cannot write a filler");
	fill(path, 0);
	store = spk_store_open(path, "normal", 0, NULL);
	acknowledged = append_until_full(store, &error);
	if (!spk_error_is(error, SPK_ERR_DISK_FULL) || !spk_error_hint(error) ||
	    acknowledged < 5)
		return complain("wanted disk_full", error);
	g_clear_error(&error);
	if (!spk_store_check(store, &error))
		return complain("check", error);
	problem = script_check_journal(store, SCRIPT_TASK, &last);
	if (problem || last != acknowledged)
		return problem ? problem : g_strdup("acknowledged entries are lost");
	unlink(filler);
	if (!script_append(store, SCRIPT_TASK, 0, 1, NULL, &error))
		return complain("with room again", error);
	return NULL;
}

/* A tmpfs in a mount namespace of our own; FALSE where the kernel forbids both. */
static gboolean mount_small(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return FALSE;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0;
}

static char *small_disk(gpointer user)
{
	if (mount_small(user))
		return use_small_disk(user);
	g_printerr("# no tmpfs can be mounted here: only the VFS fails writes\n");
	return NULL;
}

static void test_small_disk(void **state)
{
	Place *place = *state;
	g_autofree char *problem = child_run(small_disk, place->folder);

	if (problem)
		fail_msg("%s", problem);
}

static void test_full_write(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = NULL;

	fill(place->path, 3);
	store = spk_store_open(place->path, "normal", 0, NULL);
	fault_arm(FAULT_FULL, 1, TRUE);
	assert_false(script_append(store, SCRIPT_TASK, 0, 3, NULL, &error));
	assert_code(&error, SPK_ERR_DISK_FULL);
	assert_true(fault_disarm());
	assert_true(script_append(store, SCRIPT_TASK, 0, 3, NULL, NULL));
	g_clear_pointer(&store, spk_store_close);
	assert_journal(place->path, 5);
}

/* ---- what cannot be written ---- */

/* Root may write anywhere: be nobody. */
static void become_nobody(void)
{
	if (geteuid() == 0)
		g_assert(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 &&
			 setresuid(65534, 65534, 65534) == 0);
}

static char *open_unwritable(gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = NULL;

	become_nobody();
	store = spk_store_open(user, "normal", 0, &error);
	if (store || !spk_error_is(error, SPK_ERR_READ_ONLY) || !spk_error_hint(error) ||
	    !strstr(error->message, user))
		return complain("wanted read_only", error);
	return NULL;
}

static void test_unwritable_file(void **state)
{
	Place *place = *state;
	g_autofree char *problem = NULL;

	fill(place->path, 3);
	assert_int_equal(chmod(place->path, 0444), 0);
	assert_int_equal(chmod(place->folder, 0555), 0);
	problem = child_run(open_unwritable, place->path);
	assert_int_equal(chmod(place->folder, 0755), 0);
	assert_int_equal(chmod(place->path, 0600), 0);
	if (problem)
		fail_msg("%s", problem);
	assert_journal(place->path, 4);
}

static void test_unwritable_folder(void **state)
{
	Place *place = *state;
	g_autofree char *problem = NULL;

	assert_int_equal(chmod(place->folder, 0555), 0);
	problem = child_run(open_unwritable, place->path);
	if (problem)
		fail_msg("%s", problem);
}

/* ---- locked ---- */

/* Another process with the write lock, until `release` is closed. */
static pid_t lock_elsewhere(const char *path, int *ret_release)
{
	int ready[2], release[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready) | pipe(release), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sqlite3 *other = NULL;

		close(release[1]);
		if (sqlite3_open(path, &other) != SQLITE_OK ||
		    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
			    SQLITE_OK ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)!read(release[0], &byte, 1);
		_exit(0);
	}
	close(release[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_release = release[1];
	return pid;
}

static void test_locked(void **state)
{
	Place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = NULL;
	g_autoptr(SpkTask) task = NULL;
	gint64 last = 0;
	int release;
	pid_t pid;

	fill(place->path, 3);
	pid = lock_elsewhere(place->path, &release);
	store = spk_store_open(place->path, "normal", 0, &error);
	assert_non_null(store);
	/* readers go on */
	task = spk_task_get(store, SCRIPT_TASK, NULL);
	assert_non_null(task);
	assert_false(script_append(store, SCRIPT_TASK, 0, 3, NULL, &error));
	assert_code(&error, SPK_ERR_BUSY);
	close(release);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(script_append(store, SCRIPT_TASK, 0, 3, &last, NULL));
	assert_int_equal(last, 5);
}

/* ---- damaged ---- */

static char *read_whole(const char *path, gsize *ret_len)
{
	char *bytes = spk_fs_read(path, 64 << 20, ret_len, NULL);

	assert_non_null(bytes);
	return bytes;
}

static void overwrite(const char *path, off_t offset, gsize len)
{
	g_autofree char *noise = g_malloc(len);
	spk_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	for (gsize i = 0; i < len; i++)
		noise[i] = (char)(i * 37 + 11);
	assert_int_equal(pwrite(fd, noise, len, offset), len);
}

/* A damaged database is told as such, by opening it or by the check, and is left alone. */
static void assert_told(const char *path)
{
	gsize before_len, after_len;
	g_autofree char *before = read_whole(path, &before_len);
	g_autofree char *after = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);

	if (store)
		assert_false(spk_store_check(store, &error));
	assert_non_null(strstr(error->message, path));
	assert_code(&error, SPK_ERR_CORRUPT);
	g_clear_pointer(&store, spk_store_close);
	after = read_whole(path, &after_len);
	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, before_len);
}

static void test_truncated(void **state)
{
	static const off_t lengths[] = { 40, 100, 4095, 4096, 8192, 20000 };
	Place *place = *state;

	fill(place->path, 400);
	for (gsize i = G_N_ELEMENTS(lengths); i-- > 0;) {
		struct stat st;

		assert_int_equal(stat(place->path, &st), 0);
		assert_true(lengths[i] < st.st_size);
		assert_int_equal(truncate(place->path, lengths[i]), 0);
		assert_told(place->path);
	}
}

static void test_header_garbage(void **state)
{
	Place *place = *state;

	fill(place->path, 10);
	overwrite(place->path, 0, 100);
	assert_told(place->path);
}

static void test_page_garbage(void **state)
{
	Place *place = *state;
	struct stat st;

	fill(place->path, 400);
	assert_int_equal(stat(place->path, &st), 0);
	for (off_t page = 1; page < st.st_size / 4096; page += 3) {
		gsize len;
		g_autofree char *good = read_whole(place->path, &len);

		overwrite(place->path, page * 4096, 4096);
		assert_told(place->path);
		assert_true(spk_fs_write_atomic(place->path, good, len, 0600, NULL));
	}
	assert_journal(place->path, 401);
}

static void test_not_a_database(void **state)
{
	Place *place = *state;

	assert_true(g_file_set_contents(
		place->path, "dear diary, today I was mistaken for one", -1, NULL));
	assert_told(place->path);
}

/* Only complete transactions of a write-ahead log that was cut off or damaged count. */
static void test_damaged_log(void **state)
{
	Place *place = *state;
	g_autofree char *log = g_strconcat(place->path, "-wal", NULL);
	g_autofree char *copy = g_build_filename(place->folder, "copy.db", NULL);
	g_autofree char *copy_log = g_strconcat(copy, "-wal", NULL);
	g_autofree char *bytes = NULL, *log_bytes = NULL;
	g_autoptr(SpkStore) store = NULL;
	gsize len, log_len;

	fill(place->path, 5);
	store = spk_store_open(place->path, "normal", 0, NULL);
	for (int i = 0; i < 20; i++)
		assert_true(script_append(store, SCRIPT_TASK, 0, i, NULL, NULL));
	bytes = read_whole(place->path, &len);
	log_bytes = read_whole(log, &log_len);
	for (gsize cut = 0; cut < log_len; cut += 3001) {
		assert_true(spk_fs_write_atomic(copy, bytes, len, 0600, NULL));
		assert_true(spk_fs_write_atomic(copy_log, log_bytes, cut, 0600, NULL));
		assert_journal(copy, 6);
	}
	for (gsize at = 40; at < log_len; at += 7001) {
		assert_true(spk_fs_write_atomic(copy, bytes, len, 0600, NULL));
		assert_true(
			spk_fs_write_atomic(copy_log, log_bytes, log_len, 0600, NULL));
		overwrite(copy_log, (off_t)at, 64);
		assert_journal(copy, 6);
	}
}

#define PLACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PLACE_TEST(test_small_disk),	  PLACE_TEST(test_full_write),
		PLACE_TEST(test_unwritable_file), PLACE_TEST(test_unwritable_folder),
		PLACE_TEST(test_locked),	  PLACE_TEST(test_truncated),
		PLACE_TEST(test_header_garbage),  PLACE_TEST(test_page_garbage),
		PLACE_TEST(test_not_a_database),  PLACE_TEST(test_damaged_log),
	};

	fault_vfs_install();
	return cmocka_run_group_tests_name("store-place", tests, NULL, NULL);
}
