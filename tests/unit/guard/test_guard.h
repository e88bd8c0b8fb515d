/* The groups of this binary; test_guard.c runs them. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

int run_files_tests(void);
int run_git_tests(void);
int run_loop_tests(void);

#endif
