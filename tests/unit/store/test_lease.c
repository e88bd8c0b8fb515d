/* Leases: who may take a task, and that a stale token writes nothing. */
#include "test_store.h"

#include "store/approvals.h"

#define TASK "aaaa00000001"
/* Cannot be looked up from here, so it counts as alive until its time is over. */
#define ELSEWHERE "another-boot/1/77/88"

static void test_claim_and_release(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) first = NULL, second = NULL;
	g_autoptr(SpkTask) held = NULL, given_back = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, TASK);
	first = hold(f->store, TASK);
	assert_true(first->token > 0);
	held = spk_task_get(f->store, TASK, NULL);
	assert_string_equal(held->holder, spk_holder_self());
	assert_int_equal(held->lease_until_us, spk_now_us() + SPK_LEASE_MS * 1000);
	assert_null(spk_lease_claim(f->store, TASK, ELSEWHERE, &error));
	assert_failed(&error, SPK_ERR_BUSY);
	/* nor twice by the same process: its threads are rivals too */
	assert_null(spk_lease_claim(f->store, TASK, spk_holder_self(), &error));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_ok(spk_lease_release(f->store, first, ERR));
	given_back = spk_task_get(f->store, TASK, NULL);
	assert_null(given_back->holder);
	second = spk_lease_claim(f->store, TASK, ELSEWHERE, NULL);
	assert_non_null(second);
	assert_true(second->token > first->token);
}

static void test_claim_errors(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GError) error = NULL;

	assert_null(spk_lease_claim(f->store, "nobody", ELSEWHERE, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	walk_to(f->store, lease, SPK_STATE_CANCELLED);
	assert_ok(spk_lease_release(f->store, lease, ERR));
	assert_null(spk_lease_claim(f->store, TASK, ELSEWHERE, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

static void test_expires_by_the_clock(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) theirs = NULL, ours = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, TASK);
	theirs = spk_lease_claim(f->store, TASK, ELSEWHERE, NULL);
	clock_add_ms(SPK_LEASE_MS - 1);
	assert_null(spk_lease_claim(f->store, TASK, spk_holder_self(), &error));
	assert_failed(&error, SPK_ERR_BUSY);
	clock_add_ms(2);
	/* nobody has taken it yet: the old holder may still write and renew */
	assert_ok(spk_journal_append(f->store, TASK, theirs->token, "note",
				     SPK_EFFECT_PURE, NULL, NULL, ERR));
	ours = hold(f->store, TASK);
	assert_true(ours->token > theirs->token);
}

static void test_renewal_keeps_it(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) theirs = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, TASK);
	theirs = spk_lease_claim(f->store, TASK, ELSEWHERE, NULL);
	for (int i = 0; i < 4; i++) {
		clock_add_ms(SPK_LEASE_MS - 100);
		assert_ok(spk_lease_renew(f->store, theirs, ERR));
	}
	assert_null(spk_lease_claim(f->store, TASK, spk_holder_self(), &error));
	assert_failed(&error, SPK_ERR_BUSY);
}

static void test_dead_process(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = dead_holder();
	g_autoptr(SpkLease) theirs = NULL, ours = NULL;

	add_task(f->store, TASK);
	theirs = spk_lease_claim(f->store, TASK, gone, NULL);
	assert_non_null(theirs);
	ours = hold(f->store, TASK); /* at once, the clock has not moved */
	assert_true(ours->token > theirs->token);
}

