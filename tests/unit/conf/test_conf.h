/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_CONF_H
#define TEST_CONF_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "conf/conf_priv.h"

extern const struct CMUnitTest dotenv_tests[];
extern const size_t n_dotenv_tests;
extern const struct CMUnitTest load_tests[];
extern const size_t n_load_tests;
extern const struct CMUnitTest options_tests[];
extern const size_t n_options_tests;
extern const struct CMUnitTest prices_tests[];
extern const size_t n_prices_tests;
extern const struct CMUnitTest profiles_tests[];
extern const size_t n_profiles_tests;
extern const struct CMUnitTest reference_tests[];
extern const size_t n_reference_tests;
extern const struct CMUnitTest secret_tests[];
extern const size_t n_secret_tests;
extern const struct CMUnitTest toml_tests[];
extern const size_t n_toml_tests;
extern const struct CMUnitTest trust_tests[];
extern const size_t n_trust_tests;

/* An empty current folder WORK and an empty SPARKS_HOME beside it; none of our variables. */
int conf_setup(void **state);
int conf_teardown(void **state);
/* Path below SPARKS_HOME. */
char *in_home(const char *name);
void put(const char *path, const char *text);
/* Loads with an explicit path or NULL; must succeed. */
SpkConf *load_ok(const char *explicit_path);
/* Loads, must fail with CONFIG; the message. */
char *load_message(const char *explicit_path);
/* All warnings, one per line. */
char *warnings_of(const SpkConf *conf);

#define assert_has(text, part)	 assert_non_null(strstr(text, part))
#define assert_lacks(text, part) assert_null(strstr(text, part))
#endif
