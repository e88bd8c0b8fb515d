/* Rows of memories: storing, editing, merging, superseding, forgetting, and what others learn. */
#include "test_memory.h"

#include <math.h>

SpkMemoryRow *memory_new(const char *id, const char *text)
{
	SpkMemoryRow *row = g_new0(SpkMemoryRow, 1);

	row->id = g_strdup(id);
	row->text = g_strdup(text);
	row->kind = g_strdup("fact");
	row->scope = g_strdup("user");
	row->source = g_strdup("user");
	row->confidence = 1;
	return row;
}

gint64 memory_put(SpkStore *store, const char *id, const char *text)
{
	g_autoptr(SpkMemoryRow) row = memory_new(id, text);

	assert_ok(spk_memories_put(store, row, NULL, 0, ERR));
	return row->num;
}

char *memory_matches(SpkStore *store, const char *text, const SpkMemoryFilter *filter)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray)
		found = spk_memories_match(store, text, filter, 100, NULL, &error);
	GString *ids = g_string_new(NULL);

	if (!found)
		fail_msg("%s", error->message);
	for (guint i = 0; i < found->len; i++) {
		const SpkMemoryMatch *match = &g_array_index(found, SpkMemoryMatch, i);
		g_autoptr(GPtrArray)
			rows = spk_memories_by_num(store, &match->num, 1, NULL);

		assert_non_null(rows->pdata[0]);
		assert_true(match->bm25 >= 0);
		g_string_append_printf(ids, "%s%s", i ? " " : "",
				       ((SpkMemoryRow *)rows->pdata[0])->id);
	}
	return g_string_free(ids, FALSE);
}

static SpkMemoryRow *get(SpkStore *store, const char *id)
{
	SpkMemoryRow *row = NULL;

	assert_ok(spk_memories_get(store, id, &row, ERR));
	return row;
}

static void test_round_trip(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = memory_new("m1", "Ann: the build needs make -j4");
	g_autoptr(SpkMemoryRow) back = NULL;
	g_autofree float *vector = NULL;
	const float wanted[] = { 0.6f, -0.8f, 0 };
	guint dims;

	row->kind = (g_free(row->kind), g_strdup("repo"));
	row->scope = (g_free(row->scope), g_strdup("repo:/src/x y"));
	row->task = g_strdup("aaaa00000001");
	row->entry = 7;
	row->untrusted = TRUE;
	row->time_us = 123456789;
	row->confidence = 0.25;
	row->speaker = g_strdup("Ann");
	row->model = g_strdup("tiny-1");
	assert_ok(spk_memories_put(f->store, row, wanted, 3, ERR));
	assert_true(row->num > 0 && row->change > 0 && row->stored_us > 0);
	back = get(f->store, "m1");
	assert_string_equal(back->text, row->text);
	assert_string_equal(back->kind, "repo");
	assert_string_equal(back->scope, "repo:/src/x y");
	assert_string_equal(back->task, "aaaa00000001");
	assert_string_equal(back->speaker, "Ann");
	assert_string_equal(back->model, "tiny-1");
	assert_int_equal(back->entry, 7);
	assert_int_equal(back->time_us, 123456789);
	assert_int_equal(back->num, row->num);
	assert_true(back->untrusted && back->confidence == 0.25);
	assert_ok(
		spk_memories_vector(f->store, back->num, "tiny-1", &vector, &dims, ERR));
	assert_int_equal(dims, 3);
	assert_memory_equal(vector, wanted, sizeof(wanted));
	g_clear_pointer(&vector, g_free);
	assert_ok(spk_memories_vector(f->store, back->num, "other", &vector, &dims, ERR));
	assert_null(vector);
	assert_null(get(f->store, "m2"));
}

