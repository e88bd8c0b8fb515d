#include "test_store.h"

static void append(SpkStore *store, gint64 token, const char *kind, json_t *take_payload)
{
	g_autoptr(json_t) payload = take_payload;

	assert_ok(spk_journal_append(store, "aaaa00000001", token, kind,
				     SPK_EFFECT_UNSAFE, payload, NULL, ERR));
}

static void test_sequence(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GPtrArray) all = NULL, page = NULL, none = NULL;
	gint64 seq = 0;

	add_task(f->store, "aaaa00000001");
	add_task(f->store, "bbbb00000002");
	lease = hold(f->store, "aaaa00000001");
	for (int i = 0; i < 20; i++) {
		assert_ok(spk_journal_append(f->store, lease->task, lease->token,
					     "model.intent", SPK_EFFECT_IDEMPOTENT, NULL,
					     &seq, ERR));
		assert_int_equal(seq, i + 2);
	}
	all = spk_journal_read(f->store, lease->task, 0, 0, NULL);
	assert_int_equal(all->len, 21);
	for (guint i = 0; i < all->len; i++)
		assert_int_equal(((SpkJournalEntry *)all->pdata[i])->seq, i + 1);
	page = spk_journal_read(f->store, lease->task, 5, 3, NULL);
	assert_int_equal(page->len, 3);
	assert_int_equal(((SpkJournalEntry *)page->pdata[0])->seq, 6);
	assert_int_equal(((SpkJournalEntry *)page->pdata[0])->effect,
			 SPK_EFFECT_IDEMPOTENT);
	none = spk_journal_read(f->store, lease->task, 21, 0, NULL);
	assert_int_equal(none->len, 0);
}

static void test_json_round_trip(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"\"text\"",
		"null",
		"{\"a\":[1,-2.5,1e300,true,null,{\"b\":\"\"}],\"z\":\"日本 🎉 \\u0000 \\\" \\\\\"}",
		"{\"big\":9223372036854775807,\"small\":-9223372036854775808}",
	};
	Fixture *f = *state;
	g_autoptr(GPtrArray) entries = NULL;

	add_task(f->store, "aaaa00000001");
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		append(f->store, 0, "note",
		       spk_json_parse(texts[i], strlen(texts[i]), 4096, NULL));
	entries = spk_journal_read(f->store, "aaaa00000001", 1, 0, NULL);
	assert_int_equal(entries->len, G_N_ELEMENTS(texts));
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(json_t)
			given = spk_json_parse(texts[i], strlen(texts[i]), 4096, NULL);

		assert_true(json_equal(((SpkJournalEntry *)entries->pdata[i])->payload,
				       given));
	}
}

static void test_large_payload(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = g_strnfill(1 << 20, 'x');
	g_autoptr(GPtrArray) entries = NULL;

	add_task(f->store, "aaaa00000001");
	append(f->store, 0, "tool.result", json_pack("{s:s}", "text", text));
	append(f->store, 0, "tool.result", json_pack("{s:s}", "text", "short"));
	entries = spk_journal_read(f->store, "aaaa00000001", 1, 0, NULL);
	assert_int_equal(entries->len, 2);
	assert_string_equal(spk_json_str(((SpkJournalEntry *)entries->pdata[0])->payload,
					 "text"),
			    text);
}

static void test_no_payload_is_an_object(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) entries = NULL;

	add_task(f->store, "aaaa00000001");
	append(f->store, 0, "note", NULL);
	entries = spk_journal_read(f->store, "aaaa00000001", 1, 0, NULL);
	assert_true(json_is_object(((SpkJournalEntry *)entries->pdata[0])->payload));
}

