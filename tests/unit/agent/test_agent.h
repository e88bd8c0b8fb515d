/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_AGENT_H
#define TEST_AGENT_H
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

extern const Suite compact_suite;
extern const Suite history_suite;
extern const Suite reach_suite;
extern const Suite recognise_suite;
extern const Suite rules_suite;
extern const Suite sparks_suite;
extern const Suite stated_suite;
#endif
