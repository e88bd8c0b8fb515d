/* Questions, saved rules and the emergency stop, as rows. */
#include "test_store.h"

#include "store/approvals.h"
#include "store/halt.h"
#include "store/rules.h"

#define HOUR_US (3600 * (gint64)G_USEC_PER_SEC)

static SpkApproval *ask(SpkStore *store, const SpkLease *lease, const char *key,
			gint64 expires_us, const SpkAnswering *at_once)
{
	g_autoptr(json_t) decision = json_pack("{s:s}", "rule", "command.sensitive");
	const SpkApproval question = {
		.task = lease->task,
		.key = (char *)key,
		.tool = (char *)"shell",
		.line = (char *)"git push origin main",
		.hash = (char *)"00ff",
		.does = 5,
		.taint = (char *)"repository",
		.by_taint = 1,
		.decision = decision,
		.offer = (char *)"^git push origin main$",
		.expires_us = expires_us,
	};
	SpkApproval *row = NULL;

	assert_ok(spk_approvals_put(store, lease->token, &question, at_once, &row, ERR));
	assert_non_null(row);
	return row;
}

static guint count_entries(SpkStore *store, const char *task, const char *kind)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, task, 0, 0, NULL);
	guint n = 0;

	for (guint i = 0; i < entries->len; i++)
		n += !strcmp(((SpkJournalEntry *)entries->pdata[i])->kind, kind);
	return n;
}

static void test_asked_once(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) first = NULL;
	g_autoptr(SpkApproval) second = NULL;
	g_autoptr(SpkApproval) other = NULL;
	g_autoptr(SpkApproval) found = NULL;
	g_autoptr(GPtrArray) open = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	first = ask(f->store, lease, "0/0", 0, NULL);
	second = ask(f->store, lease, "0/0", 77, NULL);
	other = ask(f->store, lease, "0/1", 0, NULL);
	assert_string_equal(first->id, second->id);
	assert_string_not_equal(first->id, other->id);
	assert_int_equal(second->expires_us, 0);
	assert_int_equal(first->answer, SPK_ANSWER_OPEN);
	assert_int_equal(strlen(first->id), 5);
	assert_int_equal(count_entries(f->store, "task1", "approval.asked"), 2);
	assert_ok(spk_approvals_find(f->store, "task1", "0/0", "00ff", &found, ERR));
	assert_string_equal(found->line, "git push origin main");
	assert_string_equal(found->taint, "repository");
	assert_int_equal(found->does, 5);
	spk_approval_free(g_steal_pointer(&found));
	assert_ok(spk_approvals_find(f->store, "task1", "0/0", "other", &found, ERR));
	assert_null(found);
	open = spk_approvals_list(f->store, NULL, FALSE, NULL);
	assert_int_equal(open->len, 2);
}

