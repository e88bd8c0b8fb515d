/*
 * Kills a writer with SIGKILL, after each of its first writes and at random moments. What
 * it was told is written must be there afterwards, without gaps, and its task can be taken
 * over at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "script.h"

#define ROUNDS	     40
#define MAX_DELAY_US 3000

/* In the child, for ever: claims the task and appends; each acknowledged seq goes to the pipe. */
static void write_on(const char *path, int fd)
{
	SpkStore *store = spk_store_open(path, "normal", 0, NULL);
	SpkLease *lease =
		store ? spk_lease_claim(store, SCRIPT_TASK, spk_holder_self(), NULL)
		      : NULL;
	gint64 seq, n = 0;

	while (lease && script_append(store, SCRIPT_TASK, lease->token, n++, &seq, NULL))
		if (write(fd, &seq, sizeof(seq)) != sizeof(seq))
			break;
	_exit(1);
}

static pid_t start_writer(const char *path, int *ret_fd)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		write_on(path, fds[1]);
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

/* Kills after `acks` acknowledgements and `delay_us`; the last one that came. */
static gint64 kill_writer(const char *path, int acks, gulong delay_us)
{
	gint64 seq = 0, last = 0;
	int fd, status;
	pid_t pid = start_writer(path, &fd);

	while (acks-- > 0)
		assert_int_equal(read(fd, &last, sizeof(last)), sizeof(last));
	g_usleep(delay_us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(fd, &seq, sizeof(seq)) == sizeof(seq))
		last = seq;
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* else it had failed before */
	return last;
}

/* Each writer counted from 0. */
static void assert_counted(SpkStore *store)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, SCRIPT_TASK, 1, 0, NULL);
	gint64 last = -1;

	assert_non_null(entries);
	for (guint i = 0; i < entries->len; i++) {
		gint64 n = spk_json_int(((SpkJournalEntry *)entries->pdata[i])->payload,
					"n", -1);

		assert_true(n == 0 || n == last + 1);
		last = n;
	}
}

static gint64 assert_whole(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);
	g_autofree char *problem = NULL;
	gint64 last = 0;

	assert_non_null(store);
	assert_true(spk_store_check(store, NULL));
	problem = script_check_journal(store, SCRIPT_TASK, &last);
	if (problem)
		fail_msg("%s", problem);
	assert_counted(store);
	return last;
}

static void test_kill(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("spk-kill-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "store.db", NULL);
	SpkTask task = { .id = (char *)SCRIPT_TASK,
			 .goal = (char *)"g",
			 .spark = (char *)"coder",
			 .repo = (char *)"/" };
	SpkStore *store = spk_store_open(path, "normal", 0, NULL);
	gint64 before = 1;

	assert_true(spk_task_insert(store, &task, NULL));
	spk_store_close(store);
	for (int round = 0; round < ROUNDS; round++) {
		gulong delay = round % 2 ? (gulong)g_random_int_range(0, MAX_DELAY_US)
					 : 0;
		gint64 told = kill_writer(path, round / 2, delay);
		gint64 there = assert_whole(path);

		if (there < MAX(told, before))
			fail_msg("round %d: %d acknowledged, %d there", round, (int)told,
				 (int)there);
		before = there;
	}
	print_message("# %d kills, %d entries\n", ROUNDS, (int)before);
	assert_true(before > ROUNDS);
	assert_true(spk_fs_remove_tree(folder, NULL));
}

/* The database itself is being made when the kill comes. */
static void test_kill_while_opening(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("spk-kill-XXXXXX", NULL);

	for (int round = 0; round < ROUNDS; round++) {
		g_autofree char *path = g_strdup_printf("%s/%d.db", folder, round);
		g_autoptr(SpkStore) store = NULL;
		g_autoptr(GError) error = NULL;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			spk_store_close(spk_store_open(path, "normal", 0, NULL));
			_exit(0);
		}
		g_usleep((gulong)round * 200);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		store = spk_store_open(path, "normal", 0, &error);
		if (!store)
			fail_msg("round %d: %s", round, error->message);
		assert_true(spk_store_check(store, NULL));
	}
	assert_true(spk_fs_remove_tree(folder, NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_kill_while_opening),
	};

	return cmocka_run_group_tests_name("store-kill", tests, NULL, NULL);
}
