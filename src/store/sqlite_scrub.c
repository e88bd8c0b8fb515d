/*
 * Overwriting what deleted rows have left. `secure_delete` zeroes a row's place when it is deleted,
 * but not where the row was before: when SQLite deals the cells of neighbouring pages out anew, the
 * old copies stay in the unused middle of the page, between its array of cell pointers and its
 * cells; and the -wal file has every page as it was. So, with nobody writing: the -wal file is
 * brought in and cut to nothing, and then the unused middles are zeroed in the file itself.
 *
 * Nobody ever reads those bytes, so that others may go on reading, and a kill in between does no
 * harm. Who has such a page in a cache might write the old bytes back: the transaction that holds
 * the writers off meanwhile commits a change, and with that every other cache is out of date.
 * File format: https://www.sqlite.org/fileformat2.html, 1.6
 */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/sqlite_priv.h"

#define BUSY_MS	  250 /* waiting for readers of the -wal file */
#define TRIES	  3
#define MAX_DEPTH 20 /* of a B-tree; SQLite's own limit */
#define FILE_HEAD 100
#define MAP_ALL	  "PRAGMA mmap_size = 1099511627776" /* as much as it can */

enum { INTERIOR_INDEX = 2, INTERIOR_TABLE = 5, LEAF_INDEX = 10, LEAF_TABLE = 13 };

typedef struct {
	SpkSqlite *conn;
	sqlite3_file *file;
	gint64 page_size, pages, visited;
	gboolean changed;
} Scrub;

static guint get16(const guint8 *at)
{
	return (guint)at[0] << 8 | at[1];
}

static guint32 get32(const guint8 *at)
{
	return (guint32)get16(at) << 16 | get16(at + 2);
}

static gboolean damaged(const Scrub *scrub, GError **error)
{
	return spk_sqlite_failed(scrub->conn, SQLITE_CORRUPT, error);
}

/* The unused bytes of a page. */
static gboolean zero(Scrub *scrub, gint64 offset, const guint8 *page, guint from,
		     guint to, GError **error)
{
	static const guint8 zeros[65536];
	int result;

	while (from < to && !page[from])
		from++;
	if (from >= to)
		return TRUE;
	scrub->changed = TRUE;
	result = scrub->file->pMethods->xWrite(scrub->file, zeros, (int)(to - from),
					       offset + from);
	return result == SQLITE_OK || spk_sqlite_failed(scrub->conn, result, error);
}

static gboolean walk(Scrub *scrub, guint32 number, guint depth, GError **error);

/* Every cell of an interior page begins with the page it leads to. */
static gboolean walk_children(Scrub *scrub, const guint8 *page, const guint8 *head,
			      guint depth, GError **error)
{
	guint n = get16(head + 3);

	for (guint i = 0; i < n; i++) {
		guint cell = get16(head + 12 + 2 * i);

		if (cell + 4 > scrub->page_size)
			return damaged(scrub, error);
		if (!walk(scrub, get32(page + cell), depth, error))
			return FALSE;
	}
	return walk(scrub, get32(head + 8), depth, error);
}

static gboolean walk_page(Scrub *scrub, guint32 number, const guint8 *page, guint depth,
			  GError **error)
{
	guint at = number == 1 ? FILE_HEAD : 0, head_len, cells, content;
	const guint8 *head = page + at;

	if (*head != INTERIOR_INDEX && *head != INTERIOR_TABLE && *head != LEAF_INDEX &&
	    *head != LEAF_TABLE)
		return damaged(scrub, error);
	head_len = *head == INTERIOR_INDEX || *head == INTERIOR_TABLE ? 12 : 8;
	cells = at + head_len + 2 * get16(head + 3);
	content = get16(head + 5) ? get16(head + 5) : 65536;
	if (cells > content || content > scrub->page_size)
		return damaged(scrub, error);
	return zero(scrub, (number - 1) * scrub->page_size, page, cells, content,
		    error) &&
	       (head_len == 8 || walk_children(scrub, page, head, depth + 1, error));
}

/* Out of the mapped file, of which little is touched then, or read where it isn't mapped. */
static gboolean walk(Scrub *scrub, guint32 number, guint depth, GError **error)
{
	const sqlite3_io_methods *io = scrub->file->pMethods;
	gint64 offset = ((gint64)number - 1) * scrub->page_size;
	g_autofree guint8 *copy = NULL;
	void *page = NULL;
	int result = SQLITE_OK;
	gboolean ok;

	if (number < 1 || number > scrub->pages || depth > MAX_DEPTH ||
	    ++scrub->visited > scrub->pages)
		return damaged(scrub, error);
	if (io->iVersion >= 3 && io->xFetch)
		result = io->xFetch(scrub->file, offset, (int)scrub->page_size, &page);
	if (result == SQLITE_OK && !page) {
		copy = g_malloc((gsize)scrub->page_size);
		result = io->xRead(scrub->file, copy, (int)scrub->page_size, offset);
	}
	if (result != SQLITE_OK)
		return spk_sqlite_failed(scrub->conn, result, error);
	ok = walk_page(scrub, number, copy ? copy : page, depth, error);
	if (page)
		(void)io->xUnfetch(scrub->file, offset, page); /* only counts */
	return ok;
}

