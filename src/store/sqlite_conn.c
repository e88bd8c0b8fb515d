/* A connection: error codes, statements kept prepared, the check of all pages. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/sqlite_priv.h"

#define BUSY_MS	       5000 /* waiting for what another process has locked */
#define MAX_STATEMENTS 128  /* prepared ones a connection keeps */
#define MAX_COLUMNS    40
#define MAX_FINDINGS   8 /* of a check, in its message */

/* clang-format off */
#define PLACE_HINT "check owner and mode of the file and its folder, or set SPARKS_HOME elsewhere"
#define DAMAGE_HINT "move it and the files beside it (-wal, -shm) to a safe place; then " \
	"`sparks store restore FILE` puts a backup there, and without one a new one is made"
#define LOCK_HINT "let it finish and try again; `fuser` with this path names it"

static const struct {
	int result;
	SpkErr code;
	const char *what;
	const char *hint;
} failures[] = {
	{ SQLITE_FULL, SPK_ERR_DISK_FULL, "no space is left on the disk of",
	  "free some space there and run it again; what was recorded is safe" },
	{ SQLITE_READONLY, SPK_ERR_READ_ONLY, "cannot write", PLACE_HINT },
	{ SQLITE_CANTOPEN, SPK_ERR_IO, "cannot open", PLACE_HINT },
	{ SQLITE_PERM, SPK_ERR_READ_ONLY, "no permission for", PLACE_HINT },
	{ SQLITE_CORRUPT, SPK_ERR_CORRUPT, "damaged:", DAMAGE_HINT },
	{ SQLITE_NOTADB, SPK_ERR_CORRUPT, "damaged, or no database at all:", DAMAGE_HINT },
	{ SQLITE_BUSY, SPK_ERR_BUSY, "another program has locked", LOCK_HINT },
	{ SQLITE_LOCKED, SPK_ERR_BUSY, "another program has locked", LOCK_HINT },
	{ SQLITE_PROTOCOL, SPK_ERR_BUSY, "too many programs at once use", "try again in a moment" },
	{ SQLITE_CONSTRAINT, SPK_ERR_CONFLICT, "a rule of the schema refuses this in", NULL },
	{ SQLITE_TOOBIG, SPK_ERR_LIMIT, "too large a value for", NULL },
	{ SQLITE_IOERR, SPK_ERR_IO, "reading or writing failed on",
	  "check the disk; what was recorded is safe as far as the disk is" },
};
/* clang-format on */

/* The reason that SQLite keeps is of what it tried last: the same file for reading. */
static gboolean is_read_only(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);

	return access(folder, W_OK) < 0 && (errno == EROFS || errno == EACCES);
}

static void set_failure(const char *path, sqlite3 *sqlite, int result, GError **error)
{
	int reason = sqlite ? sqlite3_system_errno(sqlite) : 0;
	const char *text = sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(result);
	int primary = result & 0xff;

	if (primary == SQLITE_IOERR && (reason == ENOSPC || reason == EDQUOT))
		primary = SQLITE_FULL;
	if (primary == SQLITE_CANTOPEN && (reason == EACCES || reason == EPERM ||
					   reason == EROFS || is_read_only(path)))
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

gboolean spk_sqlite_failed(SpkSqlite *conn, int result, GError **error)
{
	set_failure(conn->path, conn->sqlite, result, error);
	return FALSE;
}

static void finalize(gpointer statement)
{
	(void)sqlite3_finalize(statement); /* repeats the error of its last step */
}

/* A row function may run statements of its own while its query goes on. */
static gboolean is_idle(gpointer sql, gpointer statement, gpointer user)
{
	return !sqlite3_stmt_busy(statement);
}

/* Prepared once a connection. Borrowed. */
static sqlite3_stmt *prepare(SpkSqlite *conn, const char *sql, GError **error)
{
	sqlite3_stmt *statement = g_hash_table_lookup(conn->statements, sql);
	int result;

	if (statement)
		return statement;
	result = sqlite3_prepare_v3(conn->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
				    &statement, NULL);
	if (result != SQLITE_OK) {
		spk_sqlite_failed(conn, result, error);
		return NULL;
	}
	if (g_hash_table_size(conn->statements) >= MAX_STATEMENTS)
		(void)g_hash_table_foreach_remove(conn->statements, is_idle, NULL);
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
	case SPK_DB_BLOB:
		return sqlite3_bind_blob64(statement, index, value->blob, value->len,
					   SQLITE_STATIC);
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
	case SQLITE_BLOB:
		value.type = SPK_DB_BLOB;
		value.blob =
			sqlite3_column_blob(statement, i); /* NULL: none of 0 bytes */
		value.len = (gsize)sqlite3_column_bytes(statement, i);
		break;
	default:
		value.text = (const char *)sqlite3_column_text(statement, i);
		value.len = sqlite3_column_bytes(statement, i);
		value.type = value.text ? SPK_DB_TEXT : SPK_DB_NULL;
	}
	return value;
}

