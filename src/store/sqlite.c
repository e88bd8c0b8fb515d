/*
 * The store in a SQLite file. One connection writes, under a mutex here and BEGIN IMMEDIATE
 * towards other processes; readers come from a pool that grows with the threads that read
 * at once. A program of one thread gets by with the writer alone.
 */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "store/store_impl.h"

#define APPLICATION_ID	 0x5370726b /* "Sprk" */
#define BUSY_MS		 5000
#define WAL_TRIES	 200 /* 10 ms apart */
#define MAX_IDLE_READERS 4
#define MAX_STATEMENTS	 64 /* prepared ones a connection keeps */
#define MAX_COLUMNS	 40
#define MAX_FINDINGS	 8 /* of a check, in its message */

typedef struct {
	SpkTx tx;
	SpkDb *db;
	sqlite3 *sqlite;
	GHashTable *statements; /* SQL text -> sqlite3_stmt */
} Conn;

struct SpkDb {
	char *path;
	guint flags;
	gboolean full_sync;
	Conn *writer;
	GMutex writer_lock; /* held while a transaction uses the writer */
	GMutex idle_lock;   /* guards idle */
	GPtrArray *idle;    /* readers that nobody uses now */
};

/* ---- errors ---- */

static const struct {
	int result;
	SpkErr code;
	const char *what;
	const char *hint;
} failures[] = {
	{ SQLITE_FULL, SPK_ERR_DISK_FULL, "no space is left on the disk of",
	  "free some space there and run it again; what was recorded is safe" },
	{ SQLITE_READONLY, SPK_ERR_READ_ONLY, "cannot write",
	  "check owner and mode of the file and its folder, or set SPARKS_HOME elsewhere" },
	{ SQLITE_CANTOPEN, SPK_ERR_IO, "cannot open",
	  "check owner and mode of the file and its folder, or set SPARKS_HOME elsewhere" },
	{ SQLITE_PERM, SPK_ERR_READ_ONLY, "no permission for",
	  "check owner and mode of the file" },
	{ SQLITE_CORRUPT, SPK_ERR_CORRUPT, "damaged:",
	  "copy it and the files beside it (-wal, -shm) to a safe place, then restore a backup; "
	  "moved away, a new one is made" },
	{ SQLITE_NOTADB, SPK_ERR_CORRUPT, "damaged, or no database at all:",
	  "copy it and the files beside it (-wal, -shm) to a safe place, then restore a backup; "
	  "moved away, a new one is made" },
	{ SQLITE_BUSY, SPK_ERR_BUSY, "another program has locked",
	  "let it finish and try again; `fuser` with this path names it" },
	{ SQLITE_LOCKED, SPK_ERR_BUSY, "another program has locked",
	  "let it finish and try again; `fuser` with this path names it" },
	{ SQLITE_PROTOCOL, SPK_ERR_BUSY, "too many programs at once use",
	  "try again in a moment" },
	{ SQLITE_CONSTRAINT, SPK_ERR_CONFLICT, "a rule of the schema refuses this in",
	  NULL },
	{ SQLITE_TOOBIG, SPK_ERR_LIMIT, "too large a value for", NULL },
	{ SQLITE_IOERR, SPK_ERR_IO, "reading or writing failed on",
	  "check the disk; what was recorded is safe as far as the disk is" },
};

static void set_failure(const char *path, sqlite3 *sqlite, int result, GError **error)
{
	int reason = sqlite ? sqlite3_system_errno(sqlite) : 0;
	const char *text = sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(result);
	int primary = result & 0xff;

	if (primary == SQLITE_IOERR && (reason == ENOSPC || reason == EDQUOT))
		primary = SQLITE_FULL;
	if (primary == SQLITE_CANTOPEN &&
	    (reason == EACCES || reason == EPERM || reason == EROFS))
		primary = SQLITE_READONLY;
	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		if (failures[i].result != primary)
			continue;
		spk_error_set(error, failures[i].code, failures[i].hint, "%s %s (%s, %d)",
			      failures[i].what, path, text, result);
		return;
	}
	spk_error_set(error, SPK_ERR_INTERNAL, NULL, "database %s: %s (%d)", path, text,
		      result);
}

static gboolean conn_failed(Conn *conn, int result, GError **error)
{
	set_failure(conn->db->path, conn->sqlite, result, error);
	return FALSE;
}

/* ---- statements ---- */

static void finalize(gpointer statement)
{
	(void)sqlite3_finalize(statement); /* repeats the error of its last step */
}

