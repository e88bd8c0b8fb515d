/* One group of all suites, so that the binary prints a single TAP plan. */
#include "test_tool.h"

#include <string.h>

static const Suite *const suites[] = {
	&args_suite, &paths_suite, &read_suite, &edit_suite,
	&list_suite, &boxed_suite, &cli_suite,
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
	return _cmocka_run_group_tests("tool", all, n, NULL, NULL);
}
