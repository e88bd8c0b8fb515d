/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_NET_H
#define TEST_NET_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

extern const struct CMUnitTest address_tests[];
extern const size_t n_address_tests;
extern const struct CMUnitTest child_tests[];
extern const size_t n_child_tests;
extern const struct CMUnitTest hello_tests[];
extern const size_t n_hello_tests;
extern const struct CMUnitTest http_tests[];
extern const size_t n_http_tests;
extern const struct CMUnitTest proxy_tests[];
extern const size_t n_proxy_tests;
extern const struct CMUnitTest proxy_request_tests[];
extern const size_t n_proxy_request_tests;
extern const struct CMUnitTest route_tests[];
extern const size_t n_route_tests;
extern const struct CMUnitTest sse_tests[];
extern const size_t n_sse_tests;
extern const struct CMUnitTest strip_tests[];
extern const size_t n_strip_tests;
#endif