/* Prepared once a connection. Borrowed. */
static sqlite3_stmt *prepare(Conn *conn, const char *sql, GError **error)
{
	sqlite3_stmt *statement = g_hash_table_lookup(conn->statements, sql);
	int result;

	if (statement)
		return statement;
	result = sqlite3_prepare_v3(conn->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
				    &statement, NULL);
	if (result != SQLITE_OK) {
		conn_failed(conn, result, error);
		return NULL;
	}
	if (g_hash_table_size(conn->statements) >= MAX_STATEMENTS)
		g_hash_table_remove_all(conn->statements);
	g_hash_table_insert(conn->statements, g_strdup(sql), statement);
	return statement;
}

/* Texts stay the caller's: they outlive the statement's run. */
static int bind_one(sqlite3_stmt *statement, int index, const SpkDbValue *value)
{
	switch (value->type) {
	case SPK_DB_INT:
		return sqlite3_bind_int64(statement, index, value->integer);
	case SPK_DB_REAL:
		return sqlite3_bind_double(statement, index, value->real);
	case SPK_DB_TEXT:
		return sqlite3_bind_text64(statement, index, value->text, value->len,
					   SQLITE_STATIC, SQLITE_UTF8);
	default:
		return sqlite3_bind_null(statement, index);
	}
}

static int bind_all(sqlite3_stmt *statement, const SpkDbValue *args)
{
	int result = SQLITE_OK;

	for (int i = 0; args && args[i].type != SPK_DB_END && result == SQLITE_OK; i++) {
		char name[16];
		int index;

		/* to SQLite $N is a name: its index is the order of first use */
		g_snprintf(name, sizeof(name), "$%d", i + 1);
		index = sqlite3_bind_parameter_index(statement, name);
		g_assert(index > 0);
		result = bind_one(statement, index, &args[i]);
	}
	return result;
}

static SpkDbValue read_column(sqlite3_stmt *statement, int i)
{
	SpkDbValue value = { .type = SPK_DB_NULL };

	switch (sqlite3_column_type(statement, i)) {
	case SQLITE_INTEGER:
		value.type = SPK_DB_INT;
		value.integer = sqlite3_column_int64(statement, i);
		break;
	case SQLITE_FLOAT:
		value.type = SPK_DB_REAL;
		value.real = sqlite3_column_double(statement, i);
		break;
	case SQLITE_NULL:
		break;
	default:
		value.text = (const char *)sqlite3_column_text(statement, i);
		value.len = sqlite3_column_bytes(statement, i);
		value.type = value.text ? SPK_DB_TEXT : SPK_DB_NULL;
	}
	return value;
}

static gboolean step_rows(Conn *conn, sqlite3_stmt *statement, SpkDbQuery *query,
			  GError **error)
{
	int columns = sqlite3_column_count(statement);
	SpkDbValue row[MAX_COLUMNS];
	int result;

	g_assert(columns <= MAX_COLUMNS);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		for (int i = 0; query->row && i < columns; i++)
			row[i] = read_column(statement, i);
		if (query->row && !query->row(row, query->user, error))
			return FALSE;
	}
	if (result != SQLITE_DONE)
		return conn_failed(conn, result, error);
	query->changed = sqlite3_changes64(conn->sqlite);
	return TRUE;
}

static gboolean sqlite_run(SpkTx *tx, SpkDbQuery *query, GError **error)
{
	Conn *conn = (Conn *)tx;
	sqlite3_stmt *statement = prepare(conn, query->sql, error);
	int result;
	gboolean ok;

	if (!statement)
		return FALSE;
	result = bind_all(statement, query->args);
	ok = result == SQLITE_OK ? step_rows(conn, statement, query, error)
				 : conn_failed(conn, result, error);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	(void)sqlite3_clear_bindings(statement);
	return ok;
}

static gboolean run_plain(Conn *conn, const char *sql, GError **error)
{
	SpkDbQuery query = { .sql = sql };

	return sqlite_run(&conn->tx, &query, error);
}

/* First column of the first row of a statement used once; a result code. */
static int read_once(sqlite3 *sqlite, const char *sql, gint64 *ret_value)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* ---- connections ---- */

static void conn_free(Conn *conn)
{
	if (!conn)
		return;
	g_hash_table_unref(conn->statements);
	sqlite3_close(conn->sqlite);
	g_free(conn);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conn, conn_free)

