#include "test_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

/* ---- the clock ---- */

static gint64 fake_us;

static gint64 fake_now(void)
{
	return fake_us;
}

static void fake_sleep(gint64 us, int wake_fd)
{
	fake_us += us;
}

static void real_random(void *buffer, gsize len)
{
	spk_clock_system()->random(buffer, len);
}

void clock_add_ms(gint64 ms)
{
	fake_us += ms * 1000;
}

static void use_fake_clock(void)
{
	static const SpkClock fake = { fake_now, fake_now, fake_sleep, real_random };

	fake_us = G_GINT64_CONSTANT(1800000000000000);
	spk_clock_use(&fake);
}

/* ---- the fixture ---- */

int setup_folder(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);

	fixture->folder = g_dir_make_tmp("spk-store-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "store.db", NULL);
	use_fake_clock();
	*state = fixture;
	return fixture->folder ? 0 : -1;
}

int setup_store(void **state)
{
	Fixture *fixture;

	if (setup_folder(state) != 0)
		return -1;
	fixture = *state;
	fixture->store = spk_store_open(fixture->path, "normal", 0, NULL);
	return fixture->store ? 0 : -1;
}

int teardown_store(void **state)
{
	Fixture *fixture = *state;

	spk_store_close(fixture->store);
	spk_clock_use(NULL);
	(void)spk_fs_remove_tree(fixture->folder, NULL); /* else /tmp keeps it */
	g_free(fixture->path);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

/* ---- helpers ---- */

void add_task(SpkStore *store, const char *id)
{
	SpkTask task = { .id = (char *)id,
			 .goal = (char *)"mend it",
			 .spark = (char *)"coder",
			 .repo = (char *)"/src/x" };

	assert_ok(spk_task_insert(store, &task, ERR));
	clock_add_ms(1);
}

SpkLease *hold(SpkStore *store, const char *id)
{
	SpkLease *lease = spk_lease_claim(store, id, spk_holder_self(), NULL);

	assert_non_null(lease);
	return lease;
}

void walk_to(SpkStore *store, const SpkLease *lease, SpkState to)
{
	static const SpkState way[] = { SPK_STATE_QUEUED,    SPK_STATE_SCANNED,
					SPK_STATE_ROUTED,    SPK_STATE_RUNNING,
					SPK_STATE_VERIFYING, SPK_STATE_DONE };

	for (gsize i = 0; way[i] != to; i++) {
		SpkState from = way[i];
		SpkState next = spk_state_may_follow(from, to) ? to : way[i + 1];

		assert_ok(spk_task_move(store, lease->task, lease->token, from, next,
					NULL, ERR));
		if (next == to)
			return;
	}
}

char *dead_holder(void)
{
	char buffer[256] = "";
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *self = spk_holder_self();

		_exit(write(fds[1], self, strlen(self)) > 0 ? 0 : 1);
	}
	close(fds[1]);
	assert_true(read(fds[0], buffer, sizeof(buffer) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return g_strdup(buffer);
}

void assert_failed(GError **error, SpkErr code)
{
	assert_non_null(*error);
	if (!spk_error_is(*error, code))
		fail_msg("wanted %s, got: %s", spk_err_info(code)->name,
			 (*error)->message);
	g_clear_error(error);
}

/* ---- */

static const Suite *const suites[] = {
	&states_suite,	  &open_suite,	 &schema_suite,	  &tasks_suite,	   &journal_suite,
	&lease_suite,	  &holder_suite, &mail_suite,	  &evidence_suite, &worker_suite,
	&backup_suite,	  &knobs_suite,	 &ledger_suite,	  &sessions_suite, &setups_suite,
	&approvals_suite, &levels_suite, &memories_suite, &match_suite,	   &forget_suite,
	&moves_suite,
};

int main(void)
{
	g_autofree struct CMUnitTest *all = NULL;
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(suites); i++) {
		all = g_renew(struct CMUnitTest, all, n + suites[i]->n_tests);
		memcpy(all + n, suites[i]->tests, suites[i]->n_tests * sizeof(*all));
		n += suites[i]->n_tests;
	}
	return _cmocka_run_group_tests("store", all, n, NULL, NULL);
}