static gboolean walk_root(const SpkDbValue *row, gpointer user, GError **error)
{
	Scrub *scrub = user;

	return row[0].type != SPK_DB_INT || row[0].integer <= 0 ||
	       walk(scrub, (guint32)row[0].integer, 0, error);
}

static gboolean open_file(Scrub *scrub, GError **error)
{
	sqlite3 *sqlite = scrub->conn->sqlite;
	sqlite3_int64 size = 0;
	int result = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_FILE_POINTER,
					  &scrub->file);

	if (result == SQLITE_OK)
		result = spk_sqlite_read(sqlite, "PRAGMA page_size", &scrub->page_size);
	if (result == SQLITE_OK)
		result = scrub->file->pMethods->xFileSize(scrub->file, &size);
	if (result != SQLITE_OK)
		return spk_sqlite_failed(scrub->conn, result, error);
	scrub->pages = size / scrub->page_size;
	return TRUE;
}

/* In a write transaction, with all there is in the database file. */
static gboolean zero_all(SpkSqlite *conn, const char *tables, GError **error)
{
	Scrub scrub = { .conn = conn };
	const SpkDbValue args[] = {
		{ .type = SPK_DB_TEXT, .text = tables, .len = strlen(tables) },
		{ .type = SPK_DB_END },
	};
	SpkDbQuery query = { .sql = "SELECT rootpage FROM sqlite_master"
				    " WHERE tbl_name LIKE $1",
			     .args = args,
			     .row = walk_root,
			     .user = &scrub };
	int result;

	if (!spk_sqlite_exec(conn, MAP_ALL, error) || !open_file(&scrub, error) ||
	    !spk_sqlite_run(&conn->tx, &query, error))
		return FALSE;
	if (!scrub.changed)
		return TRUE;
	result = scrub.file->pMethods->xSync(scrub.file, SQLITE_SYNC_NORMAL);
	return result == SQLITE_OK || spk_sqlite_failed(conn, result, error);
}

static gboolean keep_busy(const SpkDbValue *row, gpointer user, GError **error)
{
	*(gboolean *)user = row[0].type != SPK_DB_INT || row[0].integer != 0;
	return TRUE;
}

/* *ret_busy: somebody reads what is only there. */
static gboolean empty_wal(SpkSqlite *conn, gboolean *ret_busy, GError **error)
{
	SpkDbQuery query = { .sql = "PRAGMA wal_checkpoint(TRUNCATE)",
			     .row = keep_busy,
			     .user = ret_busy };

	*ret_busy = TRUE;
	return spk_sqlite_run(&conn->tx, &query, error);
}

static gboolean wal_is_empty(SpkSqlite *conn)
{
	g_autofree char *wal = g_strconcat(conn->path, "-wal", NULL);
	struct stat st;

	return stat(wal, &st) != 0 || st.st_size == 0;
}

/* Holds writers off with an empty -wal file; FALSE with BUSY when others don't let it. */
static gboolean begin(SpkSqlite *conn, GError **error)
{
	gboolean busy = FALSE;

	for (int i = 0; i < TRIES && !busy; i++) {
		if (!empty_wal(conn, &busy, error))
			return FALSE;
		if (busy)
			break;
		if (!spk_sqlite_exec(conn, "BEGIN IMMEDIATE", error))
			return FALSE;
		if (wal_is_empty(conn))
			return TRUE;
		/* somebody was quicker */
		if (!spk_sqlite_exec(conn, "ROLLBACK", error))
			return FALSE;
	}
	spk_error_set(error, SPK_ERR_BUSY, "whoever writes next does it",
		      "somebody is reading %s", conn->path);
	return FALSE;
}

gboolean spk_sqlite_scrub(SpkSqlite *conn, const char *tables, const char *done,
			  gboolean waits, GError **error)
{
	(void)sqlite3_busy_timeout(conn->sqlite, waits ? BUSY_MS : 0);
	if (!begin(conn, error))
		return FALSE;
	if (zero_all(conn, tables, error) && spk_sqlite_exec(conn, done, error) &&
	    spk_sqlite_exec(conn, "COMMIT", error))
		return TRUE;
	(void)spk_sqlite_exec(conn, "ROLLBACK", NULL); /* the cause is reported */
	return FALSE;
}
