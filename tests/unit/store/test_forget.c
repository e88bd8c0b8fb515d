/* What is forgotten is in no file any more; what is not, is. */
#include "test_memory.h"

#include <sqlite3.h>
#include <stdlib.h>

#define MANY 300

/* Each memory has a word and an id of its own. */
static char *word_of(int n)
{
	return g_strdup_printf("qz%05dxk", n * 7919 % 100003);
}

static char *id_of(int n)
{
	g_autofree char *word = word_of(n);

	return g_strconcat("id-", word, NULL);
}

static gboolean file_has(const char *path, const char *word)
{
	g_autofree char *data = NULL;
	gsize len;

	return g_file_get_contents(path, &data, &len, NULL) &&
	       memmem(data, len, word, strlen(word)) != NULL;
}

/* The name of a file beside the database, or itself, that has the word. */
static char *find_word(const Fixture *f, const char *word)
{
	g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->folder, name, NULL);

		if (file_has(path, word))
			return g_strdup(name);
	}
	return NULL;
}

static void assert_there(const Fixture *f, int n, gboolean there)
{
	g_autofree char *word = word_of(n);
	g_autofree char *file = find_word(f, word);

	if (!there && file)
		fail_msg("memory %d is still in %s", n, file);
	if (there && !file)
		fail_msg("memory %d is nowhere", n);
}

static void put(SpkStore *store, int n)
{
	static const float vector[8] = { 1 };
	g_autofree char *word = word_of(n), *id = id_of(n);
	g_autofree char *rest = g_strnfill((gsize)(n * 37 % 900), '.');
	g_autofree char *text = g_strdup_printf("we said %s about %d %s", word, n, rest);
	g_autoptr(SpkMemoryRow) row = memory_new(id, text);

	row->speaker = g_strdup(word);
	row->model = g_strdup("tiny");
	assert_ok(spk_memories_put(store, row, vector, 8, ERR));
}

static void forget(SpkStore *store, int n)
{
	g_autofree char *id = id_of(n);
	gboolean was;

	assert_ok(spk_memories_forget(store, id, &was, ERR));
	assert_true(was);
}

/* Rows move between pages as they come and go: no copy may stay behind. */
static void test_nothing_stays(void **state)
{
	Fixture *f = *state;
	int order[MANY];
	unsigned seed = 7;

	for (int i = 0; i < MANY; i++) {
		put(f->store, i);
		order[i] = i;
	}
	for (int i = MANY - 1; i > 0; i--) {
		int other = rand_r(&seed) % (i + 1), was = order[i];

		order[i] = order[other];
		order[other] = was;
	}
	for (int i = 0; i < MANY; i++) {
		forget(f->store, order[i]);
		if (i % 3 == 0)
			put(f->store, MANY + i); /* others move */
		assert_there(f, order[i], FALSE);
		if (i % 20 == 0)
			for (int j = 0; j <= i; j++)
				assert_there(f, order[j], FALSE);
		if (i + 1 < MANY)
			assert_there(f, order[i + 1], TRUE);
	}
	assert_ok(spk_memories_check(f->store, ERR));
	assert_ok(spk_store_check(f->store, ERR));
}

/* Its earlier texts, what was merged into it, and its name in others go with it. */
static void test_its_past_goes(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = memory_new("first-zzqq", "says oldtextqq");
	g_autoptr(SpkMemoryRow) like = memory_new("like-zzqq", "says liketextqq");
	g_autoptr(SpkMemoryRow) next = memory_new("next", "says something else");
	static const char *const words[] = { "oldtextqq",  "newtextqq", "liketextqq",
					     "first-zzqq", "like-zzqq", "repo:/kk/qq" };
	gboolean was;

	g_free(row->scope);
	row->scope = g_strdup("repo:/kk/qq");
	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	g_free(row->text);
	row->text = g_strdup("says newtextqq");
	assert_ok(spk_memories_edit(f->store, row, NULL, 0, ERR));
	assert_ok(spk_memories_merge(f->store, "first-zzqq", like, ERR));
	next->supersedes = g_strdup("first-zzqq");
	assert_ok(spk_memories_put(f->store, next, NULL, 0, ERR));
	assert_ok(spk_memories_forget(f->store, "first-zzqq", &was, ERR));
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *file = find_word(f, words[i]);

		if (file)
			fail_msg("%s is still in %s", words[i], file);
	}
	g_clear_pointer(&next, spk_memory_row_free);
	assert_ok(spk_memories_get(f->store, "next", &next, ERR));
	assert_null(next->supersedes);
}

/* A text put in the place of another one removes that, too, at the latest with the forgetting of
 * the memory. */
