#include "test_store.h"

static void test_insert_and_get(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) options = json_pack("{s:[s,s],s:i}", "checks", "make test",
					      "./x y", "max_steps", 9);
	SpkTask given = {
		.id = (char *)"aaaa00000001",
		.goal = (char *)"Füge 日本語 🎉 hinzu\n\t\"quoted\" 'it' \\ %s",
		.spark = (char *)"coder",
		.repo = (char *)"/home/ü b",
		.label = (char *)"l",
		.options = options,
		.status = SPK_STATE_DONE, /* not the caller's to say */
		.created_us = 1234567,
	};
	g_autoptr(SpkTask) task = NULL;

	assert_ok(spk_task_insert(f->store, &given, ERR));
	task = spk_task_get(f->store, given.id, NULL);
	assert_non_null(task);
	assert_string_equal(task->id, given.id);
	assert_string_equal(task->goal, given.goal);
	assert_string_equal(task->repo, given.repo);
	assert_string_equal(task->label, "l");
	assert_true(json_equal(task->options, options));
	assert_int_equal(task->status, SPK_STATE_QUEUED);
	assert_int_equal(task->verdict, SPK_VERDICT_NONE);
	assert_int_equal(task->created_us, 1234567);
	assert_int_equal(task->finished_us, 0);
	assert_true(task->cost_usd < 0);
	assert_null(task->reason);
	assert_null(task->changes);
	assert_null(task->holder);
}

static void test_insert_is_journalled(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) entries = NULL;
	SpkJournalEntry *entry;

	add_task(f->store, "aaaa00000001");
	entries = spk_journal_read(f->store, "aaaa00000001", 0, 0, NULL);
	assert_int_equal(entries->len, 1);
	entry = entries->pdata[0];
	assert_int_equal(entry->seq, 1);
	assert_string_equal(entry->kind, "accepted");
	assert_string_equal(spk_json_str(entry->payload, "goal"), "mend it");
	assert_true(json_is_object(json_object_get(entry->payload, "options")));
}

static void test_id_is_taken(void **state)
{
	Fixture *f = *state;
	SpkTask again = { .id = (char *)"aaaa00000001",
			  .goal = (char *)"other",
			  .spark = (char *)"coder",
			  .repo = (char *)"/" };
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "aaaa00000001");
	assert_false(spk_task_insert(f->store, &again, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	entries = spk_journal_read(f->store, "aaaa00000001", 0, 0, NULL);
	assert_int_equal(entries->len, 1);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *given;
		const char *id; /* NULL: code */
		SpkErr code;
	} cases[] = {
		{ "aaaa00000001", "aaaa00000001" },
		{ "AAAA00000001", "aaaa00000001" },
		{ "aaaa000000", NULL, SPK_ERR_USAGE },
		{ "aaaa", NULL, SPK_ERR_USAGE },
		{ "bbbb", "bbbb00000003" },
		{ "bbb", NULL, SPK_ERR_NOT_FOUND },
		{ "", NULL, SPK_ERR_NOT_FOUND },
		{ "cccc", NULL, SPK_ERR_NOT_FOUND },
		{ "aaaa000000011", NULL, SPK_ERR_NOT_FOUND },
		{ "bbb%", NULL, SPK_ERR_NOT_FOUND },
		{ "bbbb00000003'; DROP TABLE tasks", NULL, SPK_ERR_NOT_FOUND },
	};
	Fixture *f = *state;

	add_task(f->store, "aaaa00000001");
	add_task(f->store, "aaaa00000002");
	add_task(f->store, "bbbb00000003");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkTask) task = spk_task_get(f->store, cases[i].given, &error);

		if (cases[i].id)
			assert_string_equal(task ? task->id : error->message,
					    cases[i].id);
		else
			assert_failed(&error, cases[i].code);
	}
}

/* A whole id wins over longer ones that begin with it. */
static void test_exact_beats_prefix(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTask) task = NULL;

	add_task(f->store, "aaaa1");
	add_task(f->store, "aaaa12");
	task = spk_task_get(f->store, "aaaa1", NULL);
	assert_non_null(task);
	assert_string_equal(task->id, "aaaa1");
}

