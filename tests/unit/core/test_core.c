/* The core on a real store in a temporary SPARKS_HOME; tasks run in the plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "core/core.h"
#include "core/core_priv.h"

typedef struct {
	char *home;
	SpkConf *conf;
	SpkCore *core;
} Fixture;

static int setup(void **state)
{
	Fixture *fixture = g_new0(Fixture, 1);
	SpkConfSource source = { 0 };

	fixture->home = g_dir_make_tmp("sparks-core-XXXXXX", NULL);
	g_setenv("SPARKS_HOME", fixture->home, TRUE);
	g_assert(chdir(fixture->home) == 0);
	fixture->conf = spk_conf_load(&source, NULL);
	fixture->core = spk_core_open(fixture->conf, NULL);
	*state = fixture;
	return fixture->core ? 0 : -1;
}

static int teardown(void **state)
{
	Fixture *fixture = *state;

	spk_core_close(fixture->core);
	spk_conf_unref(fixture->conf);
	spk_fs_remove_tree(fixture->home, NULL);
	g_free(fixture->home);
	g_free(fixture);
	return 0;
}

static char *accept(Fixture *fixture, const char *goal, const char *spark, GError **error)
{
	g_autoptr(json_t) options = json_object();
	SpkRequest request = {
		.goal = goal, .spark = spark, .folder = fixture->home, .options = options
	};

	return spk_core_accept(fixture->core, &request, error);
}

static void assert_state(Fixture *fixture, const char *id, SpkState state)
{
	g_autoptr(SpkTask) task = spk_task_get(spk_core_store(fixture->core), id, NULL);

	assert_non_null(task);
	assert_string_equal(spk_state_name(task->status), spk_state_name(state));
}

static char *level_of(Fixture *fixture, const char *id)
{
	g_autoptr(SpkTask) task = spk_task_get(spk_core_store(fixture->core), id, NULL);
	const json_t *kept = json_object_get(task->options, "autonomy");

	assert_non_null(spk_json_str(kept, "from"));
	return g_strdup(spk_json_str(kept, "level"));
}

/* A part of a task never has more than the whole, whatever it asks for; and it has read what that
 * has read. */
static void test_parent_is_the_most(void **state)
{
	Fixture *fixture = *state;
	g_autoptr(json_t) low = json_pack("{s:s}", "level", "propose");
	g_autoptr(json_t)
		taint = json_pack("{s:s,s:s}", "taint", "outside", "source", "x");
	SpkRequest request = { .goal = "whole", .folder = fixture->home, .options = low };
	g_autofree char *parent = spk_core_accept(fixture->core, &request, NULL);
	g_autofree char *one = level_of(fixture, parent), *id = NULL, *other = NULL;
	g_autoptr(SpkTask) task = NULL;

	assert_string_equal(one, "propose");
	assert_true(spk_journal_append(spk_core_store(fixture->core), parent, 0, "taint",
				       SPK_EFFECT_PURE, taint, NULL, NULL));
	request =
		(SpkRequest){ .goal = "part", .folder = fixture->home, .parent = parent };
	id = spk_core_accept(fixture->core, &request, NULL);
	other = level_of(fixture, id);
	assert_string_equal(other, "propose");
	task = spk_task_get(spk_core_store(fixture->core), id, NULL);
	assert_string_equal(spk_json_str(json_object_get(task->options, "taint"),
					 "taint"),
			    "outside");
	request.parent = "nobody";
	assert_null(spk_core_accept(fixture->core, &request, NULL));
}

static SpkMemoryRow *memory_row(const char *id, const char *text, const char *task)
{
	SpkMemoryRow *row = g_new0(SpkMemoryRow, 1);

	row->id = g_strdup(id);
	row->text = g_strdup(text);
	row->kind = g_strdup("fact");
	row->scope = g_strdup("user");
	row->source = g_strdup("user");
	row->task = g_strdup(task);
	row->confidence = 1;
	return row;
}

