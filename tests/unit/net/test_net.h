/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_NET_H
#define TEST_NET_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

extern const struct CMUnitTest child_tests[];
extern const size_t n_child_tests;
#endif
