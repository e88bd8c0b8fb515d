/*
 * The store in a SQLite file. One connection writes, under a mutex here and BEGIN IMMEDIATE
 * towards other processes; readers come from a pool that grows with the threads that read
 * at once. A program of one thread gets by with the writer alone.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"
#include "store/sqlite_priv.h"

#define APPLICATION_ID	 0x5370726b /* "Sprk" */
#define WAL_TRIES	 200	    /* 10 ms apart */
#define MAX_IDLE_READERS 4

struct SpkDb {
	char *path;
	guint flags;
	gboolean full_sync;
	SpkSqlite *writer;
	GMutex writer_lock; /* held while a transaction uses the writer */
	GMutex idle_lock;   /* guards idle */
	GPtrArray *idle;    /* readers that nobody uses now */
};

static SpkSqlite *open_conn(SpkDb *db, GError **error)
{
	SpkSqlite *conn = spk_sqlite_new(db->path,
					 db->flags & SPK_STORE_READ_ONLY
						 ? SQLITE_OPEN_READONLY
						 : SQLITE_OPEN_READWRITE,
					 error);

	if (!conn)
		return NULL;
	conn->tx.impl = &spk_db_sqlite;
	conn->db = db;
	return conn;
}

static SpkSqlite *take_writer(SpkDb *db, GError **error)
{
	if (db->flags & SPK_STORE_READ_ONLY) {
		spk_error_set(error, SPK_ERR_READ_ONLY, NULL,
			      "%s was opened to read only", db->path);
		return NULL;
	}
	g_mutex_lock(&db->writer_lock);
	return db->writer;
}

static SpkSqlite *take_reader(SpkDb *db, GError **error)
{
	SpkSqlite *conn = NULL;

	g_mutex_lock(&db->idle_lock);
	if (db->idle->len)
		conn = g_ptr_array_steal_index_fast(db->idle, db->idle->len - 1);
	g_mutex_unlock(&db->idle_lock);
	if (conn)
		return conn;
	return g_mutex_trylock(&db->writer_lock) ? db->writer : open_conn(db, error);
}

static void give_back(SpkSqlite *conn)
{
	SpkDb *db = conn->db;

	if (conn == db->writer) {
		g_mutex_unlock(&db->writer_lock);
		return;
	}
	g_mutex_lock(&db->idle_lock);
	if (db->idle->len < MAX_IDLE_READERS) {
		g_ptr_array_add(db->idle, conn);
		conn = NULL;
	}
	g_mutex_unlock(&db->idle_lock);
	spk_sqlite_free(conn);
}

/* ---- transactions ---- */

static SpkTx *begin(SpkDb *db, SpkTxMode mode, GError **error)
{
	SpkSqlite *conn = mode == SPK_TX_WRITE ? take_writer(db, error)
					       : take_reader(db, error);

	if (!conn)
		return NULL;
	if (spk_sqlite_exec(conn, mode == SPK_TX_WRITE ? "BEGIN IMMEDIATE" : "BEGIN",
			    error))
		return &conn->tx;
	give_back(conn);
	return NULL;
}

static gboolean end(SpkTx *tx, gboolean keep, GError **error)
{
	SpkSqlite *conn = (SpkSqlite *)tx;
	gboolean ok = !keep || spk_sqlite_exec(conn, "COMMIT", error);

	/* after some failures SQLite has rolled back already */
	if (!sqlite3_get_autocommit(conn->sqlite))
		(void)spk_sqlite_exec(conn, "ROLLBACK", NULL); /* the cause is reported */
	give_back(conn);
	return ok;
}

static gboolean copy(SpkDb *db, const char *path, gboolean back, SpkCancel *cancel,
		     GError **error)
{
	SpkSqlite *conn;
	gboolean ok;

	if (!back)
		return spk_sqlite_copy_out(db->path, path, cancel, error);
	conn = take_writer(db, error);
	if (!conn)
		return FALSE;
	ok = spk_sqlite_copy_in(conn, path, cancel, error);
	give_back(conn);
	return ok;
}

static gboolean version(SpkTx *tx, int set, int *ret_version, GError **error)
{
	SpkSqlite *conn = (SpkSqlite *)tx;
	g_autofree char *change = g_strdup_printf("PRAGMA user_version = %d", set);
	gint64 version = set;
	int result;

	result = set < 0 ? spk_sqlite_read(conn->sqlite, "PRAGMA user_version", &version)
			 : sqlite3_exec(conn->sqlite, change, NULL, NULL, NULL);
	if (result != SQLITE_OK)
		return spk_sqlite_failed(conn, result, error);
	if (set >= 0) /* a migration's statements are of no use any more */
		g_hash_table_remove_all(conn->statements);
	*ret_version = (int)version;
	return TRUE;
}

