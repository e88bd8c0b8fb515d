/* A real tree in a temporary folder, a box, and calls in one line. */
#ifndef TEST_TOOL_H
#define TEST_TOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "tool/tool.h"

typedef struct {
	char *root;	  /* temporary folder of everything */
	const char *work; /* of the tree */
	SpkConf *conf;	  /* task.output_chars = 2000 */
	SpkTree *tree;
	SpkBox *box;
	SpkToolCtx ctx;
	SpkToolResult last;
} Fixture;

/* cmocka set-up and tear-down; *state is a Fixture. The tree holds a.txt ("one\ntwo\nthree\n"),
 * run.sh (executable), src/main.c, src/util.h, .gitignore (build/, *.o), deep/1/2/3/4.txt. */
int fixture_setup(void **state);
/* The same, standing in src/. */
int fixture_setup_subdir(void **state);
int fixture_teardown(void **state);

/* Absolute path in the work tree; caller frees. */
char *in_work(Fixture *f, const char *path);
void put(Fixture *f, const char *path, const char *text, gssize len);
char *get(Fixture *f, const char *path);

/* Calls the tool with all tools allowed and a JSON text in which ' stands for ". The text of
 * the result stays in f->last. */
void call(Fixture *f, const char *tool, const char *arguments);
/* call() that must be fine; returns the text. */
const char *ok(Fixture *f, const char *tool, const char *arguments);
/* call() that must be refused with these words in the text; returns it. */
const char *bad(Fixture *f, const char *tool, const char *arguments, const char *words);
/* The text of the last call has these words. */
void has(Fixture *f, const char *words);

typedef struct {
	const struct CMUnitTest *tests;
	size_t n_tests;
} Suite;

#define SUITE(name, tests) const Suite name = { tests, G_N_ELEMENTS(tests) }

extern const Suite args_suite;	/* test_args.c */
extern const Suite paths_suite; /* test_paths.c */
extern const Suite read_suite;	/* test_read.c */
extern const Suite edit_suite;	/* test_edit.c */
extern const Suite list_suite;	/* test_list.c */
extern const Suite boxed_suite; /* test_boxed.c */
extern const Suite cli_suite;	/* test_cli.c */

#endif
