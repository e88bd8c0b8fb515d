/*
 * For those who implement a database below the store: one .c file, one line in store_all.c.
 *
 * All work happens in transactions. A transaction is used by one thread, and one thread has
 * at most one at a time. Write transactions exclude each other over all threads and
 * processes of a database, so that what one reads stays true until it commits. SQL is
 * written once, in the common subset of SQLite and PostgreSQL: parameters are $1, $2 …,
 * upserts say ON CONFLICT, numbers are BIGINT or DOUBLE PRECISION, times are bound in
 * microseconds; what still differs is in dialect.h.
 */
#ifndef SPK_STORE_STORE_IMPL_H
#define SPK_STORE_STORE_IMPL_H

#include <glib.h>

#include "base/cancel.h"
#include "store/dialect.h"
#include "store/store.h"

typedef struct SpkDb SpkDb; /* the backend's own */
typedef struct SpkDbImpl SpkDbImpl;

/* First member of the backend's connection. */
typedef struct {
	const SpkDbImpl *impl;
} SpkTx;

typedef enum { SPK_TX_READ, SPK_TX_WRITE } SpkTxMode;

typedef enum {
	SPK_DB_END,
	SPK_DB_NULL,
	SPK_DB_INT,
	SPK_DB_REAL,
	SPK_DB_TEXT,
	SPK_DB_BLOB
} SpkDbType;

typedef struct {
	SpkDbType type;
	union {
		gint64 integer;
		double real;
		struct { /* borrowed */
			union {
				const char *text; /* UTF-8 */
				const void *blob; /* any bytes, at any address */
			};
			gsize len;
		};
	};
} SpkDbValue;

/* One row; its texts and blobs are valid during the call. FALSE with *error ends the query. */
typedef gboolean (*SpkDbRowFn)(const SpkDbValue *row, gpointer user, GError **error);

typedef struct {
	const char *sql;	/* one statement */
	const SpkDbValue *args; /* $1, $2 …, closed by SPK_DB_END; NULL: none */
	SpkDbRowFn row;		/* NULL: rows are of no interest */
	gpointer user;
	gint64 changed; /* set: rows inserted, updated or deleted */
} SpkDbQuery;

/* Mandatory but for what says otherwise. Errors use the codes promised at spk_store_open(). */
struct SpkDbImpl {
	const char *scheme; /* what its addresses begin with; "" takes any (a path) */
	const SpkDialect *dialect;
	SpkDb *(*open)(const char *where, const char *synchronous, guint flags,
		       GError **error);
	void (*close)(SpkDb *db); /* no transaction is open */
	SpkTx *(*begin)(SpkDb *db, SpkTxMode mode, GError **error);
	/* Ends the transaction, whatever happens: `keep` commits, else it is rolled back (TRUE).
	 * A failed commit changed nothing. */
	gboolean (*end)(SpkTx *tx, gboolean keep, GError **error);
	gboolean (*run)(SpkTx *tx, SpkDbQuery *query, GError **error);
	/* The schema's version, 0 in a new database; set >= 0: becomes that. */
	gboolean (*version)(SpkTx *tx, int set, int *ret_version, GError **error);
	/* Looks at every page and reference. */
	gboolean (*check)(SpkTx *tx, GError **error);
	/* The whole database, as it is at one instant, into the new file `path`; or, `back`,
	 * from that file over what is here, in one transaction. Others may go on working. */
	gboolean (*copy)(SpkDb *db, const char *path, gboolean back, SpkCancel *cancel,
			 GError **error);
	/* Optional: overwrites in all files what deleted rows of tables LIKE `tables` have left
	 * there, then runs the statement `done` and commits it. No transaction of this thread is
	 * open; BUSY when others read or write, at once or after a moment of waiting. */
	gboolean (*scrub)(SpkDb *db, const char *tables, const char *done, gboolean waits,
			  GError **error);
	/* Optional: lets go of what is only kept so that the next transaction is quick. */
	void (*rest)(SpkDb *db);
};

/* store_all.c; NULL-terminated, the one with scheme "" last. */
extern const SpkDbImpl *const spk_db_backends[];
extern const SpkDbImpl spk_db_sqlite;

#endif
