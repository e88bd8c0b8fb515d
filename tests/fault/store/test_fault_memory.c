/*
 * Memories under failing I/O, killed in the middle of each write, and written by two processes at
 * once: what was acknowledged is there, what was forgotten is not, and the words are those of the
 * memories.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "fault_vfs.h"
#include "store/memories.h"

#define BEFORE 6 /* memories that are there from the beginning: old0 … */
#define STEPS  7

typedef struct {
	char done[STEPS]; /* acknowledged */
	guint failures;
	gboolean unclear; /* an error without a hint */
} Acks;

static SpkMemoryRow *make(const char *id, const char *text)
{
	SpkMemoryRow *row = g_new0(SpkMemoryRow, 1);

	row->id = g_strdup(id);
	row->text = g_strdup(text);
	row->kind = g_strdup("fact");
	row->scope = g_strdup("user");
	row->source = g_strdup("test");
	row->model = g_strdup("tiny");
	row->confidence = 1;
	return row;
}

static gboolean put(SpkStore *store, const char *id, const char *text, gboolean edit,
		    GError **error)
{
	static const float vector[64] = { 1 };
	g_autoptr(SpkMemoryRow) row = make(id, text);

	return edit ? spk_memories_edit(store, row, vector, 64, error)
		    : spk_memories_put(store, row, vector, 64, error);
}

static gboolean merge(SpkStore *store, GError **error)
{
	g_autoptr(SpkMemoryRow) row = make("like", "a liketext");

	return spk_memories_merge(store, "old3", row, error);
}

static gboolean step(SpkStore *store, int n, GError **error)
{
	gboolean was;

	switch (n) {
	case 0:
		return put(store, "new", "an addedword", FALSE, error);
	case 1:
		return put(store, "old0", "an editedword", TRUE, error);
	case 2:
		return spk_memories_forget(store, "old1", &was, error);
	case 3:
		return spk_memories_retire(store, "old2", &was, error);
	case 4:
		return merge(store, error);
	case 5:
		return spk_memories_supersede(store, "old4", "old5", error);
	default:
		return spk_memories_forget(store, "old3", &was, error);
	}
}

/* fd: where each acknowledged step's number goes; -1: only into acks. */
static void run(const char *path, Acks *acks, int fd)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);

	for (char i = 0; i < STEPS; i++) {
		acks->done[(int)i] = store && step(store, i, &error);
		if (acks->done[(int)i] && fd >= 0 && write(fd, &i, 1) != 1)
			_exit(1);
		if (acks->done[(int)i])
			continue;
		acks->failures++;
		/* one follows from a step before that failed */
		if (error && !spk_error_hint(error) &&
		    !spk_error_is(error, SPK_ERR_NOT_FOUND)) {
			print_message("# unclear: %s\n", error->message);
			acks->unclear = TRUE;
		}
		g_clear_error(&error);
	}
}

static void make_base(const char *path)
{
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, NULL);

	for (int i = 0; i < BEFORE; i++) {
		g_autofree char *id = g_strdup_printf("old%d", i);
		g_autofree char *text = g_strdup_printf("the oldtext%d of many", i);

		assert_true(put(store, id, text, FALSE, NULL));
	}
}

static void copy_base(const char *folder, const char *to)
{
	g_autofree char *from = g_build_filename(folder, "base.db", NULL);
	g_autofree char *data = NULL;
	gsize len;

	assert_true(g_file_get_contents(from, &data, &len, NULL));
	assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
}

/* ---- afterwards ---- */

static char *id_of_match(SpkStore *store, const char *word)
{
	g_autoptr(GArray) found = spk_memories_match(store, word, NULL, 5, NULL, NULL);
	g_autoptr(GPtrArray) rows = NULL;

	assert_non_null(found);
	if (!found->len)
		return NULL;
	rows = spk_memories_by_num(store, &g_array_index(found, SpkMemoryMatch, 0).num, 1,
				   NULL);
	return g_strdup(((SpkMemoryRow *)rows->pdata[0])->id);
}

static void assert_found(SpkStore *store, const char *word, const char *id, int nth)
{
	g_autofree char *found = id_of_match(store, word);

	if (g_strcmp0(found, id) != 0)
		fail_msg("operation %d: %s finds %s", nth, word,
			 found ? found : "nothing");
}

static void assert_in_no_file(const char *path, const char *word, int nth)
{
	static const char *const suffixes[] = { "", "-wal" };

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
		g_autofree char *data = NULL;
		gsize len;

		if (g_file_get_contents(file, &data, &len, NULL) &&
		    memmem(data, len, word, strlen(word)))
			fail_msg("operation %d: %s is in %s", nth, word, file);
	}
}

