#include "test_agent.h"

#include <string.h>

/* One line for each test_*.c. */
static const Suite *const suites[] = {
	&compact_suite,	  &history_suite, &reach_suite,	 &rules_suite,
	&recognise_suite, &sparks_suite,  &stated_suite,
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
	return _cmocka_run_group_tests("agent", all, n, NULL, NULL);
}