static void test_unknown_task(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = NULL;

	assert_false(spk_journal_append(f->store, "nobody", 0, "note", SPK_EFFECT_PURE,
					NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_false(spk_journal_append(f->store, "nobody", 1, "note", SPK_EFFECT_PURE,
					NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	entries = spk_journal_read(f->store, "nobody", 0, 0, NULL);
	assert_int_equal(entries->len, 0);
}

typedef struct {
	SpkStore *store;
	GString *heard;
} Ear;

/* The entry is committed by now: it can be read back from within. */
static void hear(const char *task, const SpkJournalEntry *entry, gpointer user)
{
	Ear *ear = user;
	g_autoptr(GPtrArray)
		entries = spk_journal_read(ear->store, task, entry->seq - 1, 0, NULL);

	g_string_append_printf(ear->heard, "%s %d %s %u;", task, (int)entry->seq,
			       entry->kind, entries->len);
}

static void test_observer(void **state)
{
	Fixture *f = *state;
	Ear ear = { f->store, g_string_new(NULL) };
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GError) error = NULL;

	spk_store_on_journal(f->store, hear, &ear);
	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	walk_to(f->store, lease, SPK_STATE_SCANNED);
	append(f->store, lease->token, "note", NULL);
	assert_false(spk_journal_append(f->store, lease->task, 99, "note",
					SPK_EFFECT_PURE, NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	spk_store_on_journal(f->store, NULL, NULL);
	append(f->store, lease->token, "note", NULL);
	assert_string_equal(ear.heard->str,
			    "aaaa00000001 1 accepted 1;aaaa00000001 2 state 1;"
			    "aaaa00000001 3 note 1;");
	g_string_free(ear.heard, TRUE);
}

static void test_damaged_payload(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTx) tx = NULL;

	add_task(f->store, "aaaa00000001");
	tx = spk_tx_begin(f->store, SPK_TX_WRITE, NULL);
	assert_ok(
		spk_tx_exec(tx, "UPDATE journal SET payload = '{\"a'", NULL, NULL, ERR));
	assert_ok(spk_tx_commit(g_steal_pointer(&tx), ERR));
	assert_null(spk_journal_read(f->store, "aaaa00000001", 0, 0, &error));
	assert_failed(&error, SPK_ERR_CORRUPT);
}

static void test_effect_names(void **state)
{
	assert_string_equal(spk_effect_name(SPK_EFFECT_PURE), "pure");
	assert_string_equal(spk_effect_name(SPK_EFFECT_IDEMPOTENT), "idempotent");
	assert_string_equal(spk_effect_name(SPK_EFFECT_UNSAFE), "unsafe");
}

/* ---- many threads on one store ---- */

enum { N_WRITERS = 4, N_APPENDS = 60 };

static gpointer append_many(gpointer user)
{
	SpkStore *store = user;

	for (int i = 0; i < N_APPENDS; i++)
		if (!spk_journal_append(store, "aaaa00000001", 0, "note", SPK_EFFECT_PURE,
					NULL, NULL, NULL))
			return NULL;
	return store;
}

static gpointer read_many(gpointer user)
{
	SpkStore *store = user;
	guint seen = 0;

	while (seen < N_WRITERS * N_APPENDS + 1) {
		g_autoptr(GPtrArray)
			entries = spk_journal_read(store, "aaaa00000001", 0, 0, NULL);

		/* never fewer than before, never a gap */
		if (!entries || entries->len < seen)
			return NULL;
		seen = entries->len;
		for (guint i = 0; i < seen; i++)
			if (((SpkJournalEntry *)entries->pdata[i])->seq != i + 1)
				return NULL;
	}
	return store;
}

static void test_threads(void **state)
{
	Fixture *f = *state;
	GThread *threads[N_WRITERS + 2];

	add_task(f->store, "aaaa00000001");
	for (int i = 0; i < N_WRITERS + 2; i++)
		threads[i] = g_thread_new(
			"journal", i < N_WRITERS ? append_many : read_many, f->store);
	for (int i = 0; i < N_WRITERS + 2; i++)
		assert_ptr_equal(g_thread_join(threads[i]), f->store);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_sequence),	  STORE_TEST(test_json_round_trip),
	STORE_TEST(test_large_payload),	  STORE_TEST(test_no_payload_is_an_object),
	STORE_TEST(test_unknown_task),	  STORE_TEST(test_observer),
	STORE_TEST(test_damaged_payload), cmocka_unit_test(test_effect_names),
	STORE_TEST(test_threads),
};
const Suite journal_suite = { tests, G_N_ELEMENTS(tests) };
