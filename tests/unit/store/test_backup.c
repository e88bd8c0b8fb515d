/* Copies of the store, and what a journal is thinned to. */
#include "test_store.h"

#include <sys/stat.h>
#include <unistd.h>

static char *backup_path(const Fixture *f)
{
	return g_build_filename(f->folder, "copy.db", NULL);
}

static void assert_goal(SpkStore *store, const char *id, gboolean there)
{
	g_autoptr(SpkTask) task = spk_task_get(store, id, NULL);

	assert_int_equal(task != NULL, there);
}

static void test_there_and_back(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL;
	g_autoptr(SpkStore) before = NULL;
	struct stat st;

	add_task(f->store, "aaaa00000001");
	assert_ok(spk_store_backup(f->store, path, FALSE, NULL, ERR));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	add_task(f->store, "bbbb00000001");
	assert_ok(spk_store_restore(f->store, path, &aside, NULL, ERR));
	assert_goal(f->store, "aaaa00000001", TRUE);
	assert_goal(f->store, "bbbb00000001", FALSE);
	assert_ok(spk_store_check(f->store, ERR));
	/* nothing is lost: what was there lies beside it */
	before = spk_store_open(aside, "normal", SPK_STORE_MUST_EXIST, NULL);
	assert_non_null(before);
	assert_goal(before, "bbbb00000001", TRUE);
}