/* A note that said again what was known goes with the others. */
static void test_unlearn_takes_merged_notes(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	g_autofree char *task = accept(fixture, "learn", NULL, NULL);
	g_autoptr(SpkMemoryRow) known = memory_row("known", "ports are 80", NULL);
	g_autoptr(SpkMemoryRow) again = memory_row("again", "the ports are 80", task);
	g_autoptr(SpkMemoryRow) row = NULL;
	g_auto(SpkUnlearned) unlearned = { 0 };

	assert_true(spk_core_cancel(fixture->core, task, NULL));
	assert_true(spk_memories_put(store, known, NULL, 0, NULL));
	assert_true(spk_memories_merge(store, "known", again, NULL));
	assert_true(spk_core_unlearn(fixture->core, task, &unlearned, NULL));
	assert_int_equal(unlearned.forgotten->len, 1);
	assert_string_equal(unlearned.forgotten->pdata[0], "again");
	assert_true(spk_memories_get(store, "again", &row, NULL));
	assert_null(row);
	assert_true(spk_memories_get(store, "known", &row, NULL));
	assert_int_equal(row->merged, 0);
}

/* A server of embeddings that is down is asked again by and by, without a memory being written. */
static void test_filler_tries_again(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	const char *words[] = { "embedding.provider=openai",
				"embedding.url=http://127.0.0.1:9/v1",
				"embedding.model=none", "embedding.timeout_secs=1",
				NULL };
	SpkConfSource source = { .overrides = words };
	SpkConf *conf = spk_conf_load(&source, NULL);
	g_autoptr(SpkMemoryRow) row = memory_row("a", "something", NULL);
	Filler *filler = filler_new(fixture->core);
	int due;

	assert_non_null(conf);
	spk_conf_unref(core_swap_conf(fixture->core, &fixture->core->conf, conf));
	assert_int_equal(filler_due(filler), -1);
	filler_start(filler);
	assert_int_equal(filler_due(filler), -1); /* there is nothing to do */
	assert_true(spk_memories_put(store, row, NULL, 0, NULL));
	filler_start(filler);
	for (int i = 0; i < 300 && filler_due(filler) == 60000; i++)
		g_usleep(100000);
	g_usleep(50000);
	due = filler_due(filler);
	assert_in_range(due, 1, 59999);
	filler_start(filler); /* only looks how it ended */
	due = filler_due(filler);
	assert_in_range(due, 1, 59999);
	filler_free(filler);
}

static void test_accept_refuses(void **state)
{
	g_autofree char *huge = g_strnfill(300000, 'x');
	const struct {
		const char *goal, *spark;
		SpkErr code;
	} rows[] = {
		{ "", NULL, SPK_ERR_USAGE },
		{ " \n\t", NULL, SPK_ERR_USAGE },
		{ "bad \xff utf-8", NULL, SPK_ERR_BAD_INPUT },
		{ huge, NULL, SPK_ERR_BAD_INPUT },
		{ "fine", "codre", SPK_ERR_NOT_FOUND },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(accept(*state, rows[i].goal, rows[i].spark, &error));
		assert_int_equal(spk_error_code(error), rows[i].code);
	}
}

static void test_unknown_spark_names_the_nearest(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(accept(*state, "fine", "codre", &error));
	assert_non_null(strstr(error->message, "did you mean \"coder\""));
}

/* Nobody runs it: cancel and pause act at once, resume gives it back to the queue. */
static void test_queued_task_is_moved_here(void **state)
{
	Fixture *fixture = *state;
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(GError) error = NULL;

	assert_state(fixture, id, SPK_STATE_QUEUED);
	assert_true(spk_core_pause(fixture->core, id, NULL));
	assert_state(fixture, id, SPK_STATE_PAUSED);
	assert_true(spk_core_resume(fixture->core, id, FALSE, NULL));
	assert_state(fixture, id, SPK_STATE_QUEUED);
	assert_true(spk_core_cancel(fixture->core, id, NULL));
	assert_state(fixture, id, SPK_STATE_CANCELLED);
	assert_false(spk_core_cancel(fixture->core, id, &error));
	assert_true(spk_error_is(error, SPK_ERR_CONFLICT));
	assert_true(spk_core_resume(fixture->core, id, FALSE, NULL));
	assert_state(fixture, id, SPK_STATE_QUEUED);
}

/* Apart or not is said anew each time a task goes on. */
static void test_resume_apart(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(SpkLease) taken = NULL;

	assert_true(spk_core_pause(fixture->core, id, NULL));
	assert_true(spk_core_resume(fixture->core, id, TRUE, NULL));
	assert_state(fixture, id, SPK_STATE_QUEUED);
	assert_null(spk_lease_claim_next(store, spk_holder_self(), NULL));
	assert_true(spk_core_resume(fixture->core, id, FALSE, NULL));
	taken = spk_lease_claim_next(store, spk_holder_self(), NULL);
	assert_non_null(taken);
	assert_string_equal(taken->task, id);
}

