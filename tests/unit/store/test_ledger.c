/* The ledger: a call once, a budget never passed, what a dead process reserved let go. */
#include "store/ledger.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test_store.h"

#define TASK "aaaa00000001"

static SpkCall call_of(const char *key, gint64 nano)
{
	return (SpkCall){ .key = key,
			  .task = TASK,
			  .spark = "coder",
			  .repo = "/r",
			  .provider = "openai",
			  .model = "m",
			  .purpose = "main",
			  .input = 100,
			  .output = 10,
			  .cost_nano = nano };
}

static gint64 spent(SpkStore *store)
{
	gint64 nano = -2;

	assert_ok(spk_ledger_task_cost(store, TASK, &nano, ERR));
	return nano;
}

static void test_settled_once(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(json_t) payload = json_object();
	SpkCall call = call_of(TASK "/0", 7);
	SpkBudget none = { 0 };

	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	assert_ok(spk_ledger_reserve(f->store, &call, &none, ERR));
	assert_int_equal(spent(f->store), 0);
	call.cost_nano = 5;
	assert_ok(spk_journal_settle(f->store, lease->token, "model.result", payload,
				     &call, ERR));
	call.cost_nano = 50;
	assert_ok(spk_ledger_settle(f->store, &call, ERR));
	assert_int_equal(spent(f->store), 5);
	/* a stale holder writes neither */
	call.key = TASK "/1";
	assert_false(spk_journal_settle(f->store, lease->token + 1, "model.result",
					payload, &call, NULL));
	assert_int_equal(spent(f->store), 5);
}

static void test_budget_holds(void **state)
{
	Fixture *f = *state;
	SpkBudget budget = { .task_nano = 100, .day_nano = 150 };
	SpkCall call = call_of(TASK "/0", 60);
	g_autoptr(GError) error = NULL;

	assert_ok(spk_ledger_settle(f->store, &call, ERR));
	call.key = TASK "/1";
	assert_false(spk_ledger_reserve(f->store, &call, &budget, &error));
	assert_non_null(strstr(error->message, "budget of the task"));
	call.task = "bbbb00000001";
	call.cost_nano = 90;
	assert_ok(spk_ledger_reserve(f->store, &call, &budget, ERR));
	call.task = "cccc00000001";
	call.key = "cccc/0";
	call.cost_nano = 1;
	g_clear_error(&error);
	assert_false(spk_ledger_reserve(f->store, &call, &budget, &error));
	assert_non_null(strstr(error->message, "budget of the day"));
}

static void test_unknown_price(void **state)
{
	Fixture *f = *state;
	SpkBudget budget = { .task_nano = 100 }, none = { 0 };
	SpkCall call = call_of(TASK "/0", -1);
	g_autoptr(GError) error = NULL;

	assert_false(spk_ledger_reserve(f->store, &call, &budget, &error));
	assert_non_null(strstr(error->message, "not known"));
	assert_ok(spk_ledger_reserve(f->store, &call, &none, ERR));
	assert_ok(spk_ledger_fail(f->store, call.key, &call, ERR));
	assert_int_equal(spent(f->store), -1);
}

typedef struct {
	SpkStore *store;
	int number;
	gint won;
} Racer;

static gpointer race(gpointer user)
{
	Racer *racer = user;
	SpkBudget budget = { .day_nano = 1000 };

	for (int i = 0; i < 20; i++) {
		g_autofree char *task = g_strdup_printf("t%d-%d", racer->number, i);
		SpkCall call = call_of(task, 30);

		call.task = task;
		racer->won += spk_ledger_reserve(racer->store, &call, &budget, NULL);
	}
	return NULL;
}

static void test_eight_threads(void **state)
{
	Fixture *f = *state;
	Racer racers[8];
	GThread *threads[8];
	int won = 0;

	for (int i = 0; i < 8; i++) {
		racers[i] = (Racer){ f->store, i, 0 };
		threads[i] = g_thread_new("racer", race, &racers[i]);
	}
	for (int i = 0; i < 8; i++) {
		g_thread_join(threads[i]);
		won += racers[i].won;
	}
	assert_int_equal(won, 33); /* 33 * 30 <= 1000 < 34 * 30 */
}

/* Tells how often it won, and lives on until `release` ends: what a dead one reserved is free. */
static void race_in_child(const char *path, int number, int report, int release)
{
	g_autoptr(SpkStore) own = spk_store_open(path, "normal", 0, NULL);
	Racer racer = { own, number, own ? 0 : 1000 };
	char end;

	if (own)
		race(&racer);
	if (write(report, &racer.won, sizeof(racer.won)) == sizeof(racer.won))
		(void)!read(release, &end, 1);
	_exit(0);
}

static void test_four_processes(void **state)
{
	Fixture *f = *state;
	int report[2], release[2], won = 0;
	pid_t pids[4];

	g_clear_pointer(&f->store, spk_store_close);
	assert_int_equal(pipe(report), 0);
	assert_int_equal(pipe(release), 0);
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i]) {
			close(release[1]);
			race_in_child(f->path, i, report[1], release[0]);
		}
	}
	close(report[1]);
	for (int i = 0; i < 4; i++) {
		gint own = 1000;

		assert_int_equal(read(report[0], &own, sizeof(own)), sizeof(own));
		won += own;
	}
	close(release[1]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	close(release[0]);
	close(report[0]);
	assert_int_equal(won, 33);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_settled_once),	 STORE_TEST(test_budget_holds),
	STORE_TEST(test_unknown_price),	 STORE_TEST(test_eight_threads),
	STORE_TEST(test_four_processes),
};
const Suite ledger_suite = { tests, G_N_ELEMENTS(tests) };
