/*
 * A whole database from one file to another, page by page, through SQLite's backup interface:
 * consistent whatever other processes write meanwhile.
 */
#include "base/cancel.h"
#include "base/error.h"
#include "store/sqlite_priv.h"

#define PAGES_A_STEP 512
#define RETRY_MS     20
#define MAX_RETRIES  250 /* 5 s of somebody else's lock */

/* One step; *ret_more while there are pages left. */
static gboolean step(sqlite3_backup *backup, SpkSqlite *to, guint *retries,
		     gboolean *ret_more, SpkCancel *cancel, GError **error)
{
	int result = sqlite3_backup_step(backup, PAGES_A_STEP);

	*ret_more = result != SQLITE_DONE;
	if (result == SQLITE_DONE || result == SQLITE_OK)
		return TRUE;
	if ((result != SQLITE_BUSY && result != SQLITE_LOCKED) ||
	    ++*retries > MAX_RETRIES)
		return spk_sqlite_failed(to, result, error);
	spk_sleep_ms(RETRY_MS, cancel);
	return TRUE;
}

static gboolean copy_pages(SpkSqlite *from, SpkSqlite *to, SpkCancel *cancel,
			   GError **error)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
	gboolean ok = TRUE, more = TRUE;
	guint retries = 0;
	int result;

	if (!backup)
		return spk_sqlite_failed(to, sqlite3_errcode(to->sqlite), error);
	while (ok && more)
		ok = spk_cancel_check(cancel, error) &&
		     step(backup, to, &retries, &more, cancel, error);
	/* an unfinished one is rolled back by this */
	result = sqlite3_backup_finish(backup);
	if (ok && result != SQLITE_OK)
		return spk_sqlite_failed(to, result, error);
	return ok;
}

/* A reader that stays at one instant, so that no write of others starts the copy anew. */
static SpkSqlite *open_snapshot(const char *path, GError **error)
{
	g_autoptr(SpkSqlite) conn = spk_sqlite_new(path, SQLITE_OPEN_READONLY, error);

	if (!conn || !spk_sqlite_exec(conn, "BEGIN", error) ||
	    !spk_sqlite_exec(conn, "SELECT count(*) FROM sqlite_master", error))
		return NULL;
	return g_steal_pointer(&conn);
}

gboolean spk_sqlite_copy_out(const char *from, const char *to, SpkCancel *cancel,
			     GError **error)
{
	g_autoptr(SpkSqlite) source = open_snapshot(from, error);
	g_autoptr(SpkSqlite) target = NULL;

	if (!source)
		return FALSE;
	target = spk_sqlite_new(to, SQLITE_OPEN_READWRITE, error);
	return target && copy_pages(source, target, cancel, error) &&
	       spk_sqlite_exec(target, "PRAGMA journal_mode = DELETE", error);
}

gboolean spk_sqlite_copy_in(SpkSqlite *conn, const char *from, SpkCancel *cancel,
			    GError **error)
{
	g_autoptr(SpkSqlite) source = open_snapshot(from, error);

	return source && copy_pages(source, conn, cancel, error);
}