static void test_running_task_gets_mail(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(SpkLease) lease = spk_lease_claim(store, id, spk_holder_self(), NULL);
	g_autofree char *kind = NULL;

	assert_non_null(lease);
	assert_true(spk_core_cancel(fixture->core, id, NULL));
	assert_state(fixture, id, SPK_STATE_QUEUED);
	assert_true(spk_mail_peek(store, id, &kind, NULL));
	assert_string_equal(kind, "cancel");
}

/* The supervisor turns mail into the token's firing, well within a second. */
static void test_supervisor_hears_cancel(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(Held) held =
		held_new(spk_lease_claim(store, id, spk_holder_self(), NULL), NULL);
	Supervisor *supervisor = supervisor_new(store, fixture->home);
	struct pollfd fired = { .fd = spk_cancel_fd(held->cancel), .events = POLLIN };

	supervisor_add(supervisor, held);
	assert_int_equal(poll(&fired, 1, 300), 0);
	assert_true(spk_core_cancel(fixture->core, id, NULL));
	assert_int_equal(poll(&fired, 1, 5000), 1);
	assert_int_equal(held_wants(held), WANT_CANCEL);
	supervisor_remove(supervisor, held);
	supervisor_free(supervisor);
}

/* Cancel beats pause, pause beats drain, in whatever order they come. */
static void test_the_greater_wish_wins(void **state)
{
	static const Want wishes[][2] = {
		{ WANT_DRAIN, WANT_PAUSE },
		{ WANT_DRAIN, WANT_CANCEL },
		{ WANT_PAUSE, WANT_CANCEL },
	};

	for (gsize i = 0; i < 2 * G_N_ELEMENTS(wishes); i++) {
		const Want *wish = wishes[i / 2];
		g_autoptr(Held) held = held_new(NULL, NULL);
		g_autoptr(GError) error = NULL;

		assert_true(held_may_go_on(held, NULL));
		held_want(held, wish[i % 2]);
		held_want(held, wish[1 - i % 2]);
		assert_int_equal(held_wants(held), wish[1]);
		assert_false(held_may_go_on(held, &error));
		assert_true(spk_error_is(error, wish[1] == WANT_CANCEL
							? SPK_ERR_CANCELLED
							: SPK_ERR_WAITING));
	}
}

/* Heard by a holder that died; obeyed by the next; void once the user has resumed it. */
static void test_recall(void **state)
{
	Fixture *fixture = *state;
	SpkStore *store = spk_core_store(fixture->core);
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(json_t) pause = json_pack("{s:s}", "kind", "pause");
	g_autoptr(json_t) note = json_pack("{s:s}", "kind", "note");
	g_autoptr(Held) held = NULL;

	assert_true(spk_journal_append(store, id, 0, "mail", SPK_EFFECT_PURE, pause, NULL,
				       NULL));
	assert_true(spk_journal_append(store, id, 0, "mail", SPK_EFFECT_PURE, note, NULL,
				       NULL));
	held = held_new(spk_lease_claim(store, id, spk_holder_self(), NULL), NULL);
	assert_true(held_recall(held, store, NULL));
	assert_int_equal(held_wants(held), WANT_PAUSE);
	assert_true(spk_task_move(store, id, held->lease->token, SPK_STATE_QUEUED,
				  SPK_STATE_PAUSED, NULL, NULL));
	assert_true(spk_lease_release(store, held->lease, NULL));
	assert_true(spk_core_resume(fixture->core, id, FALSE, NULL));
	g_clear_pointer(&held, held_unref);
	held = held_new(spk_lease_claim(store, id, spk_holder_self(), NULL), NULL);
	assert_true(held_recall(held, store, NULL));
	assert_int_equal(held_wants(held), WANT_NOTHING);
	held_want(held, WANT_CANCEL);
	assert_true(spk_cancel_is_fired(held->cancel));
}

static void test_wake(void **state)
{
	Fixture *fixture = *state;
	spk_autofd int watch = wake_watch(fixture->home);
	struct pollfd wake = { .fd = watch, .events = POLLIN };
	g_autofree char *id = NULL;

	assert_true(watch >= 0);
	assert_int_equal(poll(&wake, 1, 0), 0);
	id = accept(fixture, "a goal", NULL, NULL);
	assert_non_null(id);
	assert_int_equal(poll(&wake, 1, 1000), 1);
	wake_drain(watch);
	assert_int_equal(poll(&wake, 1, 0), 0);
}