/* ---- opening ---- */

static gboolean refuse_foreign(const char *path, GError **error)
{
	spk_error_set(
		error, SPK_ERR_POLICY,
		"nothing was written to it; point [db] path or SPARKS_HOME elsewhere",
		"%s is a database of another program", path);
	return FALSE;
}

static char *immutable_uri(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *escaped = g_uri_escape_string(absolute, "/", FALSE);

	return g_strdup_printf("file:%s?immutable=1", escaped);
}

typedef enum { OURS, EMPTY, FOREIGN } Owner;

static int read_owner(sqlite3 *sqlite, Owner *ret_owner)
{
	gint64 id = 0, tables = 0;
	int result = spk_sqlite_read(sqlite, "PRAGMA application_id", &id);

	if (result == SQLITE_OK && id == 0)
		result = spk_sqlite_read(sqlite, "SELECT count(*) FROM sqlite_master",
					 &tables);
	*ret_owner = id == APPLICATION_ID ? OURS : id || tables ? FOREIGN : EMPTY;
	return result;
}

/*
 * Says no to the database of another program before it is really opened. An immutable
 * connection takes no lock, makes no -wal or -shm file and rolls nothing back. What cannot
 * be read this way is for the real opening to report.
 */
static gboolean probe(const char *path, GError **error)
{
	g_autofree char *uri = immutable_uri(path);
	sqlite3 *sqlite = NULL;
	Owner owner = EMPTY;
	int result = sqlite3_open_v2(uri, &sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
				     NULL);

	if (result == SQLITE_OK)
		result = read_owner(sqlite, &owner);
	sqlite3_close(sqlite);
	return result != SQLITE_OK || owner != FOREIGN ? TRUE
						       : refuse_foreign(path, error);
}

/* Makes a missing file, for its owner only; -wal and -shm inherit the mode. */
static gboolean prepare_file(const char *path, guint flags, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st;

	if (stat(path, &st) == 0)
		return st.st_size == 0 || probe(path, error);
	if (errno != ENOENT) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot reach %s",
				    path);
		return FALSE;
	}
	if (flags & (SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "the first task makes it",
			      "there is no database %s yet", path);
		return FALSE;
	}
	if (!spk_fs_mkdirs(folder, 0700, error))
		return FALSE;
	/* Not open(): closing it could drop the locks of another connection of ours. */
	if (mknod(path, S_IFREG | 0600, 0) == 0 || errno == EEXIST)
		return TRUE;
	spk_error_set_errno(
		error, errno == EACCES || errno == EPERM ? SPK_ERR_READ_ONLY : SPK_ERR_IO,
		errno, "check the folder, or set SPARKS_HOME elsewhere",
		"cannot create %s", path);
	return FALSE;
}

/* Without syncs: a new database that a power cut takes away has lost nothing. */
static gboolean put_mark(SpkSqlite *conn, GError **error)
{
	g_autofree char *set =
		g_strdup_printf("PRAGMA application_id = %d", APPLICATION_ID);
	Owner owner;
	int result;

	if (!spk_sqlite_exec(conn, "PRAGMA synchronous = OFF", error) ||
	    !spk_sqlite_exec(conn, "BEGIN IMMEDIATE", error))
		return FALSE;
	/* again, now that nobody else can change it */
	result = read_owner(conn->sqlite, &owner);
	if (result == SQLITE_OK && owner == FOREIGN)
		return refuse_foreign(conn->path, error);
	if (result == SQLITE_OK && owner == EMPTY)
		result = sqlite3_exec(conn->sqlite, set, NULL, NULL, NULL);
	return result == SQLITE_OK ? spk_sqlite_exec(conn, "COMMIT", error)
				   : spk_sqlite_failed(conn, result, error);
}

static gboolean keep_mode(const SpkDbValue *row, gpointer user, GError **error)
{
	gboolean *is_wal = user;

	*is_wal = row[0].type == SPK_DB_TEXT && !strcmp(row[0].text, "wal");
	return TRUE;
}

