/* Memory as a whole: what is added is found, merged, replaced, forgotten, by whichever process. */
#include "test_memory.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/memory.h"
#include "memory/recall/memory_priv.h"
#include "tiny_model.h"

#define DIMS 4
#define DAY  (24 * 3600 * (gint64)G_USEC_PER_SEC)

typedef struct {
	char *folder, *model;
	SpkConf *conf;
	SpkStore *store;
	SpkMemory *memory;
} Fixture;

static SpkConf *conf_of(const char *model, const char *more)
{
	g_autofree char *dir = g_strconcat("embedding.model_dir=", model, NULL);
	const char *overrides[] = { model ? dir : "embedding.enabled=false", more, NULL };
	SpkConfSource source = { .overrides = overrides };

	return spk_conf_load(&source, NULL);
}

static void open_with(Fixture *f, const char *more)
{
	g_clear_pointer(&f->memory, spk_memory_close);
	g_clear_pointer(&f->conf, spk_conf_unref);
	f->conf = conf_of(f->model, more);
	assert_non_null(f->conf);
	f->memory = spk_memory_open(f->store, f->conf, f->folder, NULL);
	assert_non_null(f->memory);
}

static SpkStore *open_store(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->folder, "store.db", NULL);

	return spk_store_open(path, "normal", 0, NULL);
}

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("spk-memory-XXXXXX", NULL);
	f->store = open_store(f);
	*state = f;
	open_with(f, NULL);
	return 0;
}

/* With a model of the family, small and made up. */
static int setup_model(void **state)
{
	g_autoptr(GPtrArray) tensors = tiny_tensors();
	Fixture *f;

	if (setup(state))
		return -1;
	f = *state;
	f->model = tiny_folder(tensors, FALSE);
	open_with(f, NULL);
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	spk_memory_close(f->memory);
	spk_conf_unref(f->conf);
	spk_store_close(f->store);
	(void)spk_fs_remove_tree(f->folder, NULL);
	if (f->model)
		(void)spk_fs_remove_tree(f->model, NULL);
	g_free(f->folder);
	g_free(f->model);
	g_free(f);
	return 0;
}

static SpkMemoryAdded add_new(SpkMemory *memory, const SpkMemoryNew *add)
{
	SpkMemoryAdded added = { 0 };
	SpkMemoryNew turn = *add;
	g_autoptr(GError) error = NULL;

	turn.is_turn = TRUE;
	if (!spk_memory_add(memory, &turn, &added, &error))
		fail_msg("%s: %s", add->text, error->message);
	return added;
}

/* Its merged_into, "" when it stands for itself. */
static char *add(SpkMemory *memory, const char *id, const char *text, const float *vector)
{
	SpkMemoryNew new = { .id = id,
			     .text = text,
			     .time_us = DAY,
			     .embedding = vector,
			     .dims = vector ? DIMS : 0 };
	g_auto(SpkMemoryAdded) added = add_new(memory, &new);

	return g_strdup(added.merged_into ? added.merged_into : "");
}

static void put(SpkMemory *memory, const char *id, const char *text)
{
	g_autofree char *merged = add(memory, id, text, NULL);

	assert_string_equal(merged, "");
}

static char *ids_of(SpkMemory *memory, const SpkMemoryQuery *query)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hits = spk_memory_search(memory, query, &error);
	GString *ids = g_string_new(NULL);

	if (!hits)
		fail_msg("%s", error->message);
	for (guint i = 0; i < hits->len; i++) {
		const SpkMemoryHit *hit = hits->pdata[i];

		g_string_append_printf(ids, "%s%s", i ? " " : "", hit->row->id);
		if (i)
			assert_true(((SpkMemoryHit *)hits->pdata[i - 1])->score >=
				    hit->score);
	}
	return g_string_free(ids, FALSE);
}

static void assert_found(SpkMemory *memory, const char *text, const char *ids)
{
	SpkMemoryQuery query = { .text = text, .now_us = DAY };
	g_autofree char *found = ids_of(memory, &query);

	assert_string_equal(found, ids);
}