static void test_exit_codes(void **state)
{
	const struct {
		SpkState status;
		SpkVerdict verdict;
		const char *error;
		gboolean strict;
		int exit_code;
	} rows[] = {
		{ SPK_STATE_DONE, SPK_VERDICT_VERIFIED, NULL, FALSE, 0 },
		{ SPK_STATE_DONE, SPK_VERDICT_VERIFIED, NULL, TRUE, 0 },
		{ SPK_STATE_DONE, SPK_VERDICT_REGRESSION_ONLY, NULL, FALSE, 0 },
		{ SPK_STATE_DONE, SPK_VERDICT_REGRESSION_ONLY, NULL, TRUE, 3 },
		{ SPK_STATE_DONE, SPK_VERDICT_REVIEW, NULL, FALSE, 0 },
		{ SPK_STATE_DONE, SPK_VERDICT_REVIEW, NULL, TRUE, 3 },
		{ SPK_STATE_DONE, SPK_VERDICT_UNVERIFIED, NULL, FALSE, 3 },
		{ SPK_STATE_ROLLED_BACK, SPK_VERDICT_FAILED, NULL, FALSE, 1 },
		{ SPK_STATE_FAILED, SPK_VERDICT_NONE, NULL, FALSE, 1 },
		{ SPK_STATE_FAILED, SPK_VERDICT_NONE, "failed", FALSE, 1 },
		{ SPK_STATE_FAILED, SPK_VERDICT_NONE, "limit", FALSE, 75 },
		{ SPK_STATE_FAILED, SPK_VERDICT_NONE, "box_tier", FALSE, 77 },
		{ SPK_STATE_FAILED, SPK_VERDICT_NONE, "config", FALSE, 78 },
		{ SPK_STATE_PAUSED, SPK_VERDICT_NONE, NULL, FALSE, 4 },
		{ SPK_STATE_PAUSED, SPK_VERDICT_NONE, "provider_unavailable", FALSE, 69 },
		{ SPK_STATE_RUNNING, SPK_VERDICT_NONE, NULL, FALSE, 4 },
		{ SPK_STATE_QUEUED, SPK_VERDICT_NONE, NULL, TRUE, 4 },
		{ SPK_STATE_CANCELLED, SPK_VERDICT_NONE, NULL, FALSE, 130 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) error =
			rows[i].error ? json_pack("{s:s}", "code", rows[i].error) : NULL;
		SpkTask task = { .status = rows[i].status,
				 .verdict = rows[i].verdict,
				 .error = error };

		assert_int_equal(spk_core_exit_code(&task, rows[i].strict),
				 rows[i].exit_code);
	}
}

/* Every pinned key is there, absent values are null. */
static void test_report_keys(void **state)
{
	static const char *const keys[] = {
		"task",	    "goal",	"spark",	 "status",	"verdict",
		"verified", "reason",	"summary",	 "branch",	"commit",
		"base",	    "checks",	"files_changed", "risky_files", "steps",
		"tokens",   "cost_usd", "tier",		 "seconds",	"error",
		"critic",   "setup",	"memory",
	};
	Fixture *fixture = *state;
	g_autofree char *id = accept(fixture, "a goal", NULL, NULL);
	g_autoptr(SpkTask) task = spk_task_get(spk_core_store(fixture->core), id, NULL);
	g_autoptr(json_t) full = spk_core_report(fixture->core, task, FALSE, NULL);
	g_autoptr(json_t) brief = spk_core_report(fixture->core, task, TRUE, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		assert_non_null(json_object_get(full, keys[i]));
	assert_int_equal(json_object_size(full), G_N_ELEMENTS(keys));
	assert_null(json_object_get(brief, "checks"));
	assert_true(json_is_null(json_object_get(full, "commit")));
	assert_true(json_is_null(json_object_get(full, "cost_usd")));
	assert_true(json_is_false(json_object_get(full, "verified")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_accept_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filler_tries_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlearn_takes_merged_notes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_parent_is_the_most, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_spark_names_the_nearest,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_queued_task_is_moved_here, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_resume_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_running_task_gets_mail, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_supervisor_hears_cancel, setup,
						teardown),
		cmocka_unit_test(test_the_greater_wish_wins),
		cmocka_unit_test_setup_teardown(test_recall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test_setup_teardown(test_report_keys, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
