/* Migrations: from nothing, and from every earlier version with rows in it. */
#include "test_memory.h"

#include "store/approvals.h"
#include "store/halt.h"
#include "store/knobs.h"
#include "store/memories.h"
#include "store/rules.h"
#include "store/sessions.h"

static gboolean add_line(const SpkDbValue *row, gpointer user, GError **error)
{
	g_string_append_printf(user, "%s\n",
			       row[0].type == SPK_DB_TEXT ? row[0].text : "");
	return TRUE;
}

static char *schema_of(SpkStore *store)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, NULL);

	assert_non_null(tx);
	assert_ok(spk_tx_each(tx, "SELECT sql FROM sqlite_master ORDER BY name", NULL,
			      add_line, text, ERR));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *path_of(const Fixture *f, int version)
{
	return g_strdup_printf("%s/v%d.db", f->folder, version);
}

/* Version 1 has tasks and journal: all that is needed for a row to carry along. */
static void make_old(const char *path, int version)
{
	g_autoptr(SpkStore) store = spk_store_open_as_is(path, "normal", 0, NULL);

	assert_non_null(store);
	assert_ok(spk_store_migrate(store, version, ERR));
	if (version > 0)
		add_task(store, "aaaa00000001");
}

static void check_migrated(const char *path, int from, const char *schema)
{
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, NULL);
	g_autofree char *now = NULL;
	g_autoptr(SpkTask) task = NULL;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GPtrArray) entries = NULL;

	assert_non_null(store);
	assert_int_equal(spk_store_schema_version(store), spk_store_newest);
	now = schema_of(store);
	assert_string_equal(now, schema);
	assert_ok(spk_store_check(store, ERR));
	if (from == 0)
		return;
	task = spk_task_get(store, "aaaa00000001", NULL);
	assert_non_null(task);
	assert_string_equal(task->goal, "mend it");
	entries = spk_journal_read(store, task->id, 0, 0, NULL);
	assert_int_equal(entries->len, 1);
	lease = hold(store, task->id);
	assert_ok(spk_journal_append(store, task->id, lease->token, "note",
				     SPK_EFFECT_PURE, NULL, NULL, ERR));
}

static void test_from_every_version(void **state)
{
	Fixture *f = *state;
	g_autofree char *schema = schema_of(f->store);

	assert_true(spk_store_newest >= 3);
	for (int version = 0; version < spk_store_newest; version++) {
		g_autofree char *path = path_of(f, version);

		make_old(path, version);
		check_migrated(path, version, schema);
	}
}

static void test_versions_are_real(void **state)
{
	Fixture *f = *state;

	for (int version = 0; version < spk_store_newest; version++) {
		g_autofree char *path = path_of(f, version);
		g_autoptr(SpkStore) store = NULL;
		g_autofree char *before = NULL, *after = NULL;

		make_old(path, version);
		store = spk_store_open_as_is(path, "normal", 0, NULL);
		assert_int_equal(spk_store_schema_version(store), version);
		before = schema_of(store);
		assert_ok(spk_store_migrate(store, version + 1, ERR));
		after = schema_of(store);
		assert_string_not_equal(before, after);
	}
}

static void test_migrating_twice_does_nothing(void **state)
{
	Fixture *f = *state;
	g_autofree char *before = schema_of(f->store), *after = NULL;

	assert_ok(spk_store_migrate(f->store, spk_store_newest, ERR));
	assert_ok(spk_store_migrate(f->store, 1, ERR));
	after = schema_of(f->store);
	assert_string_equal(before, after);
}

static void test_old_and_read_only(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;

	make_old(f->path, 1);
	assert_null(spk_store_open(f->path, "normal", SPK_STORE_READ_ONLY, &error));
	assert_failed(&error, SPK_ERR_READ_ONLY);
}