static void assert_vector_finds(SpkMemory *memory, const float *vector, const char *ids)
{
	SpkMemoryQuery query = {
		.text = "", .now_us = DAY, .embedding = vector, .dims = DIMS
	};
	g_autofree char *found = ids_of(memory, &query);

	assert_string_equal(found, ids);
}

static SpkMemoryRow *row_of(const Fixture *f, const char *id)
{
	SpkMemoryRow *row = NULL;

	assert_true(spk_memories_get(f->store, id, &row, NULL));
	return row;
}

/* ---- finding ---- */

static void test_words(void **state)
{
	Fixture *f = *state;

	put(f->memory, "a", "the tests run with make check");
	put(f->memory, "b", "deploys go through the pipeline");
	assert_found(f->memory, "how are tests run?", "a");
	assert_found(f->memory, "pipeline OR \" NEAR( check", "b a");
	assert_found(f->memory, "elephants", "");
	assert_found(f->memory, "", "");
	put(f->memory, "c", "tests need a database");
	assert_found(f->memory, "tests database", "c a");
}

static void test_vectors(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, y[] = { 0, 2, 0, 0 }, xy[] = { 1, 0.5f, 0, 0 };
	const float none[] = { 0, 0, 0, 0 }, bad[] = { NAN, 0, 0, 0 };
	g_autofree char *a = add(f->memory, "a", "apples", x);
	g_autofree char *b = add(f->memory, "b", "bears", y);
	SpkMemoryNew wrong = { .text = "w", .embedding = x, .dims = DIMS - 1 };
	SpkMemoryQuery query = { .text = "", .embedding = x, .dims = DIMS + 1 };
	g_autoptr(GError) error = NULL;

	assert_vector_finds(f->memory, xy, "a b");
	assert_vector_finds(f->memory, y, "b a");
	/* another length, or no direction, is refused, and breaks nothing */
	assert_false(spk_memory_add(f->memory, &wrong, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	g_clear_error(&error);
	assert_null(spk_memory_search(f->memory, &query, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	g_clear_error(&error);
	wrong.dims = DIMS;
	wrong.embedding = none;
	assert_false(spk_memory_add(f->memory, &wrong, NULL, &error));
	g_clear_error(&error);
	wrong.embedding = bad;
	assert_false(spk_memory_add(f->memory, &wrong, NULL, &error));
	assert_vector_finds(f->memory, y, "b a");
}

static void test_filters(void **state)
{
	Fixture *f = *state;
	const char *scopes[] = { "repo:/x", "nowhere", NULL },
		   *kinds[] = { "failure", NULL };
	SpkMemoryNew new = { .id = "r", .text = "tests fail", .scope = "repo:/x" };
	SpkMemoryQuery query = { .text = "tests", .scopes = scopes };
	g_autofree char *in_scope = NULL, *of_kind = NULL, *neither = NULL, *one = NULL;
	g_auto(SpkMemoryAdded) first = { 0 }, second = { 0 };

	put(f->memory, "u", "tests are good");
	first = add_new(f->memory, &new);
	new.id = "k";
	new.kind = "failure";
	new.text = "the tests hung";
	second = add_new(f->memory, &new);
	in_scope = ids_of(f->memory, &query);
	assert_string_equal(in_scope, "r k");
	query.kinds = kinds;
	of_kind = ids_of(f->memory, &query);
	assert_string_equal(of_kind, "k");
	scopes[0] = "user";
	neither = ids_of(f->memory, &query);
	assert_string_equal(neither, "");
	query.scopes = query.kinds = NULL;
	query.k = 1;
	one = ids_of(f->memory, &query);
	assert_null(strchr(one, ' '));
}

/* A turn is found by the words of the one before it; a fact beside it in time is not. */
static void test_neighbours(void **state)
{
	Fixture *f = *state;
	SpkMemoryNew turns[] = {
		{ .id = "q",
		  .text = "Ann: which instrument does Nina play?",
		  .scope = "c" },
		{ .id = "a", .text = "Bob: the violin, since spring", .scope = "c" },
		{ .id = "f", .text = "the sky is blue", .scope = "c" },
		{ .id = "later", .text = "Ann: bye", .scope = "c" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
		g_auto(SpkMemoryAdded) added = { 0 };

		turns[i].time_us = DAY + (i == 3) * DAY + (gint64)i;
		added = add_new(f->memory, &turns[i]);
	}
	assert_found(f->memory, "instrument Nina", "q a");
}

/* ---- merging and superseding ---- */

static void test_merges(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, near[] = { 1, 0.1f, 0, 0 },
		    far[] = { 1, 1, 0, 0 };
	g_autofree char *a = add(f->memory, "a", "dark themes are liked", x);
	g_autofree char *b = add(f->memory, "b", "dark themes are preferred", near);
	g_autofree char *c = add(f->memory, "c", "themes are a matter of taste", far);
	g_autofree char *d = add(f->memory, "d", "dark themes are not liked", near);
	g_autofree char *again = add(f->memory, "a", "dark themes are liked much", x);
	g_autoptr(SpkMemoryRow) alias = row_of(f, "b");
	g_autoptr(GPtrArray) past = spk_memories_history(f->store, alias->num, NULL);
	gboolean was;

	assert_string_equal(b, "a");
	assert_string_equal(c, "");
	assert_string_equal(d, "");
	/* one that is there already is replaced */
	assert_string_equal(again, "");
	assert_string_equal(alias->id, "a");
	assert_string_equal(alias->text, "dark themes are liked much");
	assert_true(past->len > 0);
	/* and what was merged can be forgotten by its own name */
	assert_true(spk_memory_forget(f->memory, "b", &was, NULL) && was);
	assert_true(spk_memory_forget(f->memory, "b", &was, NULL) && !was);
}

static void test_merges_equal_text_without_vectors(void **state)
{
	Fixture *f = *state;
	g_autofree char *merged = NULL, *other = NULL;
	SpkMemoryNew elsewhere = { .id = "e", .text = "use tabs", .scope = "repo:/x" };
	g_auto(SpkMemoryAdded) added = { 0 };

	put(f->memory, "a", "use tabs");
	merged = add(f->memory, "b", "  use tabs\n", NULL);
	assert_string_equal(merged, "a");
	other = add(f->memory, "c", "use tabs, always", NULL);
	assert_string_equal(other, "");
	added = add_new(f->memory, &elsewhere);
	assert_null(added.merged_into);
}

/* "Note: ..." of a person, "Done: ..." of a task: nobody's turn, and stays so when it is edited. */
static void test_no_turn(void **state)
{
	Fixture *f = *state;
	SpkMemoryNew note = { .id = "n", .text = "Checks: make test" };
	SpkMemoryEdit edit = { .text = "Checks: make check", .confidence = -1 };
	g_autoptr(SpkMemoryRow) row = NULL, edited = NULL, turn = NULL;
	g_auto(SpkMemoryAdded) added = { 0 };

	assert_true(spk_memory_add(f->memory, &note, &added, NULL));
	assert_true(spk_memories_get(f->store, "n", &row, NULL));
	assert_null(row->speaker);
	assert_true(spk_memory_edit(f->memory, "n", &edit, NULL));
	assert_true(spk_memories_get(f->store, "n", &edited, NULL));
	assert_null(edited->speaker);
	g_free(add(f->memory, "t", "Ann: hello", NULL));
	assert_true(spk_memories_get(f->store, "t", &turn, NULL));
	assert_string_equal(turn->speaker, "Ann");
}

/* What a stranger's note says in other words stands for nothing that somebody trusted says. */
static void test_merges_by_trust(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, near[] = { 1, 0.1f, 0, 0 };
	SpkMemoryNew note = { .id = "n",
			      .text = "dark themes are liked",
			      .embedding = x,
			      .dims = DIMS,
			      .untrusted = TRUE },
		     said = { .id = "s",
			      .text = "dark themes are preferred",
			      .embedding = near,
			      .dims = DIMS },
		     again = { .id = "a",
			       .text = "dark themes are liked",
			       .embedding = x,
			       .dims = DIMS,
			       .untrusted = TRUE },
		     other = { .id = "o",
			       .text = "dark themes are what is preferred",
			       .embedding = near,
			       .dims = DIMS };
	g_auto(SpkMemoryAdded) first = add_new(f->memory, &note);
	g_auto(SpkMemoryAdded) second = add_new(f->memory, &said);
	g_auto(SpkMemoryAdded) third = add_new(f->memory, &again);
	g_auto(SpkMemoryAdded) fourth = add_new(f->memory, &other);
	g_autoptr(SpkMemoryRow) row = row_of(f, "s");

	assert_null(first.merged_into);
	assert_null(second.merged_into);
	assert_string_equal(second.superseded, "n");
	assert_false(row->untrusted);
	assert_string_equal(row->text, said.text);
	assert_string_equal(third.merged_into, "s");
	assert_string_equal(fourth.merged_into, "s");
	assert_vector_finds(f->memory, x, "s");
}

static void test_many_at_once(void **state)
{
	Fixture *f = *state;
	SpkMemoryNew adds[] = {
		{ .id = "a", .text = "one" },
		{ .id = "b", .text = "one" },
		{ .id = "c", .text = "" },
		{ .id = "d", .text = "two" },
		{ .id = "a", .text = "three" },
		{ .id = "e", .text = "x", .supersedes = "no" },
		{ .id = "g", .text = "four" },
	};
	SpkMemoryAdded added[G_N_ELEMENTS(adds)];
	GError *errors[G_N_ELEMENTS(adds)];
	g_autoptr(SpkMemoryRow) replaced = NULL;

	spk_memory_add_many(f->memory, adds, G_N_ELEMENTS(adds), added, errors);
	assert_null(errors[0]);
	assert_string_equal(added[1].merged_into, "a");
	assert_true(spk_error_is(errors[2], SPK_ERR_BAD_INPUT));
	assert_null(errors[3]);
	assert_null(errors[4]);
	assert_null(added[4].merged_into);
	assert_true(spk_error_is(errors[5], SPK_ERR_NOT_FOUND));
	assert_null(errors[6]);
	replaced = row_of(f, "a");
	assert_string_equal(replaced->text, "three");
	assert_found(f->memory, "two", "d");
	assert_found(f->memory, "four", "g");
	for (gsize i = 0; i < G_N_ELEMENTS(adds); i++) {
		spk_memory_added_clear(&added[i]);
		g_clear_error(&errors[i]);
	}
}

/* One that is at fault, or says what another of them says, makes no other one fail. */
static void test_many_of_one_id(void **state)
{
	Fixture *f = *state;
	SpkMemoryNew adds[] = {
		{ .id = "a", .text = "the first" },
		{ .id = "b", .text = "the second" },
		{ .id = "bad\nid", .text = "the second" },
		{ .id = "p", .text = "The database listens on port 5432" },
		{ .id = "p", .text = "The database listens on port 5433" },
		{ .id = "c", .text = "the third" },
		{ .id = "a", .text = "the first" },
	};
	SpkMemoryAdded added[G_N_ELEMENTS(adds)];
	GError *errors[G_N_ELEMENTS(adds)];
	g_autoptr(SpkMemoryRow) row = NULL;

	spk_memory_add_many(f->memory, adds, G_N_ELEMENTS(adds), added, errors);
	for (gsize i = 0; i < G_N_ELEMENTS(adds); i++) {
		if (i == 2)
			assert_true(spk_error_is(errors[i], SPK_ERR_BAD_INPUT));
		else if (errors[i])
			fail_msg("%s: %s", adds[i].id, errors[i]->message);
		assert_null(added[i].merged_into);
		assert_null(added[i].superseded);
		spk_memory_added_clear(&added[i]);
		g_clear_error(&errors[i]);
	}
	row = row_of(f, "p");
	assert_int_equal(row->state, SPK_MEMORY_ACTIVE);
	assert_string_equal(row->text, adds[4].text);
	assert_found(f->memory, "first second third", "c b a");
}

static void test_supersedes(void **state)
{
	Fixture *f = *state;
	SpkMemoryNew newer = { .id = "n",
			       .text = "The database listens on port 5433",
			       .time_us = 2 * DAY };
	SpkMemoryNew said = { .id = "s", .text = "tabs, in fact", .supersedes = "t" };
	g_auto(SpkMemoryAdded) by_itself = { 0 }, by_word = { 0 };
	g_autoptr(SpkMemoryRow) old = NULL;

	put(f->memory, "o", "The database listens on port 5432");
	put(f->memory, "t", "indent with spaces");
	by_itself = add_new(f->memory, &newer);
	assert_string_equal(by_itself.superseded, "o");
	by_word = add_new(f->memory, &said);
	assert_string_equal(by_word.superseded, "t");
	old = row_of(f, "o");
	assert_int_equal(old->state, SPK_MEMORY_SUPERSEDED);
	assert_string_equal(old->superseded_by, "n");
	assert_found(f->memory, "which port does the database listen on", "n");
	assert_found(f->memory, "spaces", "");
	/* An older statement that comes late contradicts nothing. */
	newer.id = "late";
	newer.text = "The database listens on port 5000";
	newer.time_us = DAY / 2;
	{
		g_auto(SpkMemoryAdded) late = add_new(f->memory, &newer);

		assert_null(late.superseded);
	}
}

/* ---- what is stored ---- */

static void test_cleaned(void **state)
{
	Fixture *f = *state;
	g_autofree char *key =
		g_strconcat("ghp_", "016C7e2fA9bQ4xYz81LmNoPqRsTuVw3D5kJh", NULL);
	g_autofree char *text =
		g_strdup_printf("the token is %s\x1b[31m and\x07 red", key);
	g_autofree char *huge = g_strnfill(SPK_MEMORY_TEXT_MAX + 1, 'x');
	const char *bad[] = { "", " \n ", huge, "\xff\xfe", NULL };
	g_autoptr(SpkMemoryRow) row = NULL;

	put(f->memory, "a", text);
	row = row_of(f, "a");
	assert_null(strstr(row->text, key));
	assert_null(strchr(row->text, '\x1b'));
	assert_non_null(strstr(row->text, "redacted"));
	for (gsize i = 0; bad[i]; i++) {
		SpkMemoryNew new = { .text = bad[i] };
		g_autoptr(GError) error = NULL;

		assert_false(spk_memory_add(f->memory, &new, NULL, &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
}

static void test_max_entries(void **state)
{
	Fixture *f = *state;

	open_with(f, "memory.max_entries=2");
	for (int i = 0; i < 4; i++) {
		g_autofree char *text = g_strdup_printf("number w%d", i);
		SpkMemoryNew new = { .text = text, .time_us = DAY * (4 - i) };
		g_auto(SpkMemoryAdded) added = { 0 };

		new.id = text + strlen("number ");
		added = add_new(f->memory, &new);
	}
	/* w0 is the youngest by what was said when; what was just added stays. */
	assert_found(f->memory, "w0", "w0");
	assert_found(f->memory, "w1", "");
	assert_found(f->memory, "w2", "");
	assert_found(f->memory, "w3", "w3");
}

/* Far more than there may be, as after a lowered limit: all at once, but not without end. */
static void test_far_beyond_max_entries(void **state)
{
	Fixture *f = *state;
	SpkMemoryList active = { .state = SPK_MEMORY_ACTIVE };
	SpkMemoryStamp before, after;
	gint64 n;

	open_with(f, "memory.max_entries=0");
	for (int i = 0; i < 300; i++) {
		g_autofree char *id = g_strdup_printf("m%d", i);
		g_autoptr(SpkMemoryRow) row = g_new0(SpkMemoryRow, 1);

		row->text = g_strdup_printf("number w%d", i);
		row->id = g_steal_pointer(&id);
		row->kind = g_strdup("fact");
		row->scope = g_strdup("user");
		row->source = g_strdup("user");
		row->confidence = 1;
		row->time_us = DAY + i;
		assert_true(spk_memories_put(f->store, row, NULL, 0, NULL));
	}
	open_with(f, "memory.max_entries=10");
	assert_true(spk_memories_stamp(f->store, &before, NULL));
	put(f->memory, "old", "of long ago"); /* at DAY */
	assert_true(spk_memories_stamp(f->store, &after, NULL));
	assert_int_equal(after.change - before.change, 1 + 256);
	assert_true(spk_memories_count(f->store, &active, &n, NULL));
	assert_int_equal(n, 301 - 256);
	assert_found(f->memory, "long ago", "old");
	put(f->memory, "next", "another one");
	assert_true(spk_memories_count(f->store, &active, &n, NULL));
	assert_int_equal(n, 10);
	assert_found(f->memory, "w299", "m299");
}

/* ---- changes, and other processes ---- */

static void test_forget_and_edit(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, y[] = { 0, 1, 0, 0 };
	g_autofree char *a = add(f->memory, "a", "apples are red", x);
	g_autofree char *b = add(f->memory, "b", "bears are brown", y);
	SpkMemoryEdit edit = { .text = "cherries are red", .confidence = -1 };
	g_autoptr(GError) error = NULL;
	gboolean was;

	assert_found(f->memory, "apples", "a");
	assert_vector_finds(f->memory, y, "b a");
	assert_true(spk_memory_forget(f->memory, "b", &was, NULL) && was);
	assert_vector_finds(f->memory, y, "a");
	assert_found(f->memory, "bears", "");
	assert_true(spk_memory_edit(f->memory, "a", &edit, NULL));
	assert_found(f->memory, "apples", "");
	assert_found(f->memory, "cherries", "a");
	/* the vector was that of the old text */
	assert_vector_finds(f->memory, x, "");
	assert_false(spk_memory_edit(f->memory, "b", &edit, &error));
	assert_true(spk_error_is(error, SPK_ERR_NOT_FOUND));
}

static void test_other_process(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, y[] = { 0, 1, 0, 0 };
	g_autoptr(SpkStore) store = open_store(f);
	g_autoptr(SpkMemory) other = spk_memory_open(store, f->conf, f->folder, NULL);
	g_autofree char *a = add(f->memory, "a", "apples", x);
	g_autofree char *b = NULL, *c = NULL;
	gboolean was;

	assert_vector_finds(other, x, "a");
	b = add(other, "b", "bears", y);
	assert_vector_finds(f->memory, y, "b a");
	/* both have written since the other looked */
	c = add(f->memory, "c", "apples!", x);
	assert_string_equal(c, "a");
	assert_true(spk_memory_forget(other, "a", &was, NULL) && was);
	assert_vector_finds(f->memory, x, "b");
	assert_found(f->memory, "apples", "");
}

/* A result that is kept is the one that a search anew would give, whatever was written. */
static void test_kept_results(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkStore) store = open_store(f);
	g_autoptr(SpkMemory) other = spk_memory_open(store, f->conf, f->folder, NULL);
	gboolean was;

	put(f->memory, "a", "tests run with make");
	assert_found(f->memory, "tests", "a");
	assert_found(f->memory, "tests", "a");
	put(other, "b", "tests tests tests");
	assert_found(f->memory, "tests", "b a");
	assert_true(spk_memories_retire(store, "b", &was, NULL) && was);
	assert_found(f->memory, "tests", "a");
}

static gpointer adds_and_asks(gpointer user)
{
	SpkMemory *memory = user;

	for (int i = 0; i < 40; i++) {
		float vector[DIMS] = { 1, (float)i, (float)(i * i), 1 };
		g_autofree char *text =
			g_strdup_printf("thread %p says w%d", (void *)&i, i);
		SpkMemoryNew new = { .text = text, .embedding = vector, .dims = DIMS };
		SpkMemoryQuery query = {
			.text = text, .k = 5, .embedding = vector, .dims = DIMS
		};
		g_autoptr(GPtrArray) hits = NULL;

		if (!spk_memory_add(memory, &new, NULL, NULL))
			return (gpointer) "add";
		hits = spk_memory_search(memory, &query, NULL);
		if (!hits || !hits->len)
			return (gpointer) "search";
	}
	return NULL;
}

static void test_threads(void **state)
{
	Fixture *f = *state;
	GThread *threads[4];

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("memory", adds_and_asks, f->memory);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_null(g_thread_join(threads[i]));
}

/* ---- the index is a cache ---- */

static void test_index_file(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, y[] = { 0, 1, 0, 0 };
	g_autofree char *a = add(f->memory, "a", "apples", x);
	g_autofree char *path = g_strdup(spk_memory_index_path(f->memory)), *b = NULL;

	assert_true(g_str_has_suffix(path, "/memory.index"));
	assert_true(spk_memory_rebuild(f->memory, NULL));
	assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
	b = add(f->memory, "b", "bears", y);
	open_with(f, NULL); /* the file is behind by one */
	assert_vector_finds(f->memory, y, "b a");
	open_with(f, NULL);
	assert_true(g_file_set_contents(path, "no index", -1, NULL));
	assert_vector_finds(f->memory, x, "a b");
	open_with(f, NULL);
	assert_int_equal(g_unlink(path), 0);
	assert_vector_finds(f->memory, x, "a b");
}

/* ---- with a model ---- */

static float *vector_of(const Fixture *f, const char *id)
{
	g_autoptr(SpkMemoryRow) row = row_of(f, id);
	g_autofree char *model = spk_memory_model(f->memory);
	float *vector = NULL;
	guint dims;

	assert_true(spk_memories_vector(f->store, row->num, model, &vector, &dims, NULL));
	return vector;
}

static double likeness(const float *a, const float *b)
{
	double sum = 0;

	for (int i = 0; i < TINY_HIDDEN; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static void say(SpkMemory *memory, const char *id, const char *text, gint64 minute)
{
	SpkMemoryNew new = { .id = id,
			     .text = text,
			     .scope = "c",
			     .time_us = DAY + minute * 60 * G_USEC_PER_SEC };
	g_auto(SpkMemoryAdded) added = add_new(memory, &new);
}

/* A turn's vector has something of the two turns before it, and loses it with them; the names of
 * the speakers are not in it. */
static void test_turn_before(void **state)
{
	Fixture *f = *state;
	const char *body = "c d e", *text = "Ann: c d e";
	g_autofree float *with = NULL, *without = NULL, *alone = NULL, *between = NULL;
	g_autofree float *one_left = NULL;
	guint dims;
	gboolean was;

	alone = spk_memory_embed(f->memory, &body, 1, SPK_EMBED_PASSAGE, &dims, NULL);
	assert_int_equal(dims, TINY_HIDDEN);
	say(f->memory, "one", "Bob: a b a b i", 1);
	say(f->memory, "two", text, 5);
	with = vector_of(f, "two");
	assert_non_null(with);
	assert_true(likeness(with, alone) < 0.9999);
	/* One that comes late stands between. */
	say(f->memory, "late", "Bob: h h h g", 3);
	between = vector_of(f, "two");
	assert_true(likeness(with, between) < 0.9999);
	assert_true(spk_memory_forget(f->memory, "one", &was, NULL) && was);
	one_left = vector_of(f, "two");
	assert_true(likeness(one_left, between) < 0.9999);
	assert_true(likeness(one_left, alone) < 0.9999);
	assert_true(spk_memory_forget(f->memory, "late", &was, NULL) && was);
	without = vector_of(f, "two");
	assert_true(likeness(without, alone) > 0.9999);
}

/* It loses it even when nothing can be made in its place. */
static void test_turn_before_without_another(void **state)
{
	Fixture *f = *state;
	g_autoptr(GArray) nexts = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(SpkMemoryRow) one = NULL;
	g_autofree float *two = NULL, *three = NULL;
	guint left;

	say(f->memory, "one", "Bob: a b a b i", 1);
	say(f->memory, "two", "Ann: c d e", 5);
	say(f->memory, "three", "Eve: f g", 6);
	one = row_of(f, "one");
	assert_true(spk_memory_part_next(f->memory, one, nexts, NULL));
	assert_int_equal(nexts->len, 2);
	two = vector_of(f, "two");
	three = vector_of(f, "three");
	assert_null(two);
	assert_null(three);
	assert_true(spk_memory_fill(f->memory, 10, &left, NULL, NULL));
	assert_int_equal(left, 0);
	two = vector_of(f, "two");
	assert_non_null(two);
}

/* What is refused changes nothing: not the turns behind it, not what an id was merged into. */
static void test_refused_changes_nothing(void **state)
{
	Fixture *f = *state;
	SpkMemoryEdit edit = { .kind = "", .confidence = -1 };
	SpkMemoryNew alias = { .id = "again", .text = "c d", .kind = "x\ny" };
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autofree float *two = NULL;
	g_autofree char *merged = NULL;
	g_autoptr(GError) error = NULL;

	say(f->memory, "one", "Bob: a b a b i", 1);
	say(f->memory, "two", "Ann: c d e", 5);
	assert_false(spk_memory_edit(f->memory, "one", &edit, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	g_clear_error(&error);
	two = vector_of(f, "two");
	assert_non_null(two);
	put(f->memory, "fact", "g h");
	merged = add(f->memory, "again", "g h", NULL);
	assert_string_equal(merged, "fact");
	assert_false(spk_memory_add(f->memory, &alias, NULL, &error));
	assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	row = row_of(f, "again");
	assert_string_equal(row->id, "fact");
	assert_int_equal(row->merged, 1);
}

static void test_fill(void **state)
{
	Fixture *f = *state;
	g_autofree char *model = g_steal_pointer(&f->model);
	g_autofree float *none = NULL, *made = NULL;
	guint left;

	open_with(f, NULL); /* without the model */
	say(f->memory, "one", "a b c", 1);
	say(f->memory, "two", "d e f", 2);
	assert_true(spk_memory_fill(f->memory, 10, &left, NULL, NULL));
	f->model = g_steal_pointer(&model);
	open_with(f, NULL);
	none = vector_of(f, "one");
	assert_null(none);
	assert_true(spk_memory_fill(f->memory, 1, &left, NULL, NULL));
	assert_int_equal(left, 1);
	assert_true(spk_memory_fill(f->memory, 10, &left, NULL, NULL));
	assert_int_equal(left, 0);
	made = vector_of(f, "two");
	assert_non_null(made);
}

/* A vector of no numbers stops no search and is made anew. */
static void test_damaged_vector(void **state)
{
	Fixture *f = *state;
	const float x[] = { 1, 0, 0, 0 }, y[] = { 0, 1, 0, 0 };
	g_autofree char *a = add(f->memory, "a", "apples are red", x);
	g_autofree char *b = add(f->memory, "b", "bears are brown", y);
	sqlite3 *db = NULL;
	gint64 n = 0;

	assert_int_equal(sqlite3_open(spk_store_path(f->store), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE memory_vectors SET vector ="
				      " x'0000c07f0000c07f0000c07f0000c07f'"
				      " WHERE num = 1",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	open_with(f, NULL);
	assert_vector_finds(f->memory, y, "b");
	assert_true(spk_memory_without_vector(f->memory, &n, NULL));
	assert_int_equal(n, 1);
	assert_found(f->memory, "apples", "a");
}

#define WITH(fn)       cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define WITH_MODEL(fn) cmocka_unit_test_setup_teardown(fn, setup_model, teardown)

const struct CMUnitTest remember_tests[] = {
	WITH(test_words),
	WITH(test_vectors),
	WITH(test_filters),
	WITH(test_neighbours),
	WITH(test_merges),
	WITH(test_merges_equal_text_without_vectors),
	WITH(test_merges_by_trust),
	WITH(test_many_at_once),
	WITH(test_many_of_one_id),
	WITH(test_no_turn),
	WITH(test_supersedes),
	WITH(test_cleaned),
	WITH(test_max_entries),
	WITH(test_far_beyond_max_entries),
	WITH(test_forget_and_edit),
	WITH(test_other_process),
	WITH(test_kept_results),
	WITH(test_threads),
	WITH(test_index_file),
	WITH(test_damaged_vector),
	WITH_MODEL(test_turn_before),
	WITH_MODEL(test_turn_before_without_another),
	WITH_MODEL(test_refused_changes_nothing),
	WITH_MODEL(test_fill),
};
const size_t n_remember_tests = G_N_ELEMENTS(remember_tests);
