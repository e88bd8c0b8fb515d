/* The groups of this binary; test_guard.c runs them. */
#ifndef TEST_GUARD_H
#define TEST_GUARD_H

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

extern const Suite approval_suite;	/* test_approval.c */
extern const Suite autonomy_suite;	/* test_autonomy.c */
extern const Suite decision_suite;	/* test_decision.c */
extern const Suite ladder_suite;	/* test_ladder.c */
extern const Suite law_suite;		/* test_law.c */
extern const Suite loop_suite;		/* test_loop.c */
extern const Suite git_suite;		/* test_git.c */
extern const Suite files_suite;		/* test_files.c */
extern const Suite path_suite;		/* test_path.c */
extern const Suite redact_suite;	/* test_redact.c */
extern const Suite redact_corpus_suite; /* test_redact_corpus.c */
extern const Suite judge_suite;		/* test_judge.c */
extern const Suite scan_suite;		/* test_scan.c */
extern const Suite url_suite;		/* test_url.c */

extern const Suite shell_suite;		/* test_shell.c */
extern const Suite command_suite;	/* test_command.c */
extern const Suite command_lines_suite; /* test_command_lines.c */

#endif
