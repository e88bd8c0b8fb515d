/* Memories that come and go in numbers: pruning, export, import, the reference's database. */
#include "test_memory.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/veil.h"
#include "store/memory_moves.h"

#define DAY_MS (G_GINT64_CONSTANT(86400) * 1000)

/* ---- pruning ---- */

static void test_prune(void **state)
{
	Fixture *f = *state;
	SpkMemoryPrune rules = { .half_life_days = 30, .min_score = 0.1 };
	g_autoptr(GPtrArray) old = NULL, more = NULL, none = NULL;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *found = NULL;
	gsize n;

	for (int i = 0; i < 5; i++) { /* 160, 120, 80, 40 and 0 days ago */
		g_autofree char *id = g_strdup_printf("m%d", i);

		memory_put(f->store, id, "something of a certain age");
		if (i < 4)
			clock_add_ms(40 * DAY_MS);
	}
	old = spk_memories_prune_find(f->store, &rules, NULL);
	assert_int_equal(old->len, 2);
	assert_string_equal(((SpkMemoryOld *)old->pdata[0])->row->id, "m0");
	assert_true(((SpkMemoryOld *)old->pdata[1])->score > 0.06 &&
		    ((SpkMemoryOld *)old->pdata[1])->score < 0.065); /* 2^-4 */
	rules.max_entries = 2;
	more = spk_memories_prune_find(f->store, &rules, NULL);
	assert_int_equal(more->len, 3);
	rules.max_entries = 0;
	assert_ok(spk_memories_prune(f->store, &rules, &n, ERR));
	assert_int_equal(n, 2);
	found = memory_matches(f->store, "certain age", NULL);
	assert_string_equal(found, "m4 m3 m2");
	assert_ok(spk_memories_get(f->store, "m0", &row, ERR));
	assert_int_equal(row->state, SPK_MEMORY_RETIRED);
	assert_ok(spk_memories_check(f->store, ERR));
	clock_add_ms(-4000 * DAY_MS); /* a clock that goes backwards makes nothing old */
	none = spk_memories_prune_find(f->store, &rules, NULL);
	assert_int_equal(none->len, 0);
	rules.half_life_days = 0;
	assert_null(spk_memories_prune_find(f->store, &rules, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
}

/* ---- JSON lines ---- */

static gboolean add_line(const char *line, gpointer user, GError **error)
{
	g_string_append(user, line);
	g_string_append_c(user, '\n');
	return TRUE;
}

static char *export(SpkStore *store, gboolean vectors)
{
	GString *text = g_string_new(NULL);

	assert_ok(spk_memories_export(store, vectors, add_line, text, ERR));
	return g_string_free(text, FALSE);
}

static int file_with(const Fixture *f, const char *text, gssize len)
{
	g_autofree char *path = g_build_filename(f->folder, "lines", NULL);
	int fd;

	assert_true(g_file_set_contents(path, text, len, NULL));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static gboolean import(const Fixture *f, SpkStore *store, const char *text,
		       SpkMemoryMoved *ret, GError **error)
{
	int fd = file_with(f, text, -1);
	gboolean ok = spk_memories_import(store, fd, NULL, ret, error);

	close(fd);
	return ok;
}

static SpkStore *second(const Fixture *f)
{
	g_autofree char *path = g_build_filename(f->folder, "second.db", NULL);
	SpkStore *store = spk_store_open(path, "normal", 0, NULL);

	assert_non_null(store);
	return store;
}

static void fill(SpkStore *store)
{
	static const float vector[] = { 0.6f, -0.8f, 1e-7f };
	g_autoptr(SpkMemoryRow)
		first = memory_new("m1", "the port is 80\"80\n\xe2\x82\xac");
	g_autoptr(SpkMemoryRow) like = memory_new("m1b", "its port is 8080");
	g_autoptr(SpkMemoryRow) second = memory_new("m2", "the port is 9090");

	first->model = g_strdup("tiny");
	first->task = g_strdup("aaaa00000001");
	first->entry = 3;
	first->untrusted = TRUE;
	first->confidence = 1.0 / 3;
	first->speaker = g_strdup("Ann");
	assert_ok(spk_memories_put(store, first, vector, 3, ERR));
	for (int i = 0; i < 3; i++) {
		clock_add_ms(1);
		g_free(first->text);
		first->text = g_strdup_printf("the port is %d", i);
		assert_ok(spk_memories_edit(store, first, vector, 3, ERR));
	}
	assert_ok(spk_memories_merge(store, "m1", like, ERR));
	clock_add_ms(1);
	second->supersedes = g_strdup("m1");
	assert_ok(spk_memories_put(store, second, NULL, 0, ERR));
}

static void test_export_import(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkStore) other = second(f);
	g_autofree char *lines = NULL, *again = NULL, *found = NULL, *bare = NULL;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_auto(SpkMemoryMoved) moved = { 0 };

	fill(f->store);
	lines = export(f->store, TRUE);
	assert_ok(import(f, other, lines, &moved, ERR));
	assert_int_equal(moved.taken, 2);
	assert_int_equal(moved.vectors, 1);
	assert_int_equal(moved.refused, 0);
	again = export(other, TRUE);
	assert_string_equal(again, lines);
	assert_ok(spk_memories_check(other, ERR));
	found = memory_matches(other, "port", NULL);
	assert_string_equal(found, "m2");
	assert_ok(spk_memories_get(other, "m1b", &row, ERR));
	assert_string_equal(row->id, "m1");
	/* again: nothing is doubled */
	assert_ok(import(f, other, lines, &moved, ERR));
	assert_int_equal(moved.taken, 0);
	assert_int_equal(moved.there, 2);
	bare = export(f->store, FALSE);
	assert_null(strstr(bare, "vectors"));
}

#define LINE(id, text, kind, scope, source, rest)                           \
	"{\"id\":\"" id "\",\"text\":\"" text "\",\"kind\":\"" kind         \
	"\",\"scope\":\"" scope "\",\"source\":\"" source                   \
	"\",\"entry\":0,\"untrusted\":false,\"time_us\":1,\"stored_us\":1," \
	"\"updated_us\":1,\"confidence\":1.0,\"state\":\"active\"" rest "}\n"
#define MEMORY(id, rest) LINE(id, "t", "fact", "user", "s", rest)
#define PAST(what)                                                   \
	",\"past\":[{" what ",\"source\":\"x hunter2\",\"entry\":0," \
	"\"time_us\":1,\"at_us\":1}]"
#define VECTOR ",\"vectors\":{\"m\":\"AACAPw==\"}"

static void test_import_refuses(void **state)
{
	Fixture *f = *state;
	g_autoptr(GError) error = NULL;
	g_auto(SpkMemoryMoved) moved = { 0 };

	assert_ok(import(
		f, f->store,
		"{\"memories\":1}\n" MEMORY("good", "") "not JSON\n\n[]\n{}\n" MEMORY(
			"good2", "") MEMORY("a", ",\"past\":3") MEMORY("b",
								       ",\"past\":[{}]")
			MEMORY("c", ",\"vectors\":{\"m\":\"AAAA\"}") MEMORY(
				"d", ",\"vectors\":{\"m\":\"AADAfw==\"}") /* no number */
		MEMORY("e", ",\"kind\":\"twice\"") MEMORY("", "") MEMORY("f\\u0000g", "")
			MEMORY("last", ""),
		&moved, ERR));
	assert_int_equal(moved.taken, 3);
	assert_int_equal(moved.refused, 10);
	assert_int_equal(moved.read, 13);
	assert_non_null(strstr(moved.why->pdata[0], "line 3: "));
	assert_ok(spk_memories_check(f->store, ERR));
	spk_memory_moved_clear(&moved);
	assert_false(import(f, f->store, "{\"memories\":2}\n", &moved, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
	assert_false(import(f, f->store, "", &moved, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
	assert_false(import(f, f->store,
			    "\x7f"
			    "ELF\n",
			    &moved, &error));
	assert_failed(&error, SPK_ERR_BAD_INPUT);
}

static char *hide(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "hunter2", -1);

	return g_strjoinv("[hidden]", parts);
}

/* A file that anybody wrote: what would not be stored from elsewhere isn't from there. */
/* clang-format off */
static void test_import_is_cleaned(void **state)
{
	static const SpkVeil veil = { .text = hide };
	Fixture *f = *state;
	g_auto(SpkMemoryMoved) moved = { 0 };
	g_autofree char *lines = NULL;
	gboolean ok;

	spk_veil_set(&veil);
	ok = import(f, f->store,
		    "{\"memories\":1}\n"
		    LINE("a", " the\\u001b[2J password is hunter2 ", "fact", "user",
			 "x\\u009b2J hunter2",
			 VECTOR PAST("\"text\":\"it was hunter2\\u202e\""))
		    MEMORY("b", VECTOR)
		    MEMORY("c\\u009b2J", "")
		    MEMORY("d\\u202e", "")
		    LINE("e", "t", "fa\\u200bct", "user", "s", "")
		    MEMORY("f", PAST("\"id\":\"g\\u202e\""))
		    LINE("h", "t", "fact", "x\\u0085", "s", ""),
		    &moved, NULL);
	spk_veil_set(NULL);
	assert_true(ok);
	assert_int_equal(moved.taken, 2);
	assert_int_equal(moved.vectors, 1); /* the other one was of the secret */
	assert_int_equal(moved.refused, 5);
	lines = export(f->store, TRUE);
	assert_non_null(strstr(lines, "\"text\":\"the password is [hidden]\""));
	assert_non_null(strstr(lines, "\"text\":\"it was [hidden]\""));
	assert_null(strstr(lines, "hunter2"));
	assert_null(strstr(lines, "\\u"));
	assert_null(strstr(lines, "\xc2\x9b"));
}
/* clang-format on */

static void test_import_of_a_long_line(void **state)
{
	Fixture *f = *state;
	g_autoptr(GString) text = g_string_new("{\"memories\":1}\n");
	g_autofree char *long_line = g_strnfill(40 << 20, 'x');
	g_auto(SpkMemoryMoved) moved = { 0 };

	g_string_append_printf(text, "%s\n%s", long_line, MEMORY("good", ""));
	assert_ok(import(f, f->store, text->str, &moved, ERR));
	assert_int_equal(moved.taken, 1);
	assert_int_equal(moved.refused, 1);
}

/* ---- the reference's database ---- */

static char *make_reference(const Fixture *f, const char *rows)
{
	char *path = g_build_filename(f->folder, "sparks.db", NULL);
	g_autofree char *sql = g_strdup_printf(
		"CREATE TABLE memories (id INTEGER PRIMARY KEY, category TEXT, content TEXT,"
		" active INTEGER, created_at TEXT, updated_at TEXT, embedding BLOB);"
		"CREATE VIRTUAL TABLE memories_fts USING fts5(content);"
		"CREATE TABLE conversations (id INTEGER, role TEXT);%s",
		rows);
	sqlite3 *sqlite = NULL;
	char *problem = NULL;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	if (sqlite3_exec(sqlite, sql, NULL, NULL, &problem) != SQLITE_OK)
		fail_msg("%s", problem);
	sqlite3_close(sqlite);
	return path;
}

static char *hash_of(const char *path)
{
	g_autofree char *data = NULL;
	gsize len;

	assert_true(g_file_get_contents(path, &data, &len, NULL));
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)data, len);
}

static const char some_rows[] =
	"INSERT INTO memories VALUES"
	" (1, 'preference', 'tabs are 8 wide', 1, '2024-05-01 10:00:00', NULL,"
	"  zeroblob(1532) || x'0000003f'),"
	" (2, 'lesson', 'run make clean first', 0, 1714557600, NULL, NULL),"
	" (3, NULL, 'no category', 1, '2024-05-01T12:00:00+02:00', NULL, x'00'),"
	" (4, 'fact', '', 1, 'never', NULL, NULL),"
	" (5, 'fact', NULL, 1, NULL, NULL, NULL),"
	" (6, 'fact', x'ff00fe', 1, 5, NULL, NULL),"
	" (7, 'fact', 'with \x1b[31mcolour', 1, '2024-05-01 10:00:00', NULL,"
	"  zeroblob(1536));";

static void test_reference(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = make_reference(f, some_rows);
	g_autofree char *before = hash_of(path), *after = NULL, *found = NULL;
	SpkMemoryList all = { .state = -1, .oldest_first = TRUE };
	g_auto(SpkMemoryMoved) moved = { 0 };
	g_autoptr(GPtrArray) rows = NULL;
	g_autofree float *vector = NULL;
	const SpkMemoryRow *row = NULL;
	guint dims;

	assert_ok(
		spk_memories_import_reference(f->store, path, "mini", NULL, &moved, ERR));
	assert_int_equal(moved.read, 7);
	assert_int_equal(moved.refused, 2); /* 4 and 5: empty */
	assert_int_equal(moved.taken, 5);
	assert_int_equal(moved.vectors, 1);
	found = memory_matches(f->store, "tab wide", NULL);
	assert_true(g_str_has_prefix(found, "ref-1-"));
	rows = spk_memories_list(f->store, &all, NULL);
	for (guint i = 0; i < rows->len; i++) {
		const SpkMemoryRow *r = rows->pdata[i];

		assert_null(strchr(r->text, '\x1b'));
		if (g_str_has_prefix(r->id, "ref-1-"))
			row = r;
		if (g_str_has_prefix(r->id, "ref-2-"))
			assert_int_equal(r->state, SPK_MEMORY_RETIRED);
		if (g_str_has_prefix(r->id, "ref-2-") ||
		    g_str_has_prefix(r->id, "ref-3-"))
			assert_int_equal(r->time_us / G_USEC_PER_SEC, 1714557600);
	}
	assert_non_null(row);
	assert_string_equal(row->kind, "preference");
	assert_int_equal(row->time_us / G_USEC_PER_SEC, 1714557600);
	assert_ok(spk_memories_vector(f->store, row->num, "mini", &vector, &dims, ERR));
	assert_true(dims == 384 && vector[383] == 1); /* of length 1 now */
	spk_memory_moved_clear(&moved);
	assert_ok(
		spk_memories_import_reference(f->store, path, "mini", NULL, &moved, ERR));
	assert_int_equal(moved.taken, 0);
	assert_int_equal(moved.there, 5);
	after = hash_of(path);
	assert_string_equal(after, before);
	assert_ok(spk_memories_check(f->store, ERR));
}

/* Its program runs: what is in the -wal file counts, and nothing is written beside it. */
static void test_reference_in_use(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = make_reference(f, some_rows);
	g_autofree char *wal = g_strconcat(path, "-wal", NULL);
	g_autofree char *before = NULL, *after = NULL, *wal_before = NULL,
			*wal_after = NULL;
	g_auto(SpkMemoryMoved) moved = { 0 };
	sqlite3 *sqlite = NULL;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(sqlite,
			     "PRAGMA journal_mode = WAL; INSERT INTO memories VALUES"
			     " (8, 'fact', 'only in the log', 1, 5, NULL, NULL)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	before = hash_of(path);
	wal_before = hash_of(wal);
	assert_ok(spk_memories_import_reference(f->store, path, NULL, NULL, &moved, ERR));
	assert_int_equal(moved.taken, 6);
	assert_int_equal(moved.vectors, 0);
	after = hash_of(path);
	wal_after = hash_of(wal);
	assert_string_equal(after, before);
	assert_string_equal(wal_after, wal_before);
	sqlite3_close(sqlite);
}

static void refuse_reference(const Fixture *f, const char *path, SpkErr code)
{
	g_auto(SpkMemoryMoved) moved = { 0 };
	g_autoptr(GError) error = NULL;

	assert_false(spk_memories_import_reference(f->store, path, NULL, NULL, &moved,
						   &error));
	assert_non_null(spk_error_hint(error));
	assert_failed(&error, code);
}

static void test_reference_refused(void **state)
{
	Fixture *f = *state;
	g_autofree char *text = g_build_filename(f->folder, "text", NULL);
	g_autofree char *view = g_build_filename(f->folder, "view.db", NULL);
	sqlite3 *sqlite = NULL;

	refuse_reference(f, "/nonexistent/x.db", SPK_ERR_NOT_FOUND);
	refuse_reference(f, f->folder, SPK_ERR_BAD_INPUT);
	refuse_reference(f, f->path, SPK_ERR_BAD_INPUT); /* ours */
	assert_true(g_file_set_contents(text, "not a database, but long enough for one",
					-1, NULL));
	refuse_reference(f, text, SPK_ERR_BAD_INPUT);
	/* a view may run for ever: only tables are read */
	assert_int_equal(sqlite3_open(view, &sqlite), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(sqlite,
			     "CREATE VIEW memories AS WITH RECURSIVE c(id) AS (SELECT 1"
			     " UNION ALL SELECT id FROM c) SELECT id, 'a' category,"
			     " 'b' content, 1 active, 1 created_at FROM c",
			     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(sqlite);
	refuse_reference(f, view, SPK_ERR_BAD_INPUT);
}

/* Bytes of it changed, or its end cut off: an error or some rows, and our own store is whole. */
static void test_reference_mutated(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = make_reference(f, some_rows);
	g_autofree char *data = NULL;
	unsigned seed = 11;
	guint told = 0;
	gsize len;

	assert_true(g_file_get_contents(path, &data, &len, NULL));
	for (int round = 0; round < 300; round++) {
		g_autofree char *copy = g_memdup2(data, len);
		g_autoptr(GError) error = NULL;
		g_auto(SpkMemoryMoved) moved = { 0 };
		gsize size = round % 5 ? len : (gsize)rand_r(&seed) % len;

		for (int i = rand_r(&seed) % 12; i >= 0; i--) {
			gsize at = (gsize)rand_r(&seed) % (round % 2 ? len : 200);

			copy[at] = (char)rand_r(&seed);
		}
		assert_true(g_file_set_contents(path, copy, (gssize)size, NULL));
		if (!spk_memories_import_reference(f->store, path, "mini", NULL, &moved,
						   &error)) {
			assert_non_null(error);
			told++;
		}
		assert_true(moved.read < 100);
	}
	assert_true(told > 20);
	assert_ok(spk_memories_check(f->store, ERR));
	assert_ok(spk_store_check(f->store, ERR));
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_prune),
	STORE_TEST(test_export_import),
	STORE_TEST(test_import_refuses),
	STORE_TEST(test_import_is_cleaned),
	STORE_TEST(test_import_of_a_long_line),
	STORE_TEST(test_reference),
	STORE_TEST(test_reference_in_use),
	STORE_TEST(test_reference_refused),
	STORE_TEST(test_reference_mutated),
};
const Suite moves_suite = { tests, G_N_ELEMENTS(tests) };