/* Every write of a holder, tried with a token that another one has made stale. */
static void test_stale_token_writes_nothing(void **state)
{
	Fixture *f = *state;
	SpkStore *store = f->store;
	g_autoptr(json_t) fields = json_pack("{s:s}", "summary", "stale");
	SpkEvidence seen = { .phase = (char *)"after",
			     .command = (char *)"make",
			     .output_sha256 = (char *)"00" };
	g_autoptr(SpkLease) old = NULL, current = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(GPtrArray) entries = NULL, evidence = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *kind = NULL;

	add_task(store, TASK);
	assert_ok(spk_mail_post(store, TASK, "note", NULL, ERR));
	old = spk_lease_claim(store, TASK, ELSEWHERE, NULL);
	clock_add_ms(SPK_LEASE_MS + 1);
	current = hold(store, TASK);
	assert_false(spk_journal_append(store, TASK, old->token, "note", SPK_EFFECT_PURE,
					NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_task_update(store, TASK, old->token, fields, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_task_move(store, TASK, old->token, SPK_STATE_QUEUED,
				   SPK_STATE_SCANNED, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_evidence_add(store, TASK, old->token, &seen, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_null(spk_mail_take(store, TASK, old->token, &kind, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_lease_renew(store, old, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_lease_release(store, old, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	/* nothing of it happened, and the holder is undisturbed */
	entries = spk_journal_read(store, TASK, 0, 0, NULL);
	assert_int_equal(entries->len, 1);
	evidence = spk_evidence_list(store, TASK, NULL);
	assert_int_equal(evidence->len, 0);
	task = spk_task_get(store, TASK, NULL);
	assert_int_equal(task->status, SPK_STATE_QUEUED);
	assert_null(task->summary);
	assert_ok(spk_mail_peek(store, TASK, &kind, ERR));
	assert_string_equal(kind, "note");
	assert_ok(spk_lease_renew(store, current, ERR));
}

static void test_released_token_is_stale(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(json_t) fields = json_pack("{s:i}", "steps", 1);
	g_autoptr(GError) error = NULL;

	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	assert_ok(spk_lease_release(f->store, lease, ERR));
	assert_false(spk_task_update(f->store, TASK, lease->token, fields, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	/* and guessing what came next does not help: nobody holds it */
	assert_false(spk_task_update(f->store, TASK, lease->token + 1, fields, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_false(spk_task_update(f->store, TASK, 0, fields, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
}

static void test_next_takes_the_oldest(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) first = NULL, second = NULL, third = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "zzzz00000001");
	add_task(f->store, "aaaa00000002");
	first = spk_lease_claim_next(f->store, ELSEWHERE, &error);
	second = spk_lease_claim_next(f->store, spk_holder_self(), &error);
	third = spk_lease_claim_next(f->store, spk_holder_self(), &error);
	assert_string_equal(first->task, "zzzz00000001");
	assert_string_equal(second->task, "aaaa00000002");
	assert_null(third);
	assert_null(error);
}

static void ask(SpkStore *store, const SpkLease *lease)
{
	g_autoptr(json_t) decision = json_object();
	const SpkApproval question = { .task = lease->task,
				       .key = (char *)"0/0",
				       .tool = (char *)"shell",
				       .line = (char *)"x",
				       .hash = (char *)"h",
				       .taint = (char *)"operator",
				       .decision = decision };
	g_autoptr(SpkApproval) row = NULL;

	assert_ok(spk_approvals_put(store, lease->token, &question, NULL, &row, ERR));
}

static void test_next_leaves_out(void **state)
{
	static const SpkState leave[] = { SPK_STATE_PAUSED, SPK_STATE_WAITING,
					  SPK_STATE_DONE };
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(leave); i++) {
		g_autofree char *id = g_strdup_printf("task0000000%zu", i);
		g_autoptr(SpkLease) lease = NULL;

		add_task(f->store, id);
		lease = hold(f->store, id);
		walk_to(f->store, lease, leave[i]);
		if (leave[i] == SPK_STATE_WAITING)
			ask(f->store, lease);
		assert_ok(spk_lease_release(f->store, lease, ERR));
	}
	assert_null(spk_lease_claim_next(f->store, ELSEWHERE, &error));
	assert_null(error);
}

/* One that stands apart waits for who names it, also when its holder is gone. */
static void test_next_leaves_what_stands_apart(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = dead_holder();
	SpkTask given = { .id = (char *)TASK,
			  .goal = (char *)"mend it",
			  .spark = (char *)"coder",
			  .repo = (char *)"/",
			  .apart = 1 };
	g_autoptr(SpkLease) by_name = NULL, next = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(GError) error = NULL;
	gint64 until = -1;

	assert_ok(spk_task_insert(f->store, &given, ERR));
	task = spk_task_get(f->store, TASK, NULL);
	assert_int_equal(task->apart, 1);
	assert_null(spk_lease_claim_next(f->store, ELSEWHERE, &error));
	assert_null(error);
	by_name = spk_lease_claim(f->store, TASK, gone, NULL);
	assert_non_null(by_name);
	assert_null(spk_lease_claim_next(f->store, ELSEWHERE, &error));
	assert_ok(spk_lease_next_expiry(f->store, &until, ERR));
	assert_int_equal(until, 0);
	assert_ok(spk_task_set_apart(f->store, TASK, FALSE, ERR));
	next = spk_lease_claim_next(f->store, ELSEWHERE, &error);
	assert_string_equal(next->task, TASK);
	assert_false(spk_task_set_apart(f->store, TASK, TRUE, &error));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_false(spk_task_set_apart(f->store, "nobody", TRUE, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
}

static void test_next_inherits(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = dead_holder();
	g_autoptr(SpkLease) a = NULL, b = NULL, from_dead = NULL, from_expired = NULL;

	add_task(f->store, "aaaa00000001");
	add_task(f->store, "bbbb00000002");
	a = spk_lease_claim(f->store, "aaaa00000001", ELSEWHERE, NULL);
	b = spk_lease_claim(f->store, "bbbb00000002", gone, NULL);
	assert_non_null(b);
	from_dead = spk_lease_claim_next(f->store, spk_holder_self(), NULL);
	assert_string_equal(from_dead->task, "bbbb00000002");
	clock_add_ms(SPK_LEASE_MS + 1);
	from_expired = spk_lease_claim_next(f->store, spk_holder_self(), NULL);
	assert_string_equal(from_expired->task, "aaaa00000001");
	assert_true(from_expired->token > a->token);
}

static void test_next_expiry(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) early = NULL, late = NULL;
	gint64 until = -1, wanted;

	add_task(f->store, "aaaa00000001");
	add_task(f->store, "bbbb00000002");
	assert_ok(spk_lease_next_expiry(f->store, &until, ERR));
	assert_int_equal(until, 0);
	/* our own ones count: a task that could not be moved on keeps its lease */
	early = hold(f->store, "aaaa00000001");
	wanted = spk_now_us() + SPK_LEASE_MS * 1000;
	clock_add_ms(100);
	late = spk_lease_claim(f->store, "bbbb00000002", ELSEWHERE, NULL);
	assert_ok(spk_lease_next_expiry(f->store, &until, ERR));
	assert_int_equal(until, wanted);
	/* a paused one is nobody's to take over */
	assert_ok(spk_task_move(f->store, early->task, early->token, SPK_STATE_QUEUED,
				SPK_STATE_PAUSED, NULL, ERR));
	assert_ok(spk_lease_next_expiry(f->store, &until, ERR));
	assert_int_equal(until, wanted + 100000);
}

/* ---- rivals ---- */

enum { N_THREADS = 8, N_TASKS = 40 };

static gpointer claim_all(gpointer user)
{
	SpkStore *store = user;
	gsize won = 0;
	SpkLease *lease;

	while ((lease = spk_lease_claim_next(store, spk_holder_self(), NULL))) {
		won++;
		spk_lease_free(lease);
	}
	return GSIZE_TO_POINTER(won);
}

static void test_threads_share_the_queue(void **state)
{
	Fixture *f = *state;
	GThread *threads[N_THREADS];
	gsize won = 0;

	for (int i = 0; i < N_TASKS; i++) {
		g_autofree char *id = g_strdup_printf("task%08d", i);

		add_task(f->store, id);
	}
	for (int i = 0; i < N_THREADS; i++)
		threads[i] = g_thread_new("claim", claim_all, f->store);
	for (int i = 0; i < N_THREADS; i++)
		won += GPOINTER_TO_SIZE(g_thread_join(threads[i]));
	assert_int_equal(won, N_TASKS);
}

static gpointer claim_one(gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkLease)
		lease = spk_lease_claim(user, TASK, spk_holder_self(), &error);

	if (lease)
		return GINT_TO_POINTER(1);
	return spk_error_is(error, SPK_ERR_BUSY) ? NULL : GINT_TO_POINTER(100);
}

static void test_threads_want_one_task(void **state)
{
	Fixture *f = *state;
	GThread *threads[N_THREADS];
	int won = 0;

	add_task(f->store, TASK);
	for (int i = 0; i < N_THREADS; i++)
		threads[i] = g_thread_new("claim", claim_one, f->store);
	for (int i = 0; i < N_THREADS; i++)
		won += GPOINTER_TO_INT(g_thread_join(threads[i]));
	assert_int_equal(won, 1);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_claim_and_release),
	STORE_TEST(test_claim_errors),
	STORE_TEST(test_expires_by_the_clock),
	STORE_TEST(test_renewal_keeps_it),
	STORE_TEST(test_dead_process),
	STORE_TEST(test_stale_token_writes_nothing),
	STORE_TEST(test_released_token_is_stale),
	STORE_TEST(test_next_takes_the_oldest),
	STORE_TEST(test_next_leaves_out),
	STORE_TEST(test_next_leaves_what_stands_apart),
	STORE_TEST(test_next_inherits),
	STORE_TEST(test_next_expiry),
	STORE_TEST(test_threads_share_the_queue),
	STORE_TEST(test_threads_want_one_task),
};
const Suite lease_suite = { tests, G_N_ELEMENTS(tests) };