/* The schema itself refuses what the table of states does not know. */
static void test_status_is_checked(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkTx) tx = spk_tx_begin(f->store, SPK_TX_WRITE, NULL);
	g_autoptr(GError) error = NULL;

	assert_false(spk_tx_exec(
		tx,
		"INSERT INTO tasks (id, goal, spark, status, repo, options,"
		" created_us, updated_us) VALUES ('x', '', '', 'dreaming', '',"
		" '{}', 0, 0)",
		NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

/* ---- a backend around the real one that asks how each statement finds its rows ---- */

static GString *scans, *plans;

/* A step that reads all rows, or sorts them. Workers are few, and so are the checks of one
 * task. */
static gboolean is_slow(const char *step)
{
	if (strstr(step, "workers") || strstr(step, "knobs") || strstr(step, "rules") ||
	    strstr(step, "halt") || strstr(step, "memory_counters") ||
	    strstr(step, "CONSTANT ROW")) /* tables of a few rows */
		return FALSE;
	return (g_str_has_prefix(step, "SCAN") && !strstr(step, " USING ")) ||
	       strstr(step, "TEMP B-TREE");
}

static gboolean note_scan(const SpkDbValue *row, gpointer user, GError **error)
{
	const char *sql = user;

	/* id, parent, unused, detail */
	g_string_append_printf(plans, "%s\n", row[3].text);
	if (is_slow(row[3].text) && !strstr(sql, "FROM evidence"))
		g_string_append_printf(scans, "%s: %s\n", sql, row[3].text);
	return TRUE;
}

static gboolean explaining_run(SpkTx *tx, SpkDbQuery *query, GError **error)
{
	g_autofree char *sql = g_strconcat("EXPLAIN QUERY PLAN ", query->sql, NULL);
	SpkDbQuery plan = { .sql = sql,
			    .args = query->args,
			    .row = note_scan,
			    .user = (gpointer)query->sql };

	return spk_db_sqlite.run(tx, &plan, error) && spk_db_sqlite.run(tx, query, error);
}

static SpkDbImpl explaining;

static SpkTx *explaining_begin(SpkDb *db, SpkTxMode mode, GError **error)
{
	SpkTx *tx = spk_db_sqlite.begin(db, mode, error);

	if (tx)
		tx->impl = &explaining;
	return tx;
}

static void use_sessions(SpkStore *store)
{
	SpkChatRow row = { .id = (char *)"aaaa00000001",
			   .repo = (char *)"/r",
			   .spark = (char *)"coder" };
	SpkTask task = { .id = (char *)"bbbb00000001",
			 .goal = (char *)"g",
			 .spark = (char *)"coder",
			 .repo = (char *)"/r",
			 .apart = 1 };
	g_autofree char *session = NULL;
	SpkChatTotals totals;
	gint64 turn;

	assert_ok(spk_session_insert(store, &row, ERR));
	assert_ok(spk_session_add_turn(store, row.id, &task, ERR));
	assert_ok(spk_session_set(store, &row, ERR));
	spk_chat_row_free(spk_session_get(store, row.id, NULL));
	g_ptr_array_unref(spk_session_list(store, NULL, 20, NULL));
	g_ptr_array_unref(spk_session_list(store, "/r", 20, NULL));
	g_ptr_array_unref(spk_session_turns(store, row.id, 0, 20, NULL));
	assert_ok(spk_session_totals(store, row.id, 0, &totals, ERR));
	assert_ok(spk_session_of_task(store, task.id, &session, &turn, ERR));
}

static void use_knobs(SpkStore *store)
{
	gboolean was;

	assert_ok(spk_knob_put(store, "up.workers", "3", NULL, ERR));
	g_ptr_array_unref(spk_knob_rows(store, NULL));
	assert_ok(spk_knob_drop(store, "up.workers", &was, ERR));
	g_ptr_array_unref(spk_event_list(store, "KnobChange", 20, NULL));
}

static void use_ledger(SpkStore *store)
{
	SpkCall call = { .key = "k",
			 .task = "aaaa00000001",
			 .spark = "coder",
			 .repo = "/r",
			 .provider = "openai",
			 .model = "m",
			 .purpose = "main" };
	SpkBudget budget = { .day_tokens = 1000 };
	gint64 nano;

	assert_ok(spk_ledger_reserve(store, &call, &budget, ERR));
	assert_ok(spk_ledger_settle(store, &call, ERR));
	assert_ok(spk_ledger_task_cost(store, "aaaa00000001", &nano, ERR));
}

static void use_approvals(SpkStore *store, const SpkLease *lease)
{
	g_autoptr(json_t) decision = json_object();
	const SpkApproval question = { .task = lease->task,
				       .key = (char *)"0/0",
				       .tool = (char *)"shell",
				       .line = (char *)"x",
				       .hash = (char *)"h",
				       .taint = (char *)"operator",
				       .decision = decision };
	const SpkAnswering rule = {
		SPK_ANSWER_ALLOW_RULE, "ann", "command", NULL, "x", NULL, NULL
	};
	g_autoptr(SpkApproval) row = NULL;
	gint64 next;

	assert_ok(spk_approvals_put(store, lease->token, &question, NULL, &row, ERR));
	for (guint i = 0; i < 4; i++)
		g_ptr_array_unref(spk_approvals_list(store, i & 1 ? lease->task : NULL,
						     i & 2, NULL));
	spk_approval_free(spk_approvals_get(store, row->id, NULL));
	assert_ok(spk_approvals_next_expiry(store, &next, ERR));
	assert_ok(spk_approvals_answer(store, row->id, &rule, NULL, ERR));
	g_ptr_array_unref(spk_rules_for(store, "coder", "/r", NULL));
	assert_ok(spk_halt_check(store, ERR));
}

static gboolean hear(const SpkMemoryChange *change, gpointer user, GError **error)
{
	return TRUE;
}

static void use_memories(SpkStore *store)
{
	static const float vector[] = { 1 };
	static const char *const scopes[] = { "user", NULL };
	const SpkMemoryFilter filter = { scopes, NULL };
	const SpkMemoryList lists[] = {
		{ .state = -1, .limit = 9 },
		{ .state = 0, .limit = 9, .filter.scopes = scopes },
	};
	SpkMemoryRow row = { .id = (char *)"aaaa00000001",
			     .text = (char *)"a fact",
			     .kind = (char *)"fact",
			     .scope = (char *)"user",
			     .source = (char *)"user",
			     .model = (char *)"tiny",
			     .supersedes = (char *)"aaaa00000002" };
	SpkMemoryRow again = row;
	g_autoptr(SpkMemoryRow) found = NULL;
	SpkMemoryStamp stamp;
	gboolean was;

	again.id = (char *)"aaaa00000003";
	again.supersedes = NULL;
	assert_ok(spk_memories_put(store, &row, vector, 1, ERR));
	assert_ok(spk_memories_edit(store, &row, vector, 1, ERR));
	assert_ok(spk_memories_merge(store, row.id, &again, ERR));
	assert_ok(spk_memories_find(store, "aaaa00000003", &found, ERR));
	assert_ok(spk_memories_stamp(store, &stamp, ERR));
	assert_ok(spk_memories_since(store, 1, "tiny", hear, NULL, ERR));
	g_array_unref(spk_memories_match(store, "fact", NULL, 9, NULL, NULL));
	g_array_unref(spk_memories_match(store, "fact", &filter, 9, NULL, NULL));
	g_ptr_array_unref(spk_memories_by_num(store, &row.num, 1, NULL));
	g_ptr_array_unref(spk_memories_history(store, row.num, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		g_ptr_array_unref(spk_memories_list(store, &lists[i], NULL));
	assert_ok(spk_memories_retire(store, row.id, &was, ERR));
	assert_ok(spk_memories_forget(store, row.id, &was, ERR));
}

static void use_everything(SpkStore *store)
{
	g_autoptr(SpkLease) lease = spk_lease_claim_next(store, spk_holder_self(), NULL);
	g_autoptr(json_t) fields = json_pack("{s:i}", "steps", 3);
	SpkEvidence seen = { .phase = (char *)"before",
			     .command = (char *)"make",
			     .output_sha256 = (char *)"00" };
	g_autofree char *kind = NULL, *worker = NULL;
	gint64 until;

	assert_non_null(lease);
	assert_ok(spk_journal_append(store, lease->task, lease->token, "note",
				     SPK_EFFECT_PURE, NULL, NULL, ERR));
	g_ptr_array_unref(spk_journal_read(store, lease->task, 0, 9, NULL));
	assert_ok(spk_task_update(store, lease->task, lease->token, fields, ERR));
	walk_to(store, lease, SPK_STATE_SCANNED);
	spk_task_free(spk_task_get(store, lease->task, NULL));
	g_ptr_array_unref(spk_task_list(store, -1, 20, NULL));
	g_ptr_array_unref(spk_task_list(store, SPK_STATE_SCANNED, 20, NULL));
	assert_ok(spk_mail_post(store, lease->task, "note", NULL, ERR));
	assert_ok(spk_mail_peek(store, lease->task, &kind, ERR));
	g_clear_pointer(&kind, g_free);
	json_decref(spk_mail_take(store, lease->task, lease->token, &kind, NULL));
	assert_ok(spk_evidence_add(store, lease->task, lease->token, &seen, ERR));
	g_ptr_array_unref(spk_evidence_list(store, lease->task, NULL));
	assert_ok(spk_worker_register(store, spk_holder_self(), ERR));
	worker = spk_worker_find(store, NULL);
	assert_ok(spk_lease_next_expiry(store, &until, ERR));
	use_sessions(store);
	use_knobs(store);
	use_ledger(store);
	use_approvals(store, lease);
	use_memories(store);
	assert_ok(spk_lease_renew(store, lease, ERR));
	assert_ok(spk_lease_release(store, lease, ERR));
}

static gboolean note_unused(const SpkDbValue *row, gpointer user, GError **error)
{
	if (!strstr(plans->str, row[0].text))
		g_string_append_printf(user, "%s ", row[0].text);
	return TRUE;
}

static void find_unused_indexes(SpkStore *store, GString *unused)
{
	static const char *const sql =
		"SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
	SpkDbQuery query = { .sql = sql, .row = note_unused, .user = unused };
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, NULL);

	assert_ok(spk_db_sqlite.run(tx, &query, ERR));
}

/* What runs often must find its rows by an index, however long the history is, and every
 * index has to be worth its writes. */
static void test_queries_use_indexes(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) unused = g_string_new(NULL);

	add_task(f->store, "aaaa00000001");
	memory_put(f->store, "aaaa00000009",
		   "the first of all"); /* makes the words anew */
	explaining = spk_db_sqlite;
	explaining.begin = explaining_begin;
	explaining.run = explaining_run;
	f->store->impl = &explaining;
	scans = g_string_new(NULL);
	plans = g_string_new(NULL);
	use_everything(f->store);
	if (scans->len)
		fail_msg("these read a whole table:\n%s", scans->str);
	find_unused_indexes(f->store, unused);
	if (unused->len)
		fail_msg("no query uses %s", unused->str);
	g_string_free(scans, TRUE);
	g_string_free(plans, TRUE);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_from_every_version),
	FOLDER_TEST(test_versions_are_real),
	STORE_TEST(test_migrating_twice_does_nothing),
	FOLDER_TEST(test_old_and_read_only),
	STORE_TEST(test_status_is_checked),
	STORE_TEST(test_queries_use_indexes),
};
const Suite schema_suite = { tests, G_N_ELEMENTS(tests) };