static void verify(const char *path, const Acks *acks, int nth)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);

	if (!store || !spk_store_check(store, &error) ||
	    !spk_memories_check(store, &error))
		fail_msg("operation %d: %s", nth, error->message);
	if (acks->done[0])
		assert_found(store, "addedword", "new", nth);
	assert_found(store, acks->done[1] ? "editedword" : "oldtext5",
		     acks->done[1] ? "old0" : "old5", nth);
	if (acks->done[2])
		assert_found(store, "oldtext1", NULL, nth);
	if (acks->done[3])
		assert_found(store, "oldtext2", NULL, nth);
	if (acks->done[5])
		assert_found(store, "oldtext4", NULL, nth);
	if (acks->done[6])
		assert_found(store, "oldtext3", NULL, nth);
	/* whoever writes next removes what the forgetting one could not */
	assert_true(put(store, "afterwards", "one more", FALSE, NULL));
	if (acks->done[2])
		assert_in_no_file(path, "oldtext1", nth);
	if (acks->done[6] && acks->done[4])
		assert_in_no_file(path, "liketext", nth);
}

/* ---- failing I/O ---- */

static gboolean fail_nth(const char *folder, FaultKind kind, int nth, gboolean stays)
{
	g_autofree char *path = g_strdup_printf("%s/%d.db", folder, nth);
	gboolean fired;
	Acks acks = { 0 };

	copy_base(folder, path);
	fault_arm(kind, nth, stays);
	run(path, &acks, -1);
	fired = fault_disarm();
	if (!fired)
		assert_int_equal(acks.failures, 0);
	verify(path, &acks, nth);
	assert_false(acks.unclear);
	return fired;
}

static char *make_folder(void)
{
	char *folder = g_dir_make_tmp("spk-fault-XXXXXX", NULL);
	g_autofree char *base = g_build_filename(folder, "base.db", NULL);

	make_base(base);
	return folder;
}

static void fail_all(FaultKind kind, gboolean stays)
{
	g_autofree char *folder = make_folder();
	int nth = 1;

	while (fail_nth(folder, kind, nth, stays))
		nth++;
	print_message("# %d operations failed in turn\n", nth - 1);
	assert_true(nth > 20);
	assert_true(spk_fs_remove_tree(folder, NULL));
}

static void test_full_once(void **state)
{
	fail_all(FAULT_FULL, FALSE);
}

static void test_full_for_good(void **state)
{
	fail_all(FAULT_FULL, TRUE);
}

static void test_io_once(void **state)
{
	fail_all(FAULT_IO, FALSE);
}

/* ---- killed ---- */

/* FALSE: it got to its end. */
static gboolean kill_nth(const char *folder, int nth)
{
	g_autofree char *path = g_strdup_printf("%s/%d.db", folder, nth);
	Acks acks = { 0 };
	int fds[2], status;
	char done;
	pid_t pid;

	copy_base(folder, path);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		fault_arm(FAULT_KILL, nth, FALSE);
		run(path, &acks, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &done, 1) == 1)
		acks.done[(int)done] = TRUE;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	verify(path, &acks, nth);
	return WIFSIGNALED(status);
}

static void test_killed_at_every_write(void **state)
{
	g_autofree char *folder = make_folder();
	int nth = 1;

	while (kill_nth(folder, nth))
		nth++;
	print_message("# killed in %d writes in turn\n", nth - 1);
	assert_true(nth > 40);
	assert_true(spk_fs_remove_tree(folder, NULL));
}

/* ---- two at once ---- */

#define ROUNDS 120

/* Adds, and forgets every third again; each also writes over one that both write. */
static void write_on(const char *path, int who)
{
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, NULL);
	gboolean was;

	for (int i = 0; store && i < ROUNDS; i++) {
		g_autofree char *id = g_strdup_printf("p%d-%d", who, i);
		g_autofree char *text = g_strdup_printf("word%d common text", i);

		if (!put(store, id, text, FALSE, NULL) ||
		    !put(store, "shared", text, FALSE, NULL) ||
		    (i % 3 == 0 && !spk_memories_forget(store, id, &was, NULL)))
			_exit(1);
	}
	_exit(store ? 0 : 1);
}

static void test_two_processes(void **state)
{
	g_autofree char *folder = make_folder();
	g_autofree char *path = g_build_filename(folder, "base.db", NULL);
	const SpkMemoryList all = { .state = -1 };
	g_autoptr(SpkStore) store = NULL;
	g_autoptr(GError) error = NULL;
	gint64 n = 0;
	int status;

	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			write_on(path, i);
	for (int i = 0; i < 2; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	store = spk_store_open(path, "normal", 0, NULL);
	if (!spk_memories_check(store, &error))
		fail_msg("%s", error->message);
	assert_true(spk_memories_count(store, &all, &n, NULL));
	assert_int_equal(n, BEFORE + 1 + 2 * (ROUNDS - ROUNDS / 3));
	spk_store_close(g_steal_pointer(&store));
	assert_true(spk_fs_remove_tree(folder, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_once),
		cmocka_unit_test(test_full_for_good),
		cmocka_unit_test(test_io_once),
		cmocka_unit_test(test_killed_at_every_write),
		cmocka_unit_test(test_two_processes),
	};

	fault_vfs_install();
	return cmocka_run_group_tests_name("store-memory", tests, NULL, NULL);
}