static gboolean step_rows(SpkSqlite *conn, sqlite3_stmt *statement, SpkDbQuery *query,
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
		return spk_sqlite_failed(conn, result, error);
	query->changed = sqlite3_changes64(conn->sqlite);
	return TRUE;
}

gboolean spk_sqlite_run(SpkTx *tx, SpkDbQuery *query, GError **error)
{
	SpkSqlite *conn = (SpkSqlite *)tx;
	sqlite3_stmt *statement = prepare(conn, query->sql, error);
	int result;
	gboolean ok;

	if (!statement)
		return FALSE;
	result = bind_all(statement, query->args);
	ok = result == SQLITE_OK ? step_rows(conn, statement, query, error)
				 : spk_sqlite_failed(conn, result, error);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	(void)sqlite3_clear_bindings(statement);
	return ok;
}

gboolean spk_sqlite_exec(SpkSqlite *conn, const char *sql, GError **error)
{
	SpkDbQuery query = { .sql = sql };

	return spk_sqlite_run(&conn->tx, &query, error);
}

/* First column of the first row of a statement used once; a result code. */
int spk_sqlite_read(sqlite3 *sqlite, const char *sql, gint64 *ret_value)
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

static gboolean add_finding(const SpkDbValue *row, gpointer user, GError **error)
{
	GString *findings = user;

	if (row[0].type == SPK_DB_TEXT && strcmp(row[0].text, "ok") != 0)
		g_string_append_printf(findings, "%s%s", findings->len ? "; " : "",
				       row[0].text);
	return TRUE;
}

gboolean spk_sqlite_check(SpkTx *tx, GError **error)
{
	SpkSqlite *conn = (SpkSqlite *)tx;
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

	if (!spk_sqlite_run(tx, &integrity, error) ||
	    !spk_sqlite_run(tx, &references, error))
		return FALSE;
	if (!findings->len)
		return TRUE;
	set_failure(conn->path, NULL, SQLITE_CORRUPT, error);
	g_prefix_error(error, "%s: ", findings->str);
	return FALSE;
}

void spk_sqlite_free(SpkSqlite *conn)
{
	if (!conn)
		return;
	g_hash_table_unref(conn->statements);
	sqlite3_close(conn->sqlite);
	g_free(conn);
}

void spk_sqlite_rest(SpkSqlite *conn)
{
	g_hash_table_remove_all(conn->statements);
	(void)sqlite3_db_release_memory(conn->sqlite); /* as much as it can */
}

static int configure(sqlite3 *sqlite)
{
	int result = sqlite3_busy_timeout(sqlite, BUSY_MS);

	if (result != SQLITE_OK)
		return result;
	/* 256 KiB of pages kept, because the whole program is to stay small; a -wal file
	 * that grew is cut back to 4 MiB; what is deleted is overwritten: a memory that was
	 * forgotten is not to be found in the file */
	return sqlite3_exec(sqlite,
			    "PRAGMA cache_size = -256; PRAGMA foreign_keys = ON;"
			    "PRAGMA journal_size_limit = 4194304;"
			    "PRAGMA secure_delete = ON",
			    NULL, NULL, NULL);
}

SpkSqlite *spk_sqlite_new(const char *path, int mode, GError **error)
{
	g_autoptr(SpkSqlite) conn = g_new0(SpkSqlite, 1);
	int result;

	conn->path = path;
	conn->statements =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finalize);
	/* no mutex: a connection is used by one thread at a time */
	result = sqlite3_open_v2(path, &conn->sqlite,
				 mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);
	if (result == SQLITE_OK)
		result = configure(conn->sqlite);
	if (result == SQLITE_OK)
		return g_steal_pointer(&conn);
	spk_sqlite_failed(conn, result, error);
	return NULL;
}
