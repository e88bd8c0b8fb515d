/* One group of all suites, so that the binary prints a single TAP plan. */
#include "test_guard.h"

#include <string.h>

/* clang-format off */
static const Suite *const suites[] = {
	&approval_suite,
	&autonomy_suite,
	&command_suite, &command_lines_suite, &shell_suite, &decision_suite,
	&ladder_suite,
	&law_suite,
	&loop_suite,
	&git_suite,
	&files_suite,
	&path_suite,
	&redact_suite,
	&redact_corpus_suite,
	&judge_suite,
	&scan_suite,
	&url_suite,
};
/* clang-format on */

int main(void)
{
	g_autofree struct CMUnitTest *all = NULL;
	size_t n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(suites); i++) {
		all = g_renew(struct CMUnitTest, all, n + suites[i]->n_tests);
		memcpy(all + n, suites[i]->tests, suites[i]->n_tests * sizeof(*all));
		n += suites[i]->n_tests;
	}
	return _cmocka_run_group_tests("guard", all, n, NULL, NULL);
}