static void test_only_its_holder_asks(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(json_t) decision = json_object();
	SpkApproval question = { .task = (char *)"task1",
				 .key = (char *)"0/0",
				 .tool = (char *)"shell",
				 .line = (char *)"x",
				 .hash = (char *)"h",
				 .taint = (char *)"operator",
				 .decision = decision };
	SpkApproval *row = NULL;
	GError *error = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	assert_false(spk_approvals_put(f->store, lease->token + 1, &question, NULL, &row,
				       &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	assert_int_equal(count_entries(f->store, "task1", "approval.asked"), 0);
}

static void test_answered_once(void **state)
{
	Fixture *f = *state;
	const SpkAnswering allow = { .answer = SPK_ANSWER_ALLOW_ONCE,
				     .by = "ann",
				     .how = "command",
				     .note = "fine" };
	const SpkAnswering deny = { .answer = SPK_ANSWER_DENY,
				    .by = "bob",
				    .how = "terminal" };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) asked = NULL;
	g_autoptr(SpkApproval) after = NULL;
	g_autoptr(GPtrArray) open = NULL;
	GError *error = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	asked = ask(f->store, lease, "0/0", 0, NULL);
	assert_ok(spk_approvals_answer(f->store, asked->id, &allow, &after, ERR));
	assert_int_equal(after->answer, SPK_ANSWER_ALLOW_ONCE);
	assert_string_equal(after->by, "ann");
	assert_string_equal(after->note, "fine");
	assert_false(spk_approvals_answer(f->store, asked->id, &deny, NULL, &error));
	assert_non_null(strstr(error->message, "allow_once, by ann (command)"));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_int_equal(count_entries(f->store, "task1", "approval.answered"), 1);
	open = spk_approvals_list(f->store, "task1", FALSE, NULL);
	assert_int_equal(open->len, 0);
	assert_false(spk_approvals_answer(f->store, "nope", &deny, NULL, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
}

static void test_answered_as_it_is_asked(void **state)
{
	Fixture *f = *state;
	const SpkAnswering yes = { .answer = SPK_ANSWER_ALLOW_ONCE,
				   .by = "ann",
				   .how = "-y" };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) row = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	row = ask(f->store, lease, "0/0", 0, &yes);
	assert_string_equal(row->how, "-y");
	assert_int_equal(count_entries(f->store, "task1", "approval.asked"), 1);
	assert_int_equal(count_entries(f->store, "task1", "approval.answered"), 1);
}

static void test_time_out_refuses(void **state)
{
	Fixture *f = *state;
	const SpkAnswering allow = { .answer = SPK_ANSWER_ALLOW_ONCE,
				     .by = "ann",
				     .how = "command" };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) asked = NULL;
	g_autoptr(SpkApproval) never = NULL;
	g_autoptr(SpkApproval) after = NULL;
	g_autoptr(GPtrArray) open = NULL;
	GError *error = NULL;
	gint64 next = 0;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	never = ask(f->store, lease, "0/0", 0, NULL);
	assert_ok(spk_approvals_next_expiry(f->store, &next, ERR));
	assert_int_equal(next, 0);
	asked = ask(f->store, lease, "0/1", spk_now_us() + HOUR_US, NULL);
	assert_ok(spk_approvals_next_expiry(f->store, &next, ERR));
	assert_int_equal(next, asked->expires_us);
	clock_add_ms(-7200 * 1000); /* a clock that is set back asks no earlier */
	assert_ok(spk_approvals_expire(f->store, ERR));
	clock_add_ms(7200 * 1000 + 3599 * 1000);
	assert_ok(spk_approvals_expire(f->store, ERR));
	open = spk_approvals_list(f->store, NULL, FALSE, NULL);
	assert_int_equal(open->len, 2);
	clock_add_ms(1000);
	assert_false(spk_approvals_answer(f->store, asked->id, &allow, NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	after = spk_approvals_get(f->store, asked->id, NULL);
	assert_int_equal(after->answer, SPK_ANSWER_EXPIRED);
	assert_string_equal(after->how, "time-out");
	assert_ok(spk_approvals_next_expiry(f->store, &next, ERR));
	assert_int_equal(next, 0);
	assert_int_equal(count_entries(f->store, "task1", "approval.answered"), 1);
}

static void test_end_of_task_withdraws(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) asked = NULL;
	g_autoptr(SpkApproval) after = NULL;
	g_autoptr(SpkApproval) again = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	walk_to(f->store, lease, SPK_STATE_RUNNING);
	asked = ask(f->store, lease, "0/0", 0, NULL);
	assert_ok(spk_task_move(f->store, "task1", lease->token, SPK_STATE_RUNNING,
				SPK_STATE_CANCELLED, NULL, ERR));
	after = spk_approvals_get(f->store, asked->id, NULL);
	assert_int_equal(after->answer, SPK_ANSWER_WITHDRAWN);
	assert_string_equal(after->how, "task ended");
	/* one that goes on asks again, under the same id */
	again = ask(f->store, lease, "0/0", 0, NULL);
	assert_string_equal(again->id, asked->id);
	assert_int_equal(again->answer, SPK_ANSWER_OPEN);
	assert_null(again->by);
	assert_int_equal(count_entries(f->store, "task1", "approval.asked"), 2);
}

static SpkState next_claimed(SpkStore *store)
{
	g_autoptr(SpkLease) lease = spk_lease_claim_next(store, spk_holder_self(), NULL);
	g_autoptr(SpkTask) task = lease ? spk_task_get(store, lease->task, NULL) : NULL;

	if (lease)
		assert_ok(spk_lease_release(store, lease, ERR));
	return task ? task->status : SPK_N_STATES;
}

static void test_taken_up_when_answered(void **state)
{
	Fixture *f = *state;
	const SpkAnswering deny = { .answer = SPK_ANSWER_DENY,
				    .by = "ann",
				    .how = "command" };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) asked = NULL;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	walk_to(f->store, lease, SPK_STATE_RUNNING);
	asked = ask(f->store, lease, "0/0", spk_now_us() + HOUR_US, NULL);
	assert_ok(spk_task_move(f->store, "task1", lease->token, SPK_STATE_RUNNING,
				SPK_STATE_WAITING, NULL, ERR));
	assert_ok(spk_lease_release(f->store, lease, ERR));
	assert_int_equal(next_claimed(f->store), SPK_N_STATES);
	assert_ok(spk_approvals_answer(f->store, asked->id, &deny, NULL, ERR));
	assert_int_equal(next_claimed(f->store), SPK_STATE_WAITING);
}

static void test_answer_saves_a_rule(void **state)
{
	Fixture *f = *state;
	const SpkAnswering rule = { .answer = SPK_ANSWER_ALLOW_RULE,
				    .by = "ann",
				    .how = "terminal",
				    .rule = "^git push .*$",
				    .spark = "coder",
				    .repo = "/r" };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(SpkApproval) asked = NULL;
	g_autoptr(GPtrArray) here = NULL;
	g_autoptr(GPtrArray) elsewhere = NULL;
	const SpkRule *saved;

	add_task(f->store, "task1");
	lease = hold(f->store, "task1");
	asked = ask(f->store, lease, "0/0", 0, NULL);
	assert_ok(spk_approvals_answer(f->store, asked->id, &rule, NULL, ERR));
	here = spk_rules_for(f->store, "coder", "/r", NULL);
	elsewhere = spk_rules_for(f->store, "coder", "/other", NULL);
	assert_int_equal(here->len, 1);
	assert_int_equal(elsewhere->len, 0);
	saved = here->pdata[0];
	assert_string_equal(saved->pattern, "^git push .*$");
	assert_string_equal(saved->taint, "repository");
	assert_string_equal(saved->question, asked->id);
	assert_string_equal(saved->by, "ann");
}

static void test_rules(void **state)
{
	Fixture *f = *state;
	SpkRule rule = { .allow = 1, .pattern = (char *)"make", .by = (char *)"ann" };
	g_autofree char *first = NULL;
	g_autofree char *again = NULL;
	g_autofree char *other = NULL;
	g_autoptr(SpkRule) was = NULL;
	g_autoptr(GPtrArray) list = NULL;
	GError *error = NULL;

	assert_ok(spk_rules_add(f->store, &rule, &first, ERR));
	rule.taint = (char *)"outside";
	assert_ok(spk_rules_add(f->store, &rule, &again, ERR));
	assert_string_equal(first, again);
	rule.taint = (char *)"operator"; /* weakens nothing */
	assert_ok(spk_rules_add(f->store, &rule, NULL, ERR));
	rule.allow = 0;
	assert_ok(spk_rules_add(f->store, &rule, &other, ERR));
	assert_string_not_equal(first, other);
	assert_ok(spk_rules_used(f->store, first, ERR));
	assert_ok(spk_rules_used(f->store, first, ERR));
	assert_ok(spk_rules_drop(f->store, first, &was, ERR));
	assert_int_equal(was->uses, 2);
	assert_true(was->used_us > 0);
	assert_string_equal(was->taint, "outside");
	assert_false(spk_rules_drop(f->store, first, NULL, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	list = spk_rules_list(f->store, NULL);
	assert_int_equal(list->len, 1);
}

static void test_halt(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkHalt) halt = NULL;
	gboolean was = TRUE;
	GError *error = NULL;

	add_task(f->store, "task1");
	assert_ok(spk_halt_check(f->store, ERR));
	assert_ok(spk_halt_set(f->store, "ann", "smoke", &was, ERR));
	assert_false(was);
	assert_ok(spk_halt_set(f->store, "bob", NULL, &was, ERR));
	assert_true(was);
	assert_ok(spk_halt_find(f->store, &halt, ERR));
	assert_string_equal(halt->by, "ann");
	assert_false(spk_halt_check(f->store, &error));
	assert_non_null(strstr(error->message, "by ann (smoke)"));
	assert_failed(&error, SPK_ERR_POLICY);
	assert_int_equal(next_claimed(f->store), SPK_N_STATES);
	assert_ok(spk_halt_lift(f->store, &was, ERR));
	assert_true(was);
	assert_ok(spk_halt_lift(f->store, &was, ERR));
	assert_false(was);
	assert_int_equal(next_claimed(f->store), SPK_STATE_QUEUED);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_asked_once),
	STORE_TEST(test_only_its_holder_asks),
	STORE_TEST(test_answered_once),
	STORE_TEST(test_answered_as_it_is_asked),
	STORE_TEST(test_time_out_refuses),
	STORE_TEST(test_end_of_task_withdraws),
	STORE_TEST(test_taken_up_when_answered),
	STORE_TEST(test_answer_saves_a_rule),
	STORE_TEST(test_rules),
	STORE_TEST(test_halt),
};
const Suite approvals_suite = { tests, G_N_ELEMENTS(tests) };