/* Two processes that switch a new database at once get BUSY without SQLite's waiting. */
static gboolean enter_wal(SpkSqlite *conn, GError **error)
{
	gboolean is_wal = FALSE;
	SpkDbQuery query = { .sql = "PRAGMA journal_mode = WAL",
			     .row = keep_mode,
			     .user = &is_wal };

	for (int tries = 0; !is_wal; tries++) {
		g_autoptr(GError) problem = NULL;

		if (spk_sqlite_run(&conn->tx, &query, &problem))
			break;
		if (!spk_error_is(problem, SPK_ERR_BUSY) || tries >= WAL_TRIES) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
		spk_sleep_ms(10, NULL);
	}
	if (is_wal)
		return TRUE;
	spk_error_set(error, SPK_ERR_IO, "set SPARKS_HOME to a folder on a local disk",
		      "the file system of %s has no shared memory for a database",
		      conn->path);
	return FALSE;
}

static gboolean sync_file(SpkSqlite *conn, GError **error)
{
	sqlite3_file *file = NULL;
	int result = sqlite3_file_control(conn->sqlite, "main", SQLITE_FCNTL_FILE_POINTER,
					  &file);

	if (result == SQLITE_OK)
		result = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
	return result == SQLITE_OK ? TRUE : spk_sqlite_failed(conn, result, error);
}

/* Our mark is put before WAL mode is entered, so that it is in the file itself, where
 * probe() looks; and that file is on the disk before the first write is acknowledged. */
static gboolean make_ours(SpkSqlite *conn, GError **error)
{
	return put_mark(conn, error) && enter_wal(conn, error) && sync_file(conn, error);
}

static gboolean set_up(SpkDb *db, GError **error)
{
	Owner owner;
	int result;

	db->writer = open_conn(db, error);
	if (!db->writer)
		return FALSE;
	result = read_owner(db->writer->sqlite, &owner);
	if (result != SQLITE_OK)
		return spk_sqlite_failed(db->writer, result, error);
	if (db->flags & SPK_STORE_READ_ONLY)
		return owner == OURS ? TRUE : refuse_foreign(db->path, error);
	if (owner != OURS && !make_ours(db->writer, error))
		return FALSE;
	return enter_wal(db->writer, error) &&
	       spk_sqlite_exec(db->writer,
			       db->full_sync ? "PRAGMA synchronous = FULL"
					     : "PRAGMA synchronous = NORMAL",
			       error);
}

/* By a connection of its own, whose commit tells all others, ours too, that pages have changed. */
static gboolean scrub(SpkDb *db, const char *tables, const char *done, gboolean waits,
		      GError **error)
{
	g_autoptr(SpkSqlite) conn = NULL;
	SpkSqlite *writer = take_writer(db, error); /* keeps our own threads waiting */
	gboolean ok;

	if (!writer)
		return FALSE;
	conn = open_conn(db, error);
	ok = conn && spk_sqlite_scrub(conn, tables, done, waits, error);
	give_back(writer);
	return ok;
}

/* Readers that nobody uses go; a writer that is in use is left alone. */
static void rest(SpkDb *db)
{
	g_mutex_lock(&db->idle_lock);
	g_ptr_array_set_size(db->idle, 0);
	g_mutex_unlock(&db->idle_lock);
	if (!g_mutex_trylock(&db->writer_lock))
		return;
	spk_sqlite_rest(db->writer);
	g_mutex_unlock(&db->writer_lock);
}

static void close_db(SpkDb *db)
{
	g_ptr_array_unref(db->idle);
	spk_sqlite_free(db->writer); /* last: it folds the -wal file into the database */
	g_mutex_clear(&db->writer_lock);
	g_mutex_clear(&db->idle_lock);
	g_free(db->path);
	g_free(db);
}

static SpkDb *open_db(const char *where, const char *synchronous, guint flags,
		      GError **error)
{
	SpkDb *db;

	if (!prepare_file(where, flags, error))
		return NULL;
	db = g_new0(SpkDb, 1);
	db->path = g_strdup(where);
	db->flags = flags;
	db->full_sync = !strcmp(synchronous, "full");
	g_mutex_init(&db->writer_lock);
	g_mutex_init(&db->idle_lock);
	db->idle = g_ptr_array_new_with_free_func((GDestroyNotify)spk_sqlite_free);
	if (set_up(db, error))
		return db;
	close_db(db);
	return NULL;
}

const SpkDbImpl spk_db_sqlite = {
	.scheme = "",
	.dialect = spk_dialect_sqlite,
	.open = open_db,
	.close = close_db,
	.begin = begin,
	.end = end,
	.run = spk_sqlite_run,
	.version = version,
	.check = spk_sqlite_check,
	.copy = copy,
	.scrub = scrub,
	.rest = rest,
};
