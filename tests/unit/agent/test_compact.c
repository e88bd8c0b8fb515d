/* Compaction: what stays, what goes, and that a task taken up says the same words again. */
#include "test_agent.h"

#include <string.h>
#include <unistd.h>

#include "agent/run_priv.h"
#include "base/fs.h"
#include "base/json.h"
#include "store/ledger.h"

#define TASK   "aaaa00000001"
#define WINDOW 1024
#define TURNS  12

typedef struct {
	char *home;
	SpkConf *conf;
	SpkStore *store;
	SpkLlm *llm;
	SpkLease *lease;
	SpkTask task;
} Fixture;

static int setup(void **state)
{
	static const char *const overrides[] = { "openai.context_window=1024", NULL };
	SpkConfSource source = { .overrides = overrides };
	Fixture *f = g_new0(Fixture, 1);
	g_autofree char *path = NULL, *play = NULL, *model = NULL;

	f->home = g_dir_make_tmp("sparks-agent-XXXXXX", NULL);
	g_setenv("SPARKS_HOME", f->home, TRUE);
	path = g_build_filename(f->home, "store.db", NULL);
	play = g_build_filename(f->home, "x.play", NULL);
	model = g_strconcat("script:", play, NULL);
	f->conf = spk_conf_load(&source, NULL);
	f->store = spk_store_open(path, "normal", 0, NULL);
	f->task = (SpkTask){ .id = (char *)TASK,
			     .goal = (char *)"g",
			     .spark = (char *)"coder",
			     .repo = (char *)"/" };
	*state = f;
	if (!spk_fs_write_atomic(play, "{\"play\":1}\n", 11, 0600, NULL) ||
	    !spk_task_insert(f->store, &f->task, NULL))
		return -1;
	f->llm = spk_llm_open(f->conf, model, NULL);
	f->lease = spk_lease_claim(f->store, TASK, spk_holder_self(), NULL);
	return f->llm && f->lease ? 0 : -1;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	spk_lease_free(f->lease);
	spk_llm_free(f->llm);
	spk_store_close(f->store);
	spk_conf_unref(f->conf);
	spk_fs_remove_tree(f->home, NULL);
	g_free(f->home);
	g_free(f);
	return 0;
}

/* A run with `turns` answers behind it, each with one call whose result has `size` bytes. */
static SpkRun *make_run(Fixture *f, guint turns, gsize size)
{
	SpkRun *run = g_new0(SpkRun, 1);
	g_autofree char *result = g_strnfill(size, 'r');

	run->env.conf = f->conf;
	run->env.store = f->store;
	run->env.llm = f->llm;
	run->env.task = &f->task;
	run->env.token = f->lease->token;
	run->recorded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)json_decref);
	run->messages = json_array();
	run_say(run, "system", "the rules");
	run_say(run, "user", "the goal");
	for (run->turn = 0; run->turn < turns; run->turn++) {
		g_autofree char *id = g_strdup_printf("call_%u", run->turn);

		json_array_append_new(run->messages,
				      json_pack("{s:s,s:s,s:[{s:s,s:s,s:{s:s,s:s}}]}",
						"role", "assistant", "content", "I act.",
						"tool_calls", "id", id, "type",
						"function", "function", "name", "shell",
						"arguments", "{}"));
		json_array_append_new(run->messages,
				      json_pack("{s:s,s:s,s:s}", "role", "tool",
						"tool_call_id", id, "content", result));
	}
	return run;
}

static const char *role(const SpkRun *run, gsize i)
{
	return spk_json_str(json_array_get(run->messages, i), "role");
}

/* The prefix stays, each result follows its call, and what is left fits. */
static void assert_sound(const SpkRun *run, gint64 most)
{
	gsize n = json_array_size(run->messages);

	assert_string_equal(role(run, 0), "system");
	assert_string_equal(role(run, 1), "user");
	for (gsize i = 2; i < n; i++) {
		const char *id =
			spk_json_str(json_array_get(run->messages, i), "tool_call_id");
		const json_t *calls;

		if (!id)
			continue;
		calls = json_object_get(json_array_get(run->messages, i - 1),
					"tool_calls");
		assert_string_equal(spk_json_str(json_array_get(calls, 0), "id"), id);
	}
	assert_true(spk_llm_estimate_tokens(run->messages) <= most);
}

static void test_leaves_alone_what_fits(void **state)
{
	g_autoptr(SpkRun) run = make_run(*state, 2, 100);
	gsize n = json_array_size(run->messages);

	assert_true(run_compact(run, FALSE, NULL));
	assert_int_equal(json_array_size(run->messages), n);
	assert_int_equal(g_hash_table_size(run->recorded), 0);
}

static void test_shrinks(void **state)
{
	g_autoptr(SpkRun) run = make_run(*state, TURNS, 300);
	gsize n = json_array_size(run->messages);
	g_autofree char *last = spk_json_canon(json_array_get(run->messages, n - 1));
	g_autofree char *still = NULL;

	assert_true(spk_llm_estimate_tokens(run->messages) > WINDOW);
	assert_true(run_compact(run, FALSE, NULL));
	assert_sound(run, WINDOW / 2);
	n = json_array_size(run->messages);
	still = spk_json_canon(json_array_get(run->messages, n - 1));
	assert_string_equal(still, last);
	/* nothing to do any more */
	assert_true(run_compact(run, FALSE, NULL));
	assert_int_equal(json_array_size(run->messages), n);
}

/* One result that alone is too much for the window goes too. */
static void test_one_giant_result(void **state)
{
	g_autoptr(SpkRun) run = make_run(*state, 2, 4000);

	assert_true(run_compact(run, TRUE, NULL));
	assert_string_equal(role(run, 1), "user");
	assert_true(spk_llm_estimate_tokens(run->messages) < 4000 / 4 + 200);
}

