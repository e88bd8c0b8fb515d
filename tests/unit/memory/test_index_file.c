/* The saved index: what comes back, and all that can be wrong with a file. */
#include "test_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/index/file_priv.h"
#include "test_index.h"

enum { N = 600, DIMS = 40 };

static const SpkIndexStamp stamp = { "0123456789abcdef", (char *)"mini abc", 17 };
static const SpkIndexOptions options = { DIMS, TRUE, 64, 8, 60, 40 };

void remove_folder(const char *dir)
{
	assert_true(spk_fs_remove_tree(dir, NULL));
}

/* A folder, and in it a saved index of N vectors, some places nobody's. */
typedef struct {
	char *dir, *path;
	float *vectors;
	SpkIndex *index;
} Saved;

static int setup(void **state)
{
	Saved *saved = g_new0(Saved, 1);
	GError *error = NULL;

	saved->dir = g_dir_make_tmp("sparks-index-XXXXXX", NULL);
	saved->path = g_build_filename(saved->dir, "memory.index", NULL);
	saved->vectors = vectors_new(N, DIMS, 11);
	saved->index = index_new(DIMS, TRUE);
	put_all(saved->index, saved->vectors, N, DIMS);
	spk_index_settle(saved->index);
	for (gint64 num = 100; num < 120; num++)
		spk_index_drop(saved->index, num);
	if (!spk_index_save(saved->index, saved->path, &stamp, &error))
		fail_msg("%s", error->message);
	*state = saved;
	return 0;
}

static int teardown(void **state)
{
	Saved *saved = *state;

	remove_folder(saved->dir);
	spk_index_free(saved->index);
	g_free(saved->vectors);
	g_free(saved->path);
	g_free(saved->dir);
	g_free(saved);
	return 0;
}

static SpkIndex *load(const char *path, const SpkIndexOptions *how,
		      const SpkIndexStamp *want, int code)
{
	g_autoptr(GError) error = NULL;
	gint64 change = -1;
	SpkIndex *index = spk_index_load(path, how, want, &change, &error);

	if (code < 0 && !index)
		fail_msg("%s", error->message);
	if (code < 0) {
		assert_int_equal(change, 17);
		return index;
	}
	assert_null(index);
	assert_int_equal(change, -1);
	if (!spk_error_is(error, code))
		fail_msg("wanted \"%s\": %s", spk_err_info(code)->name, error->message);
	assert_non_null(strstr(error->message, path));
	return NULL;
}

static void same_answers(const Saved *saved, SpkIndex *other)
{
	SpkNear a[10], b[10];

	for (guint q = 0; q < N; q += 13) {
		const float *query = saved->vectors + q * DIMS;
		gsize n = spk_index_search(saved->index, query, 10, NULL, NULL, a);

		assert_int_equal(spk_index_search(other, query, 10, NULL, NULL, b), n);
		for (gsize i = 0; i < n; i++) {
			assert_int_equal(a[i].num, b[i].num);
			assert_float_equal(a[i].score, b[i].score, 1e-6);
		}
	}
}

static void test_back(void **state)
{
	Saved *saved = *state;
	g_autoptr(SpkIndex) index = load(saved->path, &options, &stamp, -1);
	SpkIndexStats stats;
	struct stat st;

	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, N - 20);
	assert_int_equal(stats.loose, 0); /* the graph is back, too */
	assert_int_equal(stats.writes, 0);
	same_answers(saved, index);
	assert_true(stat(saved->path, &st) == 0 && (st.st_mode & 0777) == 0600);
	spk_index_stats(saved->index, &stats);
	assert_int_equal(stats.writes, 0);
	/* and it goes on from there */
	for (gint64 num = 1; num < 50; num++)
		spk_index_drop(index, num);
	put_all(index, saved->vectors, N, DIMS);
	spk_index_settle(index);
	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, N);
	assert_int_equal(stats.loose, 0);
}

static void test_other_options(void **state)
{
	Saved *saved = *state;
	SpkIndexOptions other = options;
	SpkIndexStats stats;

	other.m = 12;
	{
		g_autoptr(SpkIndex) index = load(saved->path, &other, &stamp, -1);

		same_answers(saved, index);
		spk_index_settle(index); /* a graph of its own */
		spk_index_stats(index, &stats);
		assert_int_equal(stats.loose, 0);
		same_answers(saved, index);
	}
	other.hnsw = FALSE;
	{
		g_autoptr(SpkIndex) index = load(saved->path, &other, &stamp, -1);

		same_answers(saved, index);
	}
}