static void test_not_over_a_file(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *text = NULL;
	g_autoptr(GError) error = NULL;

	assert_true(g_file_set_contents(path, "mine", -1, NULL));
	assert_false(spk_store_backup(f->store, path, FALSE, NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "mine");
	assert_ok(spk_store_backup(f->store, path, TRUE, NULL, ERR));
	assert_false(spk_store_backup(f->store, f->folder, TRUE, NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

static guint count_files(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir))
		n++;
	return n;
}

static void test_cancelled_leaves_nothing(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f);
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;
	guint before = count_files(f->folder);

	spk_cancel_fire(cancel, "by the test");
	assert_false(spk_store_backup(f->store, path, FALSE, cancel, &error));
	assert_failed(&error, SPK_ERR_CANCELLED);
	assert_int_equal(count_files(f->folder), before);
}

/* Whoever held a task before the restore holds it no longer. */
static void test_old_holders_are_fenced(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL;
	g_autoptr(SpkLease) lease = NULL, again = NULL;
	g_autoptr(GError) error = NULL;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	assert_ok(spk_store_backup(f->store, path, FALSE, NULL, ERR));
	assert_false(spk_store_restore(f->store, path, &aside, NULL, &error));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_ok(spk_lease_release(f->store, lease, ERR));
	assert_ok(spk_store_restore(f->store, path, &aside, NULL, ERR));
	assert_false(spk_journal_append(f->store, lease->task, lease->token, "note",
					SPK_EFFECT_PURE, NULL, NULL, &error));
	assert_failed(&error, SPK_ERR_LEASE_LOST);
	again = hold(f->store, "aaaa00000001");
	assert_true(again->token > lease->token);
}

static void test_not_under_a_daemon(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL;
	g_autoptr(GError) error = NULL;

	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	assert_ok(spk_store_backup(f->store, path, FALSE, NULL, ERR));
	assert_false(spk_store_restore(f->store, path, &aside, NULL, &error));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_null(aside);
	assert_ok(spk_worker_unregister(f->store, spk_holder_self(), ERR));
	/* the copy names the daemon too, which must not count afterwards */
	assert_ok(spk_store_restore(f->store, path, &aside, NULL, ERR));
	assert_null(spk_worker_find(f->store, NULL));
}

static void test_what_is_no_backup(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *junk = g_strnfill(8192, 'x');

	add_task(f->store, "aaaa00000001");
	assert_false(spk_store_restore(f->store, path, &aside, NULL, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	assert_true(g_file_set_contents(path, junk, -1, NULL));
	assert_false(spk_store_restore(f->store, path, &aside, NULL, &error));
	assert_failed(&error, SPK_ERR_CORRUPT);
	assert_goal(f->store, "aaaa00000001", TRUE);
	assert_null(aside);
}

static void test_damaged_backup(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL, *bytes = NULL;
	g_autoptr(GError) error = NULL;
	gsize len;

	for (guint i = 1; i < 200; i++) {
		g_autofree char *id = g_strdup_printf("aaaa%08u", i);

		add_task(f->store, id);
	}
	assert_ok(spk_store_backup(f->store, path, FALSE, NULL, ERR));
	assert_true(g_file_get_contents(path, &bytes, &len, NULL));
	memset(bytes + len / 2, 0x5a, 4096);
	assert_true(g_file_set_contents(path, bytes, len, NULL));
	assert_false(spk_store_restore(f->store, path, &aside, NULL, &error));
	assert_failed(&error, SPK_ERR_CORRUPT);
	assert_goal(f->store, "aaaa00000001", TRUE);
}

static void test_old_backup_is_migrated(void **state)
{
	Fixture *f = *state;
	g_autofree char *path = backup_path(f), *aside = NULL;

	for (int version = 1; version < spk_store_newest; version++) {
		SpkStore *old;

		(void)unlink(path);
		old = spk_store_open_as_is(path, "normal", 0, NULL);
		assert_ok(spk_store_migrate(old, version, ERR));
		add_task(old, "cccc00000001");
		spk_store_close(old);
		clock_add_ms(2000);
		g_clear_pointer(&aside, g_free);
		assert_ok(spk_store_restore(f->store, path, &aside, NULL, ERR));
		assert_int_equal(spk_store_schema_version(f->store), spk_store_newest);
		assert_goal(f->store, "cccc00000001", TRUE);
	}
}

/* ---- thinning ---- */

static void append(SpkStore *store, const SpkLease *lease, const char *kind)
{
	g_autoptr(json_t) payload = json_pack("{s:s}", "text", "a long story");

	assert_ok(spk_journal_append(store, lease->task, lease->token, kind,
				     SPK_EFFECT_PURE, payload, NULL, ERR));
}

static void test_thin(void **state)
{
	static const char *const kinds[] = { "model.intent", "model.result",
					     "tool.intent",  "tool.result",
					     "check.result", "verdict" };
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GPtrArray) before = NULL, after = NULL;
	g_autoptr(GError) error = NULL;
	const SpkJournalEntry *last;
	gint64 entries, bytes;

	add_task(f->store, "aaaa00000001");
	lease = hold(f->store, "aaaa00000001");
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		append(f->store, lease, kinds[i]);
	assert_false(spk_journal_thin(f->store, lease->task, &entries, &bytes, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
	walk_to(f->store, lease, SPK_STATE_DONE);
	before = spk_journal_read(f->store, lease->task, 0, 0, NULL);
	assert_ok(spk_journal_thin(f->store, lease->task, &entries, &bytes, ERR));
	assert_int_equal(entries, 4);
	assert_true(bytes > 40);
	after = spk_journal_read(f->store, lease->task, 0, 0, NULL);
	assert_int_equal(after->len, before->len - 4 + 1);
	last = after->pdata[after->len - 1];
	assert_string_equal(last->kind, "pruned");
	assert_int_equal(last->seq, before->len + 1);
	assert_int_equal(spk_json_int(last->payload, "entries", 0), 4);
	/* a second time there is nothing to do, and nothing is written */
	assert_ok(spk_journal_thin(f->store, lease->task, &entries, &bytes, ERR));
	assert_int_equal(entries, 0);
	assert_ok(spk_journal_bulk(f->store, lease->task, &bytes, ERR));
	assert_int_equal(bytes, 0);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_there_and_back),
	STORE_TEST(test_not_over_a_file),
	STORE_TEST(test_cancelled_leaves_nothing),
	STORE_TEST(test_old_holders_are_fenced),
	STORE_TEST(test_not_under_a_daemon),
	STORE_TEST(test_what_is_no_backup),
	STORE_TEST(test_damaged_backup),
	STORE_TEST(test_old_backup_is_migrated),
	STORE_TEST(test_thin),
};

const Suite backup_suite = { tests, G_N_ELEMENTS(tests) };
