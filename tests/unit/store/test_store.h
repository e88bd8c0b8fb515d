/*
 * Tests of the store. Each test has a folder of its own, with an open store in it unless
 * it opens one itself, and a clock that stands still until it is moved.
 */
#ifndef SPK_TEST_STORE_H
#define SPK_TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "store/store.h"
#include "store/store_priv.h"

typedef struct {
	const struct CMUnitTest *tests;
	gsize n_tests;
} Suite;

extern const Suite states_suite, open_suite, schema_suite, tasks_suite, journal_suite,
	lease_suite, holder_suite, mail_suite, evidence_suite, worker_suite, backup_suite,
	sessions_suite, knobs_suite, ledger_suite, levels_suite, setups_suite,
	approvals_suite, memories_suite, match_suite, forget_suite, moves_suite;

typedef struct {
	char *folder;
	char *path;
	SpkStore *store;
} Fixture;

int setup_store(void **state);	/* opens it */
int setup_folder(void **state); /* does not */
int teardown_store(void **state);
#define STORE_TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup_store, teardown_store)
#define FOLDER_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_folder, teardown_store)

/* The fake clock, in force from setup to teardown. */
void clock_add_ms(gint64 ms);

void add_task(SpkStore *store, const char *id);
/* Claims it as this process. */
SpkLease *hold(SpkStore *store, const char *id);
/* Moves a task that `lease` holds along the usual way up to `to`. */
void walk_to(SpkStore *store, const SpkLease *lease, SpkState to);
/* Holder of a process of this machine that has exited. */
char *dead_holder(void);

/* Fails unless the error is set and has the code; frees it. */
void assert_failed(GError **error, SpkErr code);
#define assert_ok(call)                                                             \
	do {                                                                        \
		g_autoptr(GError) error_ = NULL;                                    \
		gboolean fine_ = (call) && TRUE;                                    \
		if (!fine_)                                                         \
			fail_msg("%s: %s", #call, error_ ? error_->message : "no"); \
	} while (0)
/* The error argument of a call inside assert_ok(). */
#define ERR (&error_)

#endif