/* Most of it forgotten: the file holds no more than before, and what comes back has no gaps. */
static void test_mostly_forgotten(void **state)
{
	Saved *saved = *state;
	g_autofree float *vectors = vectors_new(4000, DIMS, 12);
	g_autoptr(SpkIndex) big = index_new(DIMS, TRUE), index = NULL;
	SpkIndexStats stats;

	put_all(big, vectors, 4000, DIMS);
	spk_index_settle(big);
	for (gint64 num = N + 1; num <= 4000; num++)
		spk_index_drop(big, num);
	assert_true(spk_index_save(big, saved->path, &stamp, NULL));
	index = load(saved->path, &options, &stamp, -1);
	spk_index_settle(index);
	spk_index_stats(index, &stats);
	assert_int_equal(stats.live, N);
	assert_int_equal(stats.dead, 0);
	assert_int_equal(stats.loose, 0);
}

static void test_misfits(void **state)
{
	Saved *saved = *state;
	SpkIndexOptions other = options;
	SpkIndexStamp want = stamp;
	g_autofree char *none = g_build_filename(saved->dir, "none", NULL);

	load(none, &options, &stamp, SPK_ERR_NOT_FOUND);
	other.dims = DIMS + 1;
	load(saved->path, &other, &stamp, SPK_ERR_CONFLICT);
	want.model = (char *)"other abc";
	load(saved->path, &options, &want, SPK_ERR_CONFLICT);
	want = stamp;
	g_strlcpy(want.store, "another", sizeof(want.store));
	load(saved->path, &options, &want, SPK_ERR_CONFLICT);
	want = stamp;
	want.change = 16; /* an older copy of the database was put back */
	load(saved->path, &options, &want, SPK_ERR_CONFLICT);
	want.change = 18;
	spk_index_free(load(saved->path, &options, &want, -1));
}

static void test_no_files(void **state)
{
	Saved *saved = *state;
	g_autofree char *fifo = g_build_filename(saved->dir, "fifo", NULL);

	load(saved->dir, &options, &stamp, SPK_ERR_CORRUPT);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	load(fifo, &options, &stamp, SPK_ERR_CORRUPT);
}

static void put_file(const char *path, const guint8 *bytes, gsize size)
{
	assert_true(g_file_set_contents(path, (const char *)bytes, (gssize)size, NULL));
}

static guint8 *bytes_of(const Saved *saved, gsize *ret_size)
{
	char *bytes;

	assert_true(g_file_get_contents(saved->path, &bytes, ret_size, NULL));
	return (guint8 *)bytes;
}

static void test_truncated(void **state)
{
	Saved *saved = *state;
	gsize size;
	g_autofree guint8 *bytes = bytes_of(saved, &size);

	for (gsize cut = 0; cut < size; cut += cut < 256 ? 1 : 1009) {
		put_file(saved->path, bytes, cut);
		load(saved->path, &options, &stamp, SPK_ERR_CORRUPT);
	}
	bytes = g_realloc(bytes, size + 1);
	bytes[size] = 0;
	put_file(saved->path, bytes, size + 1);
	load(saved->path, &options, &stamp, SPK_ERR_CORRUPT);
}

/* Any bit turned over is seen. */
static void test_damaged(void **state)
{
	Saved *saved = *state;
	gsize size;
	g_autofree guint8 *bytes = bytes_of(saved, &size);
	gint64 change;

	for (gsize at = 0; at < size; at += at < sizeof(IndexHeader) ? 1 : 373) {
		bytes[at] ^= (guint8)(1 << at % 8);
		put_file(saved->path, bytes, size);
		assert_null(spk_index_load(saved->path, &options, &stamp, &change, NULL));
		bytes[at] ^= (guint8)(1 << at % 8);
	}
	put_file(saved->path, bytes, size);
	spk_index_free(load(saved->path, &options, &stamp, -1));
}

/* The sum is made right again: what is checked is what the numbers say. */
static void wrong(const Saved *saved, gsize at, guint64 value, gsize width)
{
	gsize size;
	g_autofree guint8 *bytes = bytes_of(saved, &size);
	g_autofree char *path = g_strconcat(saved->path, ".wrong", NULL);
	guint64 sum;

	memcpy(bytes + at, &value, width);
	sum = index_sum_of(bytes, size - sizeof(sum));
	memcpy(bytes + size - sizeof(sum), &sum, sizeof(sum));
	put_file(path, bytes, size);
	load(path, &options, &stamp, SPK_ERR_CORRUPT);
}

