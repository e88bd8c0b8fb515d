/*
 * Where databases differ in the words of SQL. Schema texts say {word}; a dialect has the
 * words. Statements other than the schema's need none.
 */
#ifndef SPK_STORE_DIALECT_H
#define SPK_STORE_DIALECT_H

#include <glib.h>

/*
 * {key}        type of a text that is ordered and compared by its bytes
 * {number}     type of an integer that is the whole primary key
 * {bytes}      type of any bytes
 * {clustered}  after a table whose rows shall lie in the order of the primary key
 */
typedef struct {
	const char *word; /* NULL ends the list */
	const char *sql;
} SpkDialect;

extern const SpkDialect spk_dialect_sqlite[];

/* `text` with its words replaced: those of the dialect, and {states} and {verdicts}, which
 * are lists of quoted names out of states.h. A word nobody knows is a g_assert. */
char *spk_dialect_expand(const SpkDialect *dialect, const char *text);

#endif