static Conn *connect(SpkDb *db, GError **error)
{
	int mode = db->flags & SPK_STORE_READ_ONLY ? SQLITE_OPEN_READONLY
						   : SQLITE_OPEN_READWRITE;
	g_autoptr(Conn) conn = g_new0(Conn, 1);
	int result;

	conn->tx.impl = &spk_db_sqlite;
	conn->db = db;
	conn->statements =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finalize);
	/* no mutex: a connection is used by one thread at a time */
	result = sqlite3_open_v2(db->path, &conn->sqlite,
				 mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);
	if (result == SQLITE_OK)
		result = sqlite3_busy_timeout(conn->sqlite, BUSY_MS);
	if (result ==
	    SQLITE_OK) /* KiB of pages kept: the whole program is to stay small */
		result =
			sqlite3_exec(conn->sqlite,
				     "PRAGMA cache_size = -256; PRAGMA foreign_keys = ON;"
				     "PRAGMA journal_size_limit = 4194304",
				     NULL, NULL, NULL);
	if (result != SQLITE_OK) {
		conn_failed(conn, result, error);
		return NULL;
	}
	return g_steal_pointer(&conn);
}

static Conn *take_writer(SpkDb *db, GError **error)
{
	if (db->flags & SPK_STORE_READ_ONLY) {
		spk_error_set(error, SPK_ERR_READ_ONLY, NULL,
			      "%s was opened to read only", db->path);
		return NULL;
	}
	g_mutex_lock(&db->writer_lock);
	return db->writer;
}

static Conn *take_reader(SpkDb *db, GError **error)
{
	Conn *conn = NULL;

	g_mutex_lock(&db->idle_lock);
	if (db->idle->len)
		conn = g_ptr_array_steal_index_fast(db->idle, db->idle->len - 1);
	g_mutex_unlock(&db->idle_lock);
	if (conn)
		return conn;
	return g_mutex_trylock(&db->writer_lock) ? db->writer : connect(db, error);
}

static void give_back(Conn *conn)
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
	conn_free(conn);
}

/* ---- transactions ---- */

