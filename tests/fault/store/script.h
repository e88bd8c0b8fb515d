/*
 * A run through the store that notes what was acknowledged, and the proof afterwards that
 * all of it is there.
 */
#ifndef SPK_FAULT_SCRIPT_H
#define SPK_FAULT_SCRIPT_H

#include <glib.h>

#include "base/error.h"
#include "store/store.h"

#define SCRIPT_TASK    "aaaa00000001"
#define SCRIPT_APPENDS 4

typedef struct {
	gboolean accepted, scanned, updated, proved, posted, taken, released;
	gint64 appended[SCRIPT_APPENDS]; /* seq, 0: refused */
	guint failures;
	SpkErr unclear; /* a code that says nothing to a user; SPK_N_ERRS: none came */
} Acks;

/* Opens the store and makes every kind of write; goes on after a failure. */
void script_run(const char *path, Acks *acks);
/* NULL when the database is whole and holds what was acknowledged, else what is wrong. */
char *script_verify(const char *path, const Acks *acks);

/* Appends {"n": n}. */
gboolean script_append(SpkStore *store, const char *task, gint64 token, gint64 n,
		       gint64 *ret_seq, GError **error);
/* NULL when the entries of the task are 1, 2, 3 …; *ret_last is the last. */
char *script_check_journal(SpkStore *store, const char *task, gint64 *ret_last);

#endif