static void test_list(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) all = NULL, two = NULL, queued = NULL, done = NULL;
	g_autoptr(SpkLease) lease = NULL;

	for (int i = 0; i < 5; i++) {
		g_autofree char *id = g_strdup_printf("task0000000%d", i);

		add_task(f->store, id);
	}
	lease = hold(f->store, "task00000002");
	walk_to(f->store, lease, SPK_STATE_DONE);
	all = spk_task_list(f->store, -1, 0, NULL);
	assert_int_equal(all->len, 5);
	assert_string_equal(((SpkTask *)all->pdata[0])->id, "task00000004");
	assert_string_equal(((SpkTask *)all->pdata[4])->id, "task00000000");
	two = spk_task_list(f->store, -1, 2, NULL);
	assert_int_equal(two->len, 2);
	queued = spk_task_list(f->store, SPK_STATE_QUEUED, 0, NULL);
	assert_int_equal(queued->len, 4);
	done = spk_task_list(f->store, SPK_STATE_DONE, 9, NULL);
	assert_int_equal(done->len, 1);
	assert_string_equal(((SpkTask *)done->pdata[0])->holder, spk_holder_self());
}

static void test_update(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) fields = json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:f,s:f,s:{s:[s]},s:{s:s},s:s}",
		"reason", "r", "summary", "s", "base", "b0", "branch", "sparks/x",
		"commit", "c0", "tier", "native", "steps", 7, "tokens_in", 1,
		"tokens_out", 2, "tokens_cached", 3, "cost_usd", 0.25, "seconds", 1.5,
		"changes", "files", "a.c", "error", "code", "io", "verdict", "review");
	g_autoptr(json_t)
		unset = json_pack("{s:n,s:n,s:n}", "summary", "cost_usd", "changes");
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkTask) task = NULL, later = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	clock_add_ms(5);
	assert_ok(spk_task_update(f->store, lease->task, lease->token, fields, ERR));
	task = spk_task_get(f->store, lease->task, NULL);
	assert_string_equal(task->reason, "r");
	assert_string_equal(task->base, "b0");
	assert_string_equal(task->commit, "c0");
	assert_string_equal(task->tier, "native");
	assert_int_equal(task->steps, 7);
	assert_int_equal(
		task->tokens_in + 10 * task->tokens_out + 100 * task->tokens_cached, 321);
	assert_true(task->cost_usd == 0.25 && task->seconds == 1.5);
	assert_true(json_equal(task->changes, json_object_get(fields, "changes")));
	assert_true(json_equal(task->error, json_object_get(fields, "error")));
	assert_int_equal(task->verdict, SPK_VERDICT_REVIEW);
	assert_true(task->updated_us > task->created_us);
	assert_ok(spk_task_update(f->store, lease->task, lease->token, unset, ERR));
	later = spk_task_get(f->store, lease->task, NULL);
	assert_null(later->summary);
	assert_null(later->changes);
	assert_true(later->cost_usd < 0);
	assert_string_equal(later->branch, "sparks/x");
}

static void test_update_refuses(void **state)
{
	static const char *const bad[] = {
		"{\"goal\":\"x\"}",
		"{\"status\":\"done\"}",
		"{\"nonsense\":1}",
		"{\"steps\":\"many\"}",
		"{\"steps\":null}",
		"{\"verdict\":\"great\"}",
		"{\"summary\":\"s\",\"id\":\"x\"}",
		"{\"seconds\":null}",
		"{\"tier\":3}",
	};
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkTask) task = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(json_t) fields = json_loads(bad[i], 0, NULL);
		g_autoptr(GError) error = NULL;

		assert_false(spk_task_update(f->store, lease->task, lease->token, fields,
					     &error));
		assert_failed(&error, SPK_ERR_INTERNAL);
	}
	task = spk_task_get(f->store, lease->task, NULL);
	assert_null(task->summary);
}

static void test_moves(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	assert_false(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_QUEUED,
				   SPK_STATE_DONE, NULL, &error));
	assert_failed(&error, SPK_ERR_INTERNAL);
	assert_false(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_ROUTED,
				   SPK_STATE_RUNNING, NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	walk_to(f->store, lease, SPK_STATE_RUNNING);
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_RUNNING,
				SPK_STATE_FAILED, "the model gave up", ERR));
	task = spk_task_get(f->store, lease->task, NULL);
	assert_int_equal(task->status, SPK_STATE_FAILED);
	assert_string_equal(task->reason, "the model gave up");
	assert_true(task->finished_us > 0);
	entries = spk_journal_read(f->store, lease->task, 1, 0, NULL);
	assert_int_equal(entries->len, 4);
	assert_string_equal(spk_json_str(((SpkJournalEntry *)entries->pdata[3])->payload,
					 "from"),
			    "running");
	assert_string_equal(spk_json_str(((SpkJournalEntry *)entries->pdata[3])->payload,
					 "to"),
			    "failed");
}

