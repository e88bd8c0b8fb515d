/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_CMD_H
#define TEST_CMD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "cmd/cmd_all.h"
#include "cmd/frame/cmd_priv.h"

extern const struct CMUnitTest args_tests[];
extern const size_t n_args_tests;
extern const struct CMUnitTest frame_tests[];
extern const size_t n_frame_tests;
extern const struct CMUnitTest pages_tests[];
extern const size_t n_pages_tests;
extern const struct CMUnitTest lines_tests[];
extern const size_t n_lines_tests;
extern const struct CMUnitTest progress_tests[];
extern const size_t n_progress_tests;
extern const struct CMUnitTest markdown_tests[];
extern const size_t n_markdown_tests;
extern const struct CMUnitTest words_tests[];
extern const size_t n_words_tests;
extern const struct CMUnitTest config_tests[];
extern const size_t n_config_tests;
extern const struct CMUnitTest export_tests[];
extern const size_t n_export_tests;

/* An empty current folder, an empty SPARKS_HOME and none of our variables. */
int cmd_setup(void **state);
int cmd_teardown(void **state);

typedef struct {
	int exit_code; /* -1: ended by a signal */
	char *out, *err;
} Ran;

/* The whole program in a child process, with what it wrote. */
Ran run_sparks(const char *const *words);
void ran_clear(Ran *ran);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ran, ran_clear)
#define RUN(...) run_sparks((const char *const[]){ __VA_ARGS__, NULL })
/* The same with standard output going to that descriptor (-1: closed). */
Ran run_sparks_to(int out, const char *const *words);

#define assert_has(text, part)	 assert_non_null(strstr(text, part))
#define assert_lacks(text, part) assert_null(strstr(text, part))
#endif
