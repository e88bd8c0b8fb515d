/* Every test_*.c of this folder exports its tests; main.c runs them as one group, so that
 * the binary prints a single TAP plan. */
#ifndef TESTS_UNIT_BOX_SUITES_H
#define TESTS_UNIT_BOX_SUITES_H

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct {
	const struct CMUnitTest *tests;
	size_t n_tests;
} Suite;

#define SUITE(name, tests) const Suite name = { tests, G_N_ELEMENTS(tests) }

extern const Suite box_suite;	      /* test_box.c */
extern const Suite cgroup_suite;      /* test_cgroup.c */
extern const Suite credentials_suite; /* test_credentials.c */
extern const Suite docker_suite;      /* test_docker_stream.c */
extern const Suite engine_suite;      /* test_docker_engine.c */
extern const Suite plan_suite;	      /* test_box_plan.c */
extern const Suite tree_suite;	      /* test_tree.c */
extern const Suite git_suite;	      /* test_git.c */
extern const Suite commit_suite;      /* test_tree_commit.c */
extern const Suite hostile_suite;     /* test_tree_hostile.c */
extern const Suite apply_suite;	      /* test_tree_apply.c */
extern const Suite xattr_suite;	      /* test_tree_xattr.c */
extern const Suite secrets_suite;     /* test_tree_secrets.c */
extern const Suite step_suite;	      /* test_tree_step.c */

#endif