static void test_hostile(void **state)
{
	static const guint64 sizes[] = {
		0, 1, N - 1, N + 1, 1u << 31, G_MAXUINT64, G_MAXUINT64 / 8, G_MAXINT64
	};
	Saved *saved = *state;
	gsize scales = sizeof(IndexHeader) + N * 8, stale = scales + N * 4;
	gsize levels = stale + N, links = levels + N;

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		wrong(saved, G_STRUCT_OFFSET(IndexHeader, n), sizes[i], 8);
		wrong(saved, G_STRUCT_OFFSET(IndexHeader, linked), sizes[i], 8);
		wrong(saved, G_STRUCT_OFFSET(IndexHeader, n_links), sizes[i], 8);
		wrong(saved, G_STRUCT_OFFSET(IndexHeader, width), sizes[i], 4);
	}
	wrong(saved, G_STRUCT_OFFSET(IndexHeader, m), 1, 4);
	wrong(saved, G_STRUCT_OFFSET(IndexHeader, m), G_MAXUINT32, 4);
	wrong(saved, sizeof(IndexHeader), 2, 8); /* whose the second place is, too */
	wrong(saved, sizeof(IndexHeader), (guint64)-5, 8);
	wrong(saved, scales, 0x7fc00000, 4); /* no number */
	wrong(saved, scales, 0xbf800000, 4); /* -1 */
	wrong(saved, scales, 0x3f800000, 4); /* 1 */
	wrong(saved, stale, 2, 1);
	wrong(saved, levels, 25, 1);
	wrong(saved, levels, 255, 1);
	wrong(saved, links, 17, 4); /* more than 2 m */
	wrong(saved, links, G_MAXUINT32, 4);
	wrong(saved, links + 4, N, 4); /* no such place */
	wrong(saved, links + 4, G_MAXUINT32, 4);
	wrong(saved, links + 4, 0, 4); /* to itself */
}

/* ---- when saving goes wrong ---- */

static void limit_size(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void old_is_there(const Saved *saved, gboolean may_be_beside)
{
	g_autofree char *beside = g_strconcat(saved->path, ".new", NULL);

	spk_index_free(load(saved->path, &options, &stamp, -1));
	if (!may_be_beside)
		assert_false(g_file_test(beside, G_FILE_TEST_EXISTS));
}

static void test_no_room(void **state)
{
	Saved *saved = *state;
	g_autofree char *nowhere = g_build_filename(saved->dir, "no", "index", NULL);
	g_autoptr(GError) error = NULL;
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

	assert_false(spk_index_save(saved->index, nowhere, &stamp, &error));
	assert_non_null(strstr(error->message, nowhere));
	g_clear_error(&error);
	spk_index_drop(saved->index, 1);
	limit_size(100 * 1024);
	assert_false(spk_index_save(saved->index, saved->path, &stamp, &error));
	limit_size(RLIM_INFINITY);
	(void)signal(SIGXFSZ, before);
	assert_true(spk_error_is(error, SPK_ERR_IO));
	old_is_there(saved, FALSE);
	assert_true(spk_index_save(saved->index, saved->path, &stamp, NULL));
	{
		g_autoptr(SpkIndex) index = load(saved->path, &options, &stamp, -1);

		assert_false(spk_index_has(index, 1));
	}
}

/* The kernel kills whoever writes past the limit: once in each write. */
static void test_killed(void **state)
{
	Saved *saved = *state;
	struct stat st;

	assert_int_equal(stat(saved->path, &st), 0);
	spk_index_drop(saved->index, 1);
	for (off_t at = 0; at < st.st_size; at += INDEX_PIECE / 4) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			struct rlimit none = { 0, 0 };

			(void)setrlimit(RLIMIT_CORE, &none);
			(void)signal(SIGXFSZ, SIG_DFL);
			limit_size((rlim_t)at);
			(void)spk_index_save(saved->index, saved->path, &stamp, NULL);
			_exit(0); /* only when it wasn't killed */
		}
		assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
		old_is_there(saved, TRUE);
	}
	assert_true(spk_index_save(saved->index, saved->path, &stamp, NULL));
	old_is_there(saved, FALSE);
}

static void test_two_savers(void **state)
{
	Saved *saved = *state;
	g_autofree char *beside = g_strconcat(saved->path, ".new", NULL);
	g_autoptr(GError) error = NULL;
	int fds[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) { /* holds the file as a process does that saves */
		int fd = open(beside, O_RDWR | O_CREAT, 0600);

		(void)close(fds[0]);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(fds[1], "x", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_false(spk_index_save(saved->index, saved->path, &stamp, &error));
	assert_true(spk_error_is(error, SPK_ERR_BUSY));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(spk_index_save(saved->index, saved->path, &stamp, NULL));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

#define SAVED(name, test)                         \
	{                                         \
		name, test, setup, teardown, NULL \
	}

const struct CMUnitTest index_file_tests[] = {
	SAVED("index file: it comes back, and goes on", test_back),
	SAVED("index file: with other options the graph is made anew",
	      test_other_options),
	SAVED("index file: mostly forgotten", test_mostly_forgotten),
	SAVED("index file: of another store, model, size, or later", test_misfits),
	SAVED("index file: a folder, a pipe", test_no_files),
	SAVED("index file: truncated anywhere", test_truncated),
	SAVED("index file: a bit turned over anywhere", test_damaged),
	SAVED("index file: numbers that can't be, well summed up", test_hostile),
	SAVED("index file: no folder, no room", test_no_room),
	SAVED("index file: killed in each write", test_killed),
	SAVED("index file: two at once", test_two_savers),
};
const size_t n_index_file_tests = G_N_ELEMENTS(index_file_tests);