static void test_reason_of_a_state(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) fields = json_pack("{s:s}", "reason", "tests were changed");
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkTask) paused = NULL, going = NULL, done = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	walk_to(f->store, lease, SPK_STATE_RUNNING);
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_RUNNING,
				SPK_STATE_PAUSED, "asked to", ERR));
	paused = spk_task_get(f->store, lease->task, NULL);
	assert_string_equal(paused->reason, "asked to");
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_PAUSED,
				SPK_STATE_VERIFYING, NULL, ERR));
	going = spk_task_get(f->store, lease->task, NULL);
	assert_null(going->reason);
	assert_ok(spk_task_update(f->store, lease->task, lease->token, fields, ERR));
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_VERIFYING,
				SPK_STATE_DONE, NULL, ERR));
	done = spk_task_get(f->store, lease->task, NULL);
	assert_string_equal(done->reason, "tests were changed");
}

static void test_reopen(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) fields = json_pack("{s:{s:s}}", "error", "code", "cancelled");
	g_autoptr(SpkLease) lease = NULL;
	g_autofree char *mail = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	walk_to(f->store, lease, SPK_STATE_RUNNING);
	assert_ok(spk_task_update(f->store, lease->task, lease->token, fields, ERR));
	assert_ok(spk_mail_post(f->store, lease->task, "cancel", NULL, ERR));
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_RUNNING,
				SPK_STATE_CANCELLED, "asked to", ERR));
	assert_false(spk_task_reopen(f->store, lease->task, SPK_STATE_CANCELLED,
				     SPK_STATE_RUNNING, "again", &error));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_ok(spk_lease_release(f->store, lease, ERR));
	assert_false(spk_task_reopen(f->store, lease->task, SPK_STATE_PAUSED,
				     SPK_STATE_RUNNING, "again", &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_false(spk_task_reopen(f->store, lease->task, SPK_STATE_CANCELLED,
				     SPK_STATE_DONE, "again", &error));
	assert_failed(&error, SPK_ERR_INTERNAL);
	assert_ok(spk_task_reopen(f->store, lease->task, SPK_STATE_CANCELLED,
				  SPK_STATE_RUNNING, "again", ERR));
	task = spk_task_get(f->store, lease->task, NULL);
	assert_int_equal(task->status, SPK_STATE_RUNNING);
	assert_int_equal(task->finished_us, 0);
	assert_null(task->error);
	assert_string_equal(task->reason, "again");
	assert_ok(spk_mail_peek(f->store, lease->task, &mail, ERR));
	assert_null(mail);
	spk_lease_free(lease);
	lease = hold(f->store, "aaaa00000001");
}

/* An expired lease gives its task away; the token that is still out must not write. */
static void test_reopen_makes_tokens_stale(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	assert_ok(spk_task_move(f->store, lease->task, lease->token, SPK_STATE_QUEUED,
				SPK_STATE_PAUSED, NULL, ERR));
	clock_add_ms(SPK_LEASE_MS + 1);
	assert_ok(spk_task_reopen(f->store, lease->task, SPK_STATE_PAUSED,
				  SPK_STATE_QUEUED, NULL, ERR));
	assert_false(spk_journal_append(f->store, lease->task, lease->token, "note",
					SPK_EFFECT_PURE, NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
}

static void test_large_goal(void **state)
{
	Fixture *f = *state;
	g_autofree char *goal = g_strnfill(1 << 20, 'g');
	SpkTask given = { .id = (char *)"aaaa00000001",
			  .goal = goal,
			  .spark = (char *)"coder",
			  .repo = (char *)"/" };
	g_autoptr(SpkTask) task = NULL;

	assert_ok(spk_task_insert(f->store, &given, ERR));
	task = spk_task_get(f->store, "aaaa", NULL);
	assert_string_equal(task->goal, goal);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_insert_and_get),
	STORE_TEST(test_insert_is_journalled),
	STORE_TEST(test_id_is_taken),
	STORE_TEST(test_prefixes),
	STORE_TEST(test_exact_beats_prefix),
	STORE_TEST(test_list),
	STORE_TEST(test_update),
	STORE_TEST(test_update_refuses),
	STORE_TEST(test_moves),
	STORE_TEST(test_reason_of_a_state),
	STORE_TEST(test_reopen),
	STORE_TEST(test_reopen_makes_tokens_stale),
	STORE_TEST(test_large_goal),
};
const Suite tasks_suite = { tests, G_N_ELEMENTS(tests) };
