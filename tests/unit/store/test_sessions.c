/* Chat sessions: rows, turns that are tasks, and what became of a turn's changes. */
#include "test_store.h"

#include "store/sessions.h"

static void add_session(SpkStore *store, const char *id, const char *repo)
{
	SpkChatRow row = { .id = (char *)id,
			   .repo = (char *)repo,
			   .spark = (char *)"coder" };

	assert_ok(spk_session_insert(store, &row, ERR));
}

static gboolean add_turn(SpkStore *store, const char *session, const char *id,
			 const char *goal, GError **error)
{
	SpkTask task = { .id = (char *)id,
			 .goal = (char *)goal,
			 .spark = (char *)"coder",
			 .repo = (char *)"/r",
			 .apart = 1 };

	return spk_session_add_turn(store, session, &task, error);
}

static void test_row_comes_back(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) options = json_pack("{s:i}", "max_steps", 7);
	SpkChatRow row = { .id = (char *)"aaaa00000001",
			   .repo = (char *)"/r",
			   .spark = (char *)"scout",
			   .model = (char *)"small",
			   .options = options };
	g_autoptr(SpkChatRow) got = NULL;
	g_autoptr(GError) error = NULL;

	assert_ok(spk_session_insert(f->store, &row, ERR));
	got = spk_session_get(f->store, "AAAA", NULL);
	assert_non_null(got);
	assert_string_equal(got->id, "aaaa00000001");
	assert_string_equal(got->repo, "/r");
	assert_string_equal(got->spark, "scout");
	assert_string_equal(got->model, "small");
	assert_string_equal(got->title, "");
	assert_true(json_equal(got->options, options));
	assert_int_equal(got->turns, 0);
	assert_false(spk_session_insert(f->store, &row, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

static void test_names_of_sessions(void **state)
{
	Fixture *f = *state;
	const SpkChatRow nobody = { .id = (char *)"bbbb", .spark = (char *)"coder" };
	g_autoptr(GError) error = NULL;

	add_session(f->store, "aaaa00000001", "/r");
	add_session(f->store, "aaaa00000002", "/r");
	assert_null(spk_session_get(f->store, "aaaa", &error));
	assert_failed(&error, SPK_ERR_USAGE);
	assert_null(spk_session_get(f->store, "aaa", &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_null(spk_session_get(f->store, "bbbb", &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_false(spk_session_set(f->store, &nobody, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
}

static void test_turns_are_tasks(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkChatRow) row = NULL;
	g_autoptr(GPtrArray) turns = NULL, first = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *session = NULL;
	const SpkChatTurn *turn;
	gint64 number;

	add_session(f->store, "aaaa00000001", "/r");
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000001", " \nhello\nthere",
			   ERR));
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000002", "again", ERR));
	row = spk_session_get(f->store, "aaaa00000001", NULL);
	assert_string_equal(row->title, "hello");
	assert_int_equal(row->turns, 2);
	turns = spk_session_turns(f->store, row->id, 0, 0, NULL);
	assert_int_equal(turns->len, 2);
	turn = turns->pdata[1];
	assert_int_equal(turn->turn, 2);
	assert_string_equal(turn->task->goal, "again");
	assert_int_equal(turn->decision, SPK_DECISION_NONE);
	first = spk_session_turns(f->store, row->id, 2, 5, NULL);
	assert_int_equal(first->len, 1);
	assert_ok(spk_session_of_task(f->store, "bbbb00000002", &session, &number, ERR));
	assert_string_equal(session, "aaaa00000001");
	assert_int_equal(number, 2);
	/* neither a task without its turn, nor the reverse */
	assert_false(add_turn(f->store, "cccc", "bbbb00000003", "x", &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_null(spk_task_get(f->store, "bbbb00000003", NULL));
	assert_false(add_turn(f->store, row->id, "bbbb00000001", "x", &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	spk_chat_row_free(g_steal_pointer(&row));
	row = spk_session_get(f->store, "aaaa00000001", NULL);
	assert_int_equal(row->turns, 2);
	/* and no daemon takes it */
	assert_null(spk_lease_claim_next(f->store, spk_holder_self(), NULL));
}

static void test_totals(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t)
		fields = json_pack("{s:i,s:i,s:i,s:i,s:f,s:f}", "steps", 3, "tokens_in",
				   100, "tokens_out", 10, "tokens_cached", 50, "cost_usd",
				   0.25, "seconds", 1.5);
	SpkChatTotals totals;
	SpkLease *lease;

	add_session(f->store, "aaaa00000001", "/r");
	assert_ok(spk_session_totals(f->store, "aaaa00000001", 0, &totals, ERR));
	assert_int_equal(totals.turns, 0);
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000001", "x", ERR));
	lease = hold(f->store, "bbbb00000001");
	assert_ok(spk_task_update(f->store, lease->task, lease->token, fields, ERR));
	spk_lease_free(lease);
	assert_ok(spk_session_totals(f->store, "aaaa00000001", 0, &totals, ERR));
	assert_int_equal(totals.answers, 3);
	assert_int_equal(totals.tokens_in + totals.tokens_cached, 150);
	assert_true(totals.cost_usd == 0.25 && totals.seconds == 1.5);
	assert_false(totals.cost_is_partial);
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000002", "y", ERR));
	assert_ok(spk_session_totals(f->store, "aaaa00000001", 0, &totals, ERR));
	assert_int_equal(totals.turns, 2);
	assert_true(totals.cost_is_partial);
	assert_ok(spk_session_totals(f->store, "aaaa00000001", 2, &totals, ERR));
	assert_int_equal(totals.turns, 1);
	assert_false(totals.cost_is_partial);
}

static SpkChatDecision decide(SpkStore *store, const char *kind)
{
	g_autoptr(GPtrArray) turns = NULL;

	assert_ok(spk_journal_append(store, "bbbb00000001", 0, kind, SPK_EFFECT_PURE,
				     NULL, NULL, ERR));
	turns = spk_session_turns(store, "aaaa00000001", 0, 0, NULL);
	return ((SpkChatTurn *)turns->pdata[0])->decision;
}

static void test_the_last_word_counts(void **state)
{
	Fixture *f = *state;

	add_session(f->store, "aaaa00000001", "/r");
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000001", "x", ERR));
	assert_int_equal(decide(f->store, "apply.intent"), SPK_DECISION_NONE);
	assert_int_equal(decide(f->store, "apply.result"), SPK_DECISION_APPLIED);
	assert_int_equal(decide(f->store, "undo.result"), SPK_DECISION_UNDONE);
	assert_int_equal(decide(f->store, "refused"), SPK_DECISION_REFUSED);
	assert_int_equal(decide(f->store, "apply.result"), SPK_DECISION_APPLIED);
}

static void test_latest_used_first(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) here = NULL, all = NULL;

	add_session(f->store, "aaaa00000001", "/r");
	add_session(f->store, "aaaa00000002", "/r");
	add_session(f->store, "aaaa00000003", "/other");
	clock_add_ms(2);
	assert_ok(add_turn(f->store, "aaaa00000001", "bbbb00000001", "x", ERR));
	here = spk_session_list(f->store, "/r", 1, NULL);
	assert_int_equal(here->len, 1);
	assert_string_equal(((SpkChatRow *)here->pdata[0])->id, "aaaa00000001");
	all = spk_session_list(f->store, NULL, 0, NULL);
	assert_int_equal(all->len, 3);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_row_comes_back),    STORE_TEST(test_names_of_sessions),
	STORE_TEST(test_turns_are_tasks),   STORE_TEST(test_the_last_word_counts),
	STORE_TEST(test_latest_used_first), STORE_TEST(test_totals),
};
const Suite sessions_suite = { tests, G_N_ELEMENTS(tests) };