static SpkTx *sqlite_begin(SpkDb *db, SpkTxMode mode, GError **error)
{
	Conn *conn = mode == SPK_TX_WRITE ? take_writer(db, error)
					  : take_reader(db, error);

	if (!conn)
		return NULL;
	if (run_plain(conn, mode == SPK_TX_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", error))
		return &conn->tx;
	give_back(conn);
	return NULL;
}

static void sqlite_rollback(SpkTx *tx)
{
	Conn *conn = (Conn *)tx;

	/* after some failures SQLite has rolled back already */
	if (!sqlite3_get_autocommit(conn->sqlite))
		(void)run_plain(conn, "ROLLBACK", NULL); /* the cause is reported */
	give_back(conn);
}

static gboolean sqlite_commit(SpkTx *tx, GError **error)
{
	Conn *conn = (Conn *)tx;

	if (!run_plain(conn, "COMMIT", error)) {
		sqlite_rollback(tx);
		return FALSE;
	}
	give_back(conn);
	return TRUE;
}

static gboolean sqlite_version(SpkTx *tx, int set, int *ret_version, GError **error)
{
	Conn *conn = (Conn *)tx;
	g_autofree char *change = g_strdup_printf("PRAGMA user_version = %d", set);
	gint64 version = set;
	int result;

	result = set < 0 ? read_once(conn->sqlite, "PRAGMA user_version", &version)
			 : sqlite3_exec(conn->sqlite, change, NULL, NULL, NULL);
	if (result != SQLITE_OK)
		return conn_failed(conn, result, error);
	*ret_version = (int)version;
	return TRUE;
}

/* ---- check ---- */

static gboolean add_finding(const SpkDbValue *row, gpointer user, GError **error)
{
	GString *findings = user;

	if (row[0].type == SPK_DB_TEXT && strcmp(row[0].text, "ok") != 0)
		g_string_append_printf(findings, "%s%s", findings->len ? "; " : "",
				       row[0].text);
	return TRUE;
}

static gboolean sqlite_check(SpkTx *tx, GError **error)
{
	Conn *conn = (Conn *)tx;
	g_autoptr(GString) findings = g_string_new(NULL);
	g_autofree char *pages =
		g_strdup_printf("PRAGMA integrity_check(%d)", MAX_FINDINGS);
	SpkDbQuery integrity = { .sql = pages, .row = add_finding, .user = findings };
	SpkDbQuery references = {
		.sql = "SELECT DISTINCT 'a row of ' || \"table\" || ' belongs to nothing'"
		       " FROM pragma_foreign_key_check",
		.row = add_finding,
		.user = findings,
	};

	if (!sqlite_run(tx, &integrity, error) || !sqlite_run(tx, &references, error))
		return FALSE;
	if (!findings->len)
		return TRUE;
	set_failure(conn->db->path, NULL, SQLITE_CORRUPT, error);
	g_prefix_error(error, "%s: ", findings->str);
	return FALSE;
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

/*
 * Says no to the database of another program before it is really opened. An immutable
 * connection takes no lock, makes no -wal or -shm file and rolls nothing back. What cannot
 * be read this way is for the real opening to report.
 */
static gboolean probe(const char *path, GError **error)
{
	g_autofree char *uri = immutable_uri(path);
	sqlite3 *sqlite = NULL;
	gint64 id = 0, tables = 0;
	int result = sqlite3_open_v2(uri, &sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
				     NULL);

	if (result == SQLITE_OK)
		result = read_once(sqlite, "PRAGMA application_id", &id);
	if (result == SQLITE_OK && id == 0)
		result = read_once(sqlite, "SELECT count(*) FROM sqlite_master", &tables);
	sqlite3_close(sqlite);
	if (result != SQLITE_OK || id == APPLICATION_ID || (!id && !tables))
		return TRUE;
	return refuse_foreign(path, error);
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

/* Puts our mark on an empty database. Done before WAL mode is entered, so that the mark is
 * in the file itself, where probe() looks. */
static gboolean mark(Conn *conn, GError **error)
{
	g_autofree char *set =
		g_strdup_printf("PRAGMA application_id = %d", APPLICATION_ID);
	gint64 id = 0, tables = 0;
	int result = read_once(conn->sqlite, "PRAGMA application_id", &id);

	if (result == SQLITE_OK && id == APPLICATION_ID)
		return TRUE;
	if (result == SQLITE_OK && conn->db->flags & SPK_STORE_READ_ONLY)
		return refuse_foreign(conn->db->path, error);
	if (result != SQLITE_OK || !run_plain(conn, "BEGIN IMMEDIATE", error))
		return result == SQLITE_OK ? FALSE : conn_failed(conn, result, error);
	/* again, now that nobody else can change it */
	result = read_once(conn->sqlite, "PRAGMA application_id", &id);
	if (result == SQLITE_OK)
		result = read_once(conn->sqlite, "SELECT count(*) FROM sqlite_master",
				   &tables);
	if (result == SQLITE_OK && id != APPLICATION_ID && (id || tables))
		return refuse_foreign(conn->db->path, error);
	if (result == SQLITE_OK && id != APPLICATION_ID)
		result = sqlite3_exec(conn->sqlite, set, NULL, NULL, NULL);
	return result == SQLITE_OK ? run_plain(conn, "COMMIT", error)
				   : conn_failed(conn, result, error);
}

static gboolean keep_mode(const SpkDbValue *row, gpointer user, GError **error)
{
	gboolean *is_wal = user;

	*is_wal = row[0].type == SPK_DB_TEXT && !strcmp(row[0].text, "wal");
	return TRUE;
}

/* Two processes that switch a new database at once get BUSY without SQLite's waiting. */
static gboolean enter_wal(Conn *conn, GError **error)
{
	gboolean is_wal = FALSE;
	SpkDbQuery query = { .sql = "PRAGMA journal_mode = WAL",
			     .row = keep_mode,
			     .user = &is_wal };

	for (int tries = 0; !is_wal; tries++) {
		g_autoptr(GError) problem = NULL;

		if (sqlite_run(&conn->tx, &query, &problem))
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
		      conn->db->path);
	return FALSE;
}

static gboolean set_up(SpkDb *db, GError **error)
{
	db->writer = connect(db, error);
	if (!db->writer || !mark(db->writer, error))
		return FALSE;
	if (db->flags & SPK_STORE_READ_ONLY)
		return TRUE;
	return enter_wal(db->writer, error) &&
	       run_plain(db->writer,
			 db->full_sync ? "PRAGMA synchronous = FULL"
				       : "PRAGMA synchronous = NORMAL",
			 error);
}

static void sqlite_db_close(SpkDb *db)
{
	g_ptr_array_unref(db->idle);
	conn_free(db->writer); /* last: it folds the -wal file into the database */
	g_mutex_clear(&db->writer_lock);
	g_mutex_clear(&db->idle_lock);
	g_free(db->path);
	g_free(db);
}

static SpkDb *sqlite_db_open(const char *where, const char *synchronous, guint flags,
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
	db->idle = g_ptr_array_new_with_free_func((GDestroyNotify)conn_free);
	if (set_up(db, error))
		return db;
	sqlite_db_close(db);
	return NULL;
}

const SpkDbImpl spk_db_sqlite = {
	.scheme = "",
	.dialect = spk_dialect_sqlite,
	.open = sqlite_db_open,
	.close = sqlite_db_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.run = sqlite_run,
	.version = sqlite_version,
	.check = sqlite_check,
};
