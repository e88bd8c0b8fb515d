#include "suites.h"

#include <string.h>

/* One line for each test_*.c. */
static const Suite *const suites[] = {
	&box_suite,   &credentials_suite, &docker_suite, &cgroup_suite,	 &plan_suite,
	&tree_suite,  &step_suite,	  &git_suite,	 &commit_suite,	 &hostile_suite,
	&apply_suite, &xattr_suite,	  &engine_suite, &secrets_suite,
};

int main(void)
{
	g_autofree struct CMUnitTest *all = NULL;
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(suites); i++) {
		all = g_renew(struct CMUnitTest, all, n + suites[i]->n_tests);
		memcpy(all + n, suites[i]->tests, suites[i]->n_tests * sizeof(*all));
		n += suites[i]->n_tests;
	}
	return _cmocka_run_group_tests("box", all, n, NULL, NULL);
}