/* What is on record is done again, the same, whatever the window is by then. */
static void test_again_after_a_crash(void **state)
{
	for (int force = 0; force <= 1; force++) {
		g_autoptr(SpkRun) run = make_run(*state, TURNS, force ? 60 : 300);
		g_autoptr(SpkRun) later = make_run(*state, TURNS, force ? 60 : 300);
		g_autofree char *said = NULL, *again = NULL, *once_more = NULL;

		assert_true(run_compact(run, force, NULL));
		said = spk_json_canon(run->messages);
		g_hash_table_unref(later->recorded);
		later->recorded = g_hash_table_ref(run->recorded);
		run_compact_recorded(later);
		again = spk_json_canon(later->messages);
		assert_string_equal(again, said);
		/* cut off before the answer came: nothing is recorded twice */
		assert_true(run_compact(later, force, NULL));
		assert_int_equal(g_hash_table_size(later->recorded), 1);
		once_more = spk_json_canon(later->messages);
		assert_string_equal(once_more, said);
	}
}

/* The same with earlier turns of a chat before the goal. */
static SpkRun *make_chat(Fixture *f, guint turns, gsize size)
{
	SpkRun *run = make_run(f, turns, 300);
	g_autofree char *words = g_strnfill(size, 'w');

	for (run->history = 0; run->history < 8; run->history++)
		json_array_insert_new(run->messages, 1 + run->history,
				      json_pack("{s:s,s:s}", "role",
						run->history % 2 ? "assistant" : "user",
						"content", words));
	return run;
}

/* Of a chat, what was said before goes first, in pairs, and the message at hand stays. */
static void test_earlier_turns_go_first(void **state)
{
	g_autoptr(SpkRun) run = make_chat(*state, 1, 500);
	g_autoptr(SpkRun) long_run = make_chat(*state, TURNS, 500);

	assert_true(run_compact(run, FALSE, NULL));
	assert_true(run->history > 0 && run->history < 8 && run->history % 2 == 0);
	assert_int_equal(json_array_size(run->messages), 2 + run->history + 2);
	assert_true(run_compact(long_run, FALSE, NULL));
	assert_int_equal(long_run->history, 0);
	assert_sound(long_run, WINDOW / 2);
	for (int i = 0; i < 2; i++) {
		SpkRun *one = i ? long_run : run;

		assert_string_equal(
			spk_json_str(json_array_get(one->messages, 1 + one->history),
				     "content"),
			"the goal");
	}
}

/* Needs what a run has that asks for real. */
static SpkConf *let_sum_up(Fixture *f, SpkRun *run)
{
	static const SpkSpark spark = { .name = "coder" };
	g_autofree char *play = g_build_filename(f->home, "sum.play", NULL);
	g_autofree char *model = g_strdup_printf("llm.summary_model=script:%s", play);
	const char *const overrides[] = { "openai.context_window=1024", model, NULL };
	SpkConfSource source = { .overrides = overrides };
	const char *text = "{\"play\":1}\n"
			   "{\"say\":{\"text\":\"first\",\"usage\":{\"input\":9}}}\n"
			   "{\"say\":{\"text\":\"second\",\"usage\":{\"input\":7}}}\n";
	SpkConf *conf;

	assert_true(spk_fs_write_atomic(play, text, strlen(text), 0600, NULL));
	conf = spk_conf_load(&source, NULL);
	assert_non_null(conf);
	run->env.conf = conf;
	run->env.spark = &spark;
	run->prices = spk_prices_parse(NULL, "", NULL);
	run->unpriced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return conf;
}

/* Twice in one turn, when the server then says that it is still too long: both are booked. */
static void test_sums_up(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkRun) run = make_run(f, TURNS, 300);
	g_autoptr(SpkRun) later = make_run(f, TURNS, 300);
	/* the run borrows it */
	G_GNUC_UNUSED g_autoptr(SpkConf) conf = let_sum_up(f, run);
	g_autoptr(GPtrArray) sum = NULL;
	g_autofree char *said = NULL, *again = NULL;

	assert_true(run_compact(run, FALSE, NULL));
	assert_true(run_compact(run, FALSE, NULL)); /* is on record: nobody is asked */
	assert_int_equal(g_hash_table_size(run->recorded), 1);
	assert_true(run_compact(run, TRUE, NULL));
	assert_int_equal(g_hash_table_size(run->recorded), 2);
	assert_non_null(strstr(spk_json_str(json_array_get(run->messages, 2), "content"),
			       "second"));
	sum = spk_ledger_sum(f->store, NULL, 0, NULL, NULL);
	assert_int_equal(((SpkCostRow *)sum->pdata[0])->calls, 2);
	assert_int_equal(((SpkCostRow *)sum->pdata[0])->input, 16);
	/* and who takes the task up tells the same */
	g_hash_table_unref(later->recorded);
	later->recorded = g_hash_table_ref(run->recorded);
	run_compact_recorded(later);
	said = spk_json_canon(run->messages);
	again = spk_json_canon(later->messages);
	assert_string_equal(again, said);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_leaves_alone_what_fits, setup, teardown),
	cmocka_unit_test_setup_teardown(test_shrinks, setup, teardown),
	cmocka_unit_test_setup_teardown(test_one_giant_result, setup, teardown),
	cmocka_unit_test_setup_teardown(test_earlier_turns_go_first, setup, teardown),
	cmocka_unit_test_setup_teardown(test_again_after_a_crash, setup, teardown),
	cmocka_unit_test_setup_teardown(test_sums_up, setup, teardown),
};
SUITE(compact_suite, tests);
