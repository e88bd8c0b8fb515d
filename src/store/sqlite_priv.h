/*
 * One connection to a SQLite file. Used by one thread at a time; sqlite.c sees to that.
 */
#ifndef SPK_STORE_SQLITE_PRIV_H
#define SPK_STORE_SQLITE_PRIV_H

#include <sqlite3.h>

#include "store/store_impl.h"

typedef struct {
	SpkTx tx; /* tx.impl and db are for sqlite.c to fill in */
	SpkDb *db;
	const char *path; /* borrowed */
	sqlite3 *sqlite;
	GHashTable *statements; /* SQL text -> sqlite3_stmt */
} SpkSqlite;

/* mode: SQLITE_OPEN_READONLY or SQLITE_OPEN_READWRITE. */
SpkSqlite *spk_sqlite_new(const char *path, int mode, GError **error);
void spk_sqlite_free(SpkSqlite *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkSqlite, spk_sqlite_free)
/* Pages and prepared statements go; both come back when they are needed. */
void spk_sqlite_rest(SpkSqlite *conn);

/* Sets the error of a result code; always FALSE. */
gboolean spk_sqlite_failed(SpkSqlite *conn, int result, GError **error);
/* SpkDbImpl's `run` and `check`. */
gboolean spk_sqlite_run(SpkTx *tx, SpkDbQuery *query, GError **error);
gboolean spk_sqlite_check(SpkTx *tx, GError **error);
/* A statement without arguments and rows, kept prepared. */
gboolean spk_sqlite_exec(SpkSqlite *conn, const char *sql, GError **error);
/* First column of the first row of a statement used once; returns a result code. */
int spk_sqlite_read(sqlite3 *sqlite, const char *sql, gint64 *ret_value);

/* ---- sqlite_scrub.c ---- */
/* SpkDbImpl's `scrub`, by a connection for nothing else. */
gboolean spk_sqlite_scrub(SpkSqlite *conn, const char *tables, const char *done,
			  gboolean waits, GError **error);

/* ---- sqlite_copy.c ---- */
/* Everything committed in the database `from`, at one instant, into the empty file `to`, which
 * leaves WAL mode, so that one file is all of it. */
gboolean spk_sqlite_copy_out(const char *from, const char *to, SpkCancel *cancel,
			     GError **error);
/* All of the file `from` over what `conn` has, in one transaction. */
gboolean spk_sqlite_copy_in(SpkSqlite *conn, const char *from, SpkCancel *cancel,
			    GError **error);

#endif
