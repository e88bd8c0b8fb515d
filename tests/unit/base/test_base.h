/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_BASE_H
#define TEST_BASE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

typedef struct {
	const struct CMUnitTest *tests;
	size_t n_tests;
} Suite;

#define SUITE(name, tests) const Suite name = { tests, G_N_ELEMENTS(tests) }

extern const Suite beneath_suite;
extern const Suite cancel_suite;
extern const Suite clock_suite;
extern const Suite error_suite;
extern const Suite fs_suite;
extern const Suite json_suite;
extern const Suite log_suite;
extern const Suite remove_suite;
extern const Suite text_suite;

/* A fresh folder as *state, removed with everything in it by the teardown. */
int in_folder(void **state);
int leave_folder(void **state);

/* Asserts the code and clears the error. */
void expect_error(GError **error, int code);
#endif
