/* Opening: what is made, what is refused, what is left alone. */
#include "test_store.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *other = NULL;

	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names, sizes and contents of a folder. */
static char *fingerprint(const char *folder)
{
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
		gsize len = 0;
		g_autofree char *bytes = spk_fs_read(path, 64 << 20, &len, NULL);
		g_autofree char *sum = spk_text_sha256(bytes, len);

		g_string_append_printf(all, "%s %zu %s\n", (char *)names->pdata[i], len,
				       sum);
	}
	return g_string_free(g_steal_pointer(&all), FALSE);
}

static void test_files_are_private(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	Fixture *f = *state;

	add_task(f->store, "aaaa00000001");
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *path = g_strconcat(f->path, ends[i], NULL);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_string_equal(spk_store_path(f->store), f->path);
	assert_int_equal(spk_store_schema_version(f->store), spk_store_newest);
}

static void test_close_leaves_one_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *print = NULL;

	add_task(f->store, "aaaa00000001");
	spk_store_close(g_steal_pointer(&f->store));
	print = fingerprint(f->folder);
	assert_true(g_str_has_prefix(print, "store.db "));
	assert_ptr_equal(strchr(print, '\n'), print + strlen(print) - 1);
}

static void test_must_exist(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	assert_null(spk_store_open(f->path, "normal", SPK_STORE_MUST_EXIST, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_null(spk_store_open(f->path, "normal", SPK_STORE_READ_ONLY, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void test_makes_the_folder(void **state)
{
	Fixture *f = *state;
	g_autofree char *path =
		g_build_filename(f->folder, "a b", "c?d#%", "store.db", NULL);
	g_autoptr(SpkStore) again = NULL;

	f->store = spk_store_open(path, "full", 0, NULL);
	assert_non_null(f->store);
	add_task(f->store, "aaaa00000001");
	/* odd names in a path must not confuse the look at what is there already */
	again = spk_store_open(path, "full", SPK_STORE_MUST_EXIST, NULL);
	assert_non_null(again);
}

static void test_synchronous_word(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	assert_null(spk_store_open(f->path, "sometimes", 0, &error));
	assert_failed(&error, SPK_ERR_CONFIG);
}

/* What is kept for speed goes, and nothing else; who is at work keeps it. */
static void test_rest(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTask) task = NULL;
	SpkTx *tx;
	sqlite3_int64 busy, rested;

	for (guint i = 0; i < 200; i++) {
		g_autofree char *id = g_strdup_printf("aaaa%08u", i);

		add_task(f->store, id);
	}
	tx = spk_tx_begin(f->store, SPK_TX_WRITE, NULL);
	busy = sqlite3_memory_used();
	spk_store_rest(f->store);
	assert_true(sqlite3_memory_used() == busy);
	assert_true(spk_tx_commit(tx, NULL));
	spk_store_rest(f->store);
	rested = sqlite3_memory_used();
	assert_true(rested < busy / 2);
	task = spk_task_get(f->store, "aaaa00000007", NULL);
	assert_non_null(task);
	add_task(f->store, "bbbb00000001");
}

static void test_read_only(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkStore) reader = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(GError) error = NULL;
	SpkTask other = { .id = (char *)"b",
			  .goal = (char *)"",
			  .spark = (char *)"coder",
			  .repo = (char *)"/" };

	add_task(f->store, "aaaa00000001");
	reader = spk_store_open(f->path, "normal", SPK_STORE_READ_ONLY, &error);
	assert_non_null(reader);
	task = spk_task_get(reader, "aaaa00000001", &error);
	assert_non_null(task);
	assert_false(spk_task_insert(reader, &other, &error));
	assert_failed(&error, SPK_ERR_READ_ONLY);
}

static void test_foreign_is_never_written(void **state)
{
	static const char *const makers[] = {
		"CREATE TABLE memories (id TEXT); INSERT INTO memories VALUES ('x')",
		"PRAGMA application_id = 77",
		"PRAGMA journal_mode = WAL; CREATE TABLE memories (id TEXT)",
	};
	Fixture *f = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(makers); i++) {
		g_autofree char *before = NULL, *after = NULL;
		g_autoptr(GError) error = NULL;

		unlink(f->path);
		run_sql(f->path, makers[i]);
		before = fingerprint(f->folder);
		assert_null(spk_store_open(f->path, "normal", 0, &error));
		assert_failed(&error, SPK_ERR_POLICY);
		assert_null(
			spk_store_open(f->path, "normal", SPK_STORE_READ_ONLY, &error));
		assert_failed(&error, SPK_ERR_POLICY);
		after = fingerprint(f->folder);
		assert_string_equal(before, after);
	}
}

/* Another program has it open: its write-ahead log is not ours to fold in either. */
static void test_foreign_in_use(void **state)
{
	Fixture *f = *state;
	g_autofree char *before = NULL, *after = NULL;
	g_autoptr(GError) error = NULL;
	sqlite3 *other = NULL;

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other,
			     "CREATE TABLE a (b); PRAGMA journal_mode = WAL;"
			     "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	before = fingerprint(f->folder);
	assert_null(spk_store_open(f->path, "normal", 0, &error));
	assert_failed(&error, SPK_ERR_POLICY);
	after = fingerprint(f->folder);
	assert_string_equal(before, after);
	sqlite3_close(other);
}

static void test_newer_is_refused(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	spk_store_close(g_steal_pointer(&f->store));
	run_sql(f->path, "PRAGMA user_version = 999");
	f->store = spk_store_open(f->path, "normal", 0, &error);
	assert_null(f->store);
	assert_non_null(strstr(error->message, "999"));
	assert_non_null(spk_error_hint(error));
	assert_failed(&error, SPK_ERR_STORE_NEWER);
}

static void test_a_folder_is_no_database(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	assert_null(spk_store_open(f->folder, "normal", 0, &error));
	assert_failed(&error, SPK_ERR_IO);
}

/* Many at once, on a database that is not there yet: all get in, and it is whole. */
static void test_opened_at_once(void **state)
{
	enum { N = 6, ROUNDS = 6 };
	Fixture *f = *state;

	for (int round = 0; round < ROUNDS; round++) {
		g_autofree char *path = g_strdup_printf("%s/%d.db", f->folder, round);
		pid_t pids[N];
		int status;

		for (int i = 0; i < N; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i])
				continue;
			g_autoptr(GError) error = NULL;
			SpkStore *store = spk_store_open(path, "normal", 0, &error);

			if (!store)
				g_printerr("# %s\n", error->message);
			if (store && !spk_store_check(store, NULL))
				_exit(2);
			spk_store_close(store);
			_exit(store ? 0 : 1);
		}
		for (int i = 0; i < N; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
	}
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_files_are_private),
	STORE_TEST(test_close_leaves_one_file),
	FOLDER_TEST(test_must_exist),
	FOLDER_TEST(test_makes_the_folder),
	FOLDER_TEST(test_synchronous_word),
	STORE_TEST(test_rest),
	STORE_TEST(test_read_only),
	FOLDER_TEST(test_foreign_is_never_written),
	FOLDER_TEST(test_foreign_in_use),
	STORE_TEST(test_newer_is_refused),
	FOLDER_TEST(test_a_folder_is_no_database),
	FOLDER_TEST(test_opened_at_once),
};
const Suite open_suite = { tests, G_N_ELEMENTS(tests) };