static void test_replaced_texts_go(void **state)
{
	Fixture *f = *state;
	g_autofree char *file = NULL;
	gboolean was;

	memory_put(f->store, "m", "the first replacedqq text");
	memory_put(f->store, "m", "the second text");
	memory_put(f->store, "other", "another one");
	assert_ok(spk_memories_forget(f->store, "other", &was, ERR));
	file = find_word(f, "replacedqq");
	assert_null(file);
}

/* Somebody reads for long: what is forgotten is gone for all who look, and from the files as soon
 * as anybody writes after that. */
static void test_a_long_reader(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkStore) other = spk_store_open(f->path, "normal", 0, NULL);
	g_autofree char *found = NULL;
	SpkTx *reading;
	gint64 n = 0;

	put(f->store, 1);
	reading = spk_tx_begin(other, SPK_TX_READ, NULL);
	assert_ok(spk_tx_int(reading, "SELECT count(*) FROM memories", NULL, &n, ERR));
	assert_int_equal(n, 1);
	forget(f->store, 1);
	found = memory_matches(f->store, "said", NULL);
	assert_string_equal(found, "");
	spk_tx_rollback(reading);
	put(other, 2);
	assert_there(f, 1, FALSE);
	assert_there(f, 2, TRUE);
}

static void test_unknown(void **state)
{
	Fixture *f = *state;
	const char *const ids[] = { "id-1", "a", "b", "a" };
	gboolean was;
	gsize n;

	assert_ok(spk_memories_forget(f->store, "nobody", &was, ERR));
	assert_false(was);
	memory_put(f->store, "a", "one");
	memory_put(f->store, "b", "two");
	assert_ok(spk_memories_forget_many(f->store, ids, 4, &n, ERR));
	assert_int_equal(n, 2);
	assert_ok(spk_memories_check(f->store, ERR));
}

/* Numbers are never used again: an old cache cannot take a new memory for a forgotten one. */
static void test_numbers_stay_used(void **state)
{
	Fixture *f = *state;
	gint64 num = memory_put(f->store, "a", "one");
	gboolean was;

	assert_ok(spk_memories_forget(f->store, "a", &was, ERR));
	assert_true(memory_put(f->store, "a", "one") > num);
}

typedef struct {
	guint gone, there;
} Told;

static gboolean count_change(const SpkMemoryChange *change, gpointer user, GError **error)
{
	Told *told = user;

	told->gone += change->gone;
	told->there += !change->gone;
	return TRUE;
}

/* Numbers for caches are kept as long as they are few; then every cache is made anew. */
static void test_gone_is_bounded(void **state)
{
	Fixture *f = *state;
	g_auto(SpkMemoryStats) stats = { 0 };
	SpkMemoryStamp before, few, many;
	Told told = { 0 };
	gboolean was;
	SpkTx *tx;

	memory_put(f->store, "a", "one");
	memory_put(f->store, "b", "two");
	memory_put(f->store, "c", "three");
	assert_ok(spk_memories_stamp(f->store, &before, ERR));
	assert_ok(spk_memories_forget(f->store, "a", &was, ERR));
	assert_ok(spk_memories_stamp(f->store, &few, ERR));
	assert_string_equal(before.store, few.store);
	assert_ok(spk_memories_since(f->store, before.change, NULL, count_change, &told,
				     ERR));
	assert_int_equal(told.gone, 1);
	tx = spk_tx_begin(f->store, SPK_TX_WRITE, NULL);
	assert_ok(spk_tx_exec(tx,
			      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
			      " FROM n WHERE i < 10000)"
			      " INSERT INTO memory_gone SELECT 100 + i, 1 FROM n",
			      NULL, NULL, ERR));
	assert_ok(spk_tx_commit(tx, ERR));
	assert_ok(spk_memories_forget(f->store, "b", &was, ERR));
	assert_ok(spk_memories_stamp(f->store, &many, ERR));
	assert_string_not_equal(before.store, many.store);
	assert_true(many.change > few.change);
	assert_ok(spk_memories_stats(f->store, &stats, ERR));
	assert_int_equal(stats.gone, 0);
	told = (Told){ 0 };
	assert_ok(spk_memories_since(f->store, 0, NULL, count_change, &told, ERR));
	assert_int_equal(told.there, 1);
	assert_int_equal(told.gone, 0);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_nothing_stays),	    STORE_TEST(test_its_past_goes),
	STORE_TEST(test_replaced_texts_go), STORE_TEST(test_a_long_reader),
	STORE_TEST(test_unknown),	    STORE_TEST(test_numbers_stay_used),
	STORE_TEST(test_gone_is_bounded),
};
const Suite forget_suite = { tests, G_N_ELEMENTS(tests) };