static void refused(SpkStore *store, SpkMemoryRow *take_row)
{
	g_autoptr(SpkMemoryRow) row = take_row;
	g_autoptr(GError) error = NULL;

	assert_false(spk_memories_put(store, row, NULL, 0, &error));
	assert_non_null(spk_error_hint(error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
}

static void test_refuses(void **state)
{
	Fixture *f = *state;
	g_autofree char *large = g_strnfill(1 << 20, 'x');
	g_autofree char *fits = g_strnfill(SPK_MEMORY_TEXT_MAX, 'y');
	const float broken[] = { 1, NAN };
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GError) error = NULL;
	SpkMemoryStamp stamp;

	refused(f->store, memory_new("m", ""));
	refused(f->store, memory_new("m", " \n\t\xc2\xa0"));
	refused(f->store, memory_new("m", large));
	refused(f->store, memory_new("m", "caf\xe9"));
	refused(f->store, memory_new("", "text"));
	refused(f->store, memory_new("a\nb", "text"));
	row = memory_new("m", "text");
	row->confidence = NAN;
	refused(f->store, g_steal_pointer(&row));
	row = memory_new("m", "text");
	row->time_us = -1;
	refused(f->store, g_steal_pointer(&row));
	row = memory_new("m", "text");
	row->model = g_strdup("tiny");
	assert_false(spk_memories_put(f->store, row, broken, 2, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
	assert_ok(spk_memories_stamp(f->store, &stamp, ERR));
	assert_int_equal(stamp.change, 0);
	memory_put(f->store, "fits", fits);
}

static void test_replaces(void **state)
{
	Fixture *f = *state;
	gint64 num = memory_put(f->store, "m1", "the port is 8080");
	g_autofree char *old = NULL, *now = NULL;

	memory_put(f->store, "m2", "something else");
	assert_int_equal(memory_put(f->store, "m1", "the socket is /run/x.sock"), num);
	old = memory_matches(f->store, "port 8080", NULL);
	now = memory_matches(f->store, "/run/x.sock", NULL);
	assert_string_equal(old, "");
	assert_string_equal(now, "m1");
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_edit_keeps_the_old_text(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = memory_new("m1", "tabs are 4 wide");
	g_autoptr(SpkMemoryRow) none = memory_new("m9", "x");
	g_autoptr(GPtrArray) past = NULL;
	g_autoptr(GError) error = NULL;
	const SpkMemoryPast *first;

	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	for (int i = 0; i < 2; i++) {
		g_free(row->text);
		row->text = g_strdup_printf("tabs are %d wide", 8 + i);
		assert_ok(spk_memories_edit(f->store, row, NULL, 0, ERR));
	}
	past = spk_memories_history(f->store, row->num, NULL);
	assert_int_equal(past->len, 2);
	first = past->pdata[0];
	assert_string_equal(first->text, "tabs are 8 wide");
	assert_null(first->id);
	assert_false(spk_memories_edit(f->store, none, NULL, 0, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_supersede(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) now = memory_new("new", "the deploy day is Friday");
	g_autoptr(SpkMemoryRow) old = NULL, again = NULL;
	g_autofree char *found = NULL, *both = NULL;
	g_autoptr(GError) error = NULL;
	gboolean was;

	memory_put(f->store, "old", "the deploy day is Monday");
	now->supersedes = g_strdup("old");
	assert_ok(spk_memories_put(f->store, now, NULL, 0, ERR));
	old = get(f->store, "old");
	assert_int_equal(old->state, SPK_MEMORY_SUPERSEDED);
	assert_string_equal(old->superseded_by, "new");
	found = memory_matches(f->store, "deploy day", NULL);
	assert_string_equal(found, "new");
	assert_false(spk_memories_supersede(f->store, "old", "new", &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_ok(spk_memories_revive(f->store, "old", &was, ERR));
	assert_true(was);
	both = memory_matches(f->store, "deploy Monday", NULL);
	assert_string_equal(both, "old new");
	assert_ok(spk_memories_supersede(f->store, "old", "new", ERR));
	again = get(f->store, "new");
	assert_string_equal(again->supersedes, "old");
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_retire(void **state)
{
	Fixture *f = *state;
	g_autofree char *found = NULL;
	gboolean was;

	memory_put(f->store, "m1", "use the staging server");
	assert_ok(spk_memories_retire(f->store, "m1", &was, ERR));
	assert_true(was);
	assert_ok(spk_memories_retire(f->store, "m1", &was, ERR));
	assert_false(was);
	found = memory_matches(f->store, "staging", NULL);
	assert_string_equal(found, "");
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_merge(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) same = memory_new("b", "ask before pushing");
	g_autoptr(SpkMemoryRow) like = memory_new("c", "ask me before you push");
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GPtrArray) past = NULL;
	g_autoptr(GError) error = NULL;
	gboolean was;

	memory_put(f->store, "a", "ask before pushing");
	assert_ok(spk_memories_merge(f->store, "a", same, ERR));
	assert_ok(spk_memories_merge(f->store, "a", like, ERR));
	row = get(f->store, "c");
	assert_string_equal(row->id, "a");
	assert_int_equal(row->merged, 2);
	past = spk_memories_history(f->store, row->num, NULL);
	assert_int_equal(past->len, 2);
	assert_null(((SpkMemoryPast *)past->pdata[0])->text);
	assert_string_equal(((SpkMemoryPast *)past->pdata[1])->text, like->text);
	assert_false(spk_memories_merge(f->store, "nobody", like, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_ok(spk_memories_forget(f->store, "c", &was, ERR));
	assert_true(was);
	g_clear_pointer(&row, spk_memory_row_free);
	assert_null(get(f->store, "c"));
	row = get(f->store, "a");
	assert_int_equal(row->merged, 1);
	/* the id is free for a memory of its own */
	memory_put(f->store, "b", "a new thing");
	assert_false(spk_memories_merge(f->store, "a", same, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

/* What others did meanwhile is not undone, and nothing counts towards what is out of use. */
static void test_changed_meanwhile(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = memory_new("a", "ask before pushing");
	g_autoptr(SpkMemoryRow) again = memory_new("b", "ask before pushing");
	g_autoptr(SpkMemoryRow) now = NULL;
	g_autoptr(GError) error = NULL;
	gboolean was;

	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	assert_ok(spk_memories_retire(f->store, "a", &was, ERR));
	g_free(row->text);
	row->text = g_strdup("push");
	assert_false(spk_memories_edit(f->store, row, NULL, 0, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_false(spk_memories_merge(f->store, "a", again, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	now = get(f->store, "a");
	assert_int_equal(now->state, SPK_MEMORY_RETIRED);
	assert_string_equal(now->text, "ask before pushing");
	assert_int_equal(now->merged, 0);
	row->change = now->change;
	row->state = now->state;
	assert_ok(spk_memories_edit(f->store, row, NULL, 0, ERR));
}

static void assert_merged(SpkStore *store, const char *id, gint64 n)
{
	g_autoptr(SpkMemoryRow) row = get(store, id);

	assert_string_equal(row->id, id);
	assert_int_equal(row->merged, n);
}

/* An id that was merged and is used anew counts no more where it did. */
static void test_merged_elsewhere(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) like = memory_new("like", "ask me before you push");
	g_autoptr(SpkMemoryRow) same = memory_new("same", "ask before pushing");
	g_autoptr(GError) error = NULL;

	memory_put(f->store, "a", "ask before pushing");
	memory_put(f->store, "b", "ask me first");
	assert_ok(spk_memories_merge(f->store, "a", like, ERR));
	assert_ok(spk_memories_merge(f->store, "a", same, ERR));
	assert_ok(spk_memories_merge(f->store, "b", like, ERR));
	assert_merged(f->store, "a", 1);
	assert_merged(f->store, "b", 1);
	memory_put(f->store, "like", "something else");
	memory_put(f->store, "same", "another thing");
	assert_merged(f->store, "a", 0);
	assert_merged(f->store, "b", 0);
	assert_merged(f->store, "like", 0);
	assert_ok(spk_memories_check(f->store, ERR));
}

/* ---- what others learn ---- */

typedef struct {
	GString *text;
	gint64 last;
} Heard;

static gboolean hear(const SpkMemoryChange *change, gpointer user, GError **error)
{
	Heard *heard = user;

	assert_true(change->change > heard->last);
	heard->last = change->change;
	g_string_append_printf(heard->text, "%d%s%s ", (int)change->num,
			       change->gone    ? "-"
			       : change->state ? "."
					       : "+",
			       change->vector ? "v" : "");
	if (change->vector)
		assert_true(change->dims == 2 && change->vector[1] == 1);
	return TRUE;
}

static char *since(SpkStore *store, gint64 change, const char *model)
{
	Heard heard = { g_string_new(NULL), 0 };

	assert_ok(spk_memories_since(store, change, model, hear, &heard, ERR));
	return g_string_free(heard.text, FALSE);
}

static void test_since(void **state)
{
	Fixture *f = *state;
	const float vector[] = { 0, 1 };
	g_autofree char *all = NULL, *later = NULL, *other = NULL;
	SpkMemoryStamp before, after;
	g_autoptr(GError) error = NULL;
	gint64 first = memory_put(f->store, "a", "one");
	gboolean was;

	memory_put(f->store, "b", "two");
	memory_put(f->store, "c", "three");
	assert_ok(spk_memories_stamp(f->store, &before, ERR));
	assert_int_equal(strlen(before.store), 32);
	assert_int_equal(before.change, 3);
	assert_ok(spk_memories_set_vector(f->store, first, 0, "tiny", vector, 2, ERR));
	assert_false(
		spk_memories_set_vector(f->store, first, 1, "tiny", vector, 2, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_ok(spk_memories_retire(f->store, "b", &was, ERR));
	assert_ok(spk_memories_forget(f->store, "c", &was, ERR));
	later = since(f->store, before.change, "tiny");
	assert_string_equal(later, "1+v 2. 3- ");
	other = since(f->store, before.change, "big");
	assert_string_equal(other, "1+ 2. 3- ");
	assert_ok(spk_memories_stamp(f->store, &after, ERR));
	assert_string_equal(after.store, before.store);
	all = since(f->store, after.change, "tiny");
	assert_string_equal(all, "");
}

static void test_a_vector_belongs_to_a_text(void **state)
{
	Fixture *f = *state;
	const float vector[] = { 0, 1 };
	g_autoptr(SpkMemoryRow) row = memory_new("a", "one");
	g_autoptr(GPtrArray) left = NULL;
	g_autofree float *there = NULL;
	gint64 n;
	guint dims;

	row->model = g_strdup("tiny");
	assert_ok(spk_memories_put(f->store, row, vector, 2, ERR));
	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR)); /* the same text */
	assert_string_equal(row->model, "tiny");
	assert_ok(spk_memories_vector(f->store, row->num, "tiny", &there, &dims, ERR));
	assert_non_null(there);
	g_clear_pointer(&there, g_free);
	g_free(row->text);
	row->text = g_strdup("two");
	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	assert_null(row->model);
	assert_ok(spk_memories_vector(f->store, row->num, "tiny", &there, &dims, ERR));
	assert_null(there);
	left = spk_memories_without_vector(f->store, "tiny", 2, 0, 10, &n, NULL);
	assert_int_equal(left->len, 1);
	assert_int_equal(n, 1);
	/* one of another length is none */
	assert_ok(spk_memories_set_vector(f->store, row->num, 0, "tiny", vector, 2, ERR));
	for (guint d = 0; d < 4; d++) {
		g_autoptr(GPtrArray) rows =
			spk_memories_without_vector(f->store, "tiny", d, 0, 10, &n, NULL);

		assert_int_equal(rows->len, d == 1 || d == 3);
		assert_int_equal(n, rows->len);
	}
}

/* After a restore the numbers begin where the copy ended: no cache may take them for its own. */
/* Vectors that hold something of another memory go without the text being another one, and nothing
 * that was done meanwhile is undone. */
static void test_parted(void **state)
{
	Fixture *f = *state;
	const float vector[] = { 0, 1 };
	const gint64 nums[] = { 1, 2, 3 };
	g_autoptr(GPtrArray) left = NULL;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autofree char *later = NULL;
	SpkMemoryStamp before;
	gint64 n;
	gboolean was;

	for (gsize i = 0; i < G_N_ELEMENTS(nums); i++) {
		const char id[] = { (char)('a' + i), 0 };

		assert_int_equal(memory_put(f->store, id, id), nums[i]);
		assert_ok(spk_memories_set_vector(f->store, nums[i], 0, "tiny", vector, 2,
						  ERR));
	}
	assert_ok(spk_memories_forget(f->store, "b", &was, ERR));
	assert_ok(spk_memories_retire(f->store, "c", &was, ERR));
	assert_ok(spk_memories_stamp(f->store, &before, ERR));
	assert_ok(spk_memories_part(f->store, nums, G_N_ELEMENTS(nums), ERR));
	later = since(f->store, before.change, "tiny");
	assert_string_equal(later, "1+ 3. ");
	assert_null(get(f->store, "b"));
	row = get(f->store, "a");
	assert_null(row->model);
	left = spk_memories_without_vector(f->store, "tiny", 0, 0, 10, &n, NULL);
	assert_int_equal(n, 1);
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_restored_is_another_one(void **state)
{
	Fixture *f = *state;
	g_autofree char *copy = g_build_filename(f->folder, "copy.db", NULL);
	g_autofree char *aside = NULL;
	SpkMemoryStamp before, after;

	memory_put(f->store, "a", "one");
	assert_ok(spk_memories_stamp(f->store, &before, ERR));
	assert_ok(spk_store_backup(f->store, copy, FALSE, NULL, ERR));
	assert_ok(spk_store_restore(f->store, copy, &aside, NULL, ERR));
	assert_ok(spk_memories_stamp(f->store, &after, ERR));
	assert_string_not_equal(after.store, before.store);
	assert_int_equal(strlen(after.store), 32);
}

static void test_identical_ones(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) again = memory_new("x", "the very same");
	g_autoptr(SpkMemoryRow) row = NULL;
	g_auto(SpkMemoryStats) stats = { 0 };
	g_autofree char *found = NULL;

	memory_put(f->store, "first", "the very same");
	for (int i = 0; i < 1000; i++) {
		g_free(again->id);
		again->id = g_strdup_printf("x%d", i);
		assert_ok(spk_memories_merge(f->store, "first", again, ERR));
		memory_put(f->store, "first", "the very same");
	}
	found = memory_matches(f->store, "very same", NULL);
	assert_string_equal(found, "first");
	assert_ok(spk_memories_get(f->store, "x999", &row, ERR));
	assert_int_equal(row->merged, 1000);
	assert_ok(spk_memories_stats(f->store, &stats, ERR));
	assert_int_equal(stats.by_state[SPK_MEMORY_ACTIVE], 1);
	assert_int_equal(stats.merged, 1000);
}

/* Stored under one kind or scope, then another: the filters and the sums follow. */
static void test_moves_between_scopes(void **state)
{
	Fixture *f = *state;
	const char *const here[] = { "user", NULL }, *const there[] = { "repo:/a", NULL };
	const SpkMemoryFilter user = { here, NULL }, repo = { there, NULL };
	g_autoptr(SpkMemoryRow) row = memory_new("m", "a thing that moves");
	g_autofree char *in_user = NULL, *in_repo = NULL;

	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	g_free(row->scope);
	row->scope = g_strdup("repo:/a");
	assert_ok(spk_memories_put(f->store, row, NULL, 0, ERR));
	in_user = memory_matches(f->store, "thing", &user);
	in_repo = memory_matches(f->store, "thing", &repo);
	assert_string_equal(in_user, "");
	assert_string_equal(in_repo, "m");
	assert_ok(spk_memories_check(f->store, ERR));
}

static void test_clock_backwards(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autofree char *found = NULL;
	gint64 first = memory_put(f->store, "a", "said before");
	SpkMemoryStamp stamp;

	clock_add_ms(-3600 * 1000);
	assert_true(memory_put(f->store, "b", "said after") > first);
	assert_ok(spk_memories_stamp(f->store, &stamp, ERR));
	assert_int_equal(stamp.change, 2);
	found = memory_matches(f->store, "said", NULL);
	assert_string_equal(found, "b a");
	assert_ok(spk_memories_get(f->store, "b", &row, ERR));
	assert_true(row->time_us < spk_now_us() + 1);
}

static void test_find(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GError) error = NULL;

	memory_put(f->store, "abcd1", "one");
	memory_put(f->store, "abcd2", "two");
	memory_put(f->store, "xyzw1", "three");
	assert_ok(spk_memories_find(f->store, "xyzw", &row, ERR));
	assert_string_equal(row->id, "xyzw1");
	g_clear_pointer(&row, spk_memory_row_free);
	assert_false(spk_memories_find(f->store, "abcd", &row, &error));
	assert_failed(&error, SPK_ERR_USAGE);
	assert_false(spk_memories_find(f->store, "xyz", &row, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
}

static void test_lists(void **state)
{
	Fixture *f = *state;
	const char *const facts[] = { "fact", NULL };
	SpkMemoryList what = { .state = -1, .limit = 2 };
	g_autoptr(GPtrArray) page = NULL, next = NULL, one = NULL;
	g_auto(SpkMemoryStats) stats = { 0 };
	gint64 n;
	gboolean was;

	for (int i = 0; i < 5; i++) {
		g_autofree char *id = g_strdup_printf("m%d", i);

		clock_add_ms(1000);
		memory_put(f->store, id, "a fact of some kind");
	}
	assert_ok(spk_memories_retire(f->store, "m0", &was, ERR));
	page = spk_memories_list(f->store, &what, NULL);
	assert_int_equal(page->len, 2);
	assert_string_equal(((SpkMemoryRow *)page->pdata[0])->id, "m4");
	what.offset = 4;
	next = spk_memories_list(f->store, &what, NULL);
	assert_int_equal(next->len, 1);
	what = (SpkMemoryList){ .state = SPK_MEMORY_ACTIVE, .filter.kinds = facts };
	assert_ok(spk_memories_count(f->store, &what, &n, ERR));
	assert_int_equal(n, 4);
	what = (SpkMemoryList){ .state = SPK_MEMORY_RETIRED, .oldest_first = TRUE };
	one = spk_memories_list(f->store, &what, NULL);
	assert_int_equal(one->len, 1);
	assert_ok(spk_memories_stats(f->store, &stats, ERR));
	assert_int_equal(stats.by_state[SPK_MEMORY_ACTIVE], 4);
	assert_int_equal(stats.by_state[SPK_MEMORY_RETIRED], 1);
	assert_int_equal(stats.kinds->len, 1);
	assert_string_equal(g_array_index(stats.kinds, SpkMemorySum, 0).name, "fact");
}

static void test_many(void **state)
{
	Fixture *f = *state;
	SpkMemoryRow *rows[50];
	g_autofree char *found = NULL;
	g_autoptr(GError) error = NULL;
	SpkMemoryList all = { .state = -1 };
	gint64 n;

	memory_put(f->store, "m7", "an older text");
	for (int i = 0; i < 50; i++) {
		g_autofree char *id = g_strdup_printf("m%d", i);
		g_autofree char *text = g_strdup_printf("number n%d of many", i % 40);

		rows[i] = memory_new(id, text);
	}
	assert_ok(spk_memories_put_many(f->store, rows, NULL, 0, 50, ERR));
	found = memory_matches(f->store, "n7", NULL);
	assert_string_equal(found, "m47 m7");
	assert_ok(spk_memories_check(f->store, ERR));
	g_free(rows[49]->text);
	rows[49]->text = g_strdup("");
	g_free(rows[48]->id);
	rows[48]->id = g_strdup("another");
	assert_false(spk_memories_put_many(f->store, rows, NULL, 0, 50, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
	assert_ok(spk_memories_count(f->store, &all, &n, ERR));
	assert_int_equal(n, 50);
	for (int i = 0; i < 50; i++)
		spk_memory_row_free(rows[i]);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_round_trip),
	STORE_TEST(test_refuses),
	STORE_TEST(test_replaces),
	STORE_TEST(test_edit_keeps_the_old_text),
	STORE_TEST(test_supersede),
	STORE_TEST(test_retire),
	STORE_TEST(test_merge),
	STORE_TEST(test_changed_meanwhile),
	STORE_TEST(test_merged_elsewhere),
	STORE_TEST(test_since),
	STORE_TEST(test_a_vector_belongs_to_a_text),
	STORE_TEST(test_parted),
	STORE_TEST(test_restored_is_another_one),
	STORE_TEST(test_identical_ones),
	STORE_TEST(test_moves_between_scopes),
	STORE_TEST(test_clock_backwards),
	STORE_TEST(test_find),
	STORE_TEST(test_lists),
	STORE_TEST(test_many),
};
const Suite memories_suite = { tests, G_N_ELEMENTS(tests) };
