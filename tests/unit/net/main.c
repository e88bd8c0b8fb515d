#include "test_net.h"

#include <signal.h>

int main(void)
{
	int failed;

	signal(SIGPIPE, SIG_IGN);
	failed = _cmocka_run_group_tests("child", child_tests, n_child_tests, NULL, NULL);
	failed += _cmocka_run_group_tests("http", http_tests, n_http_tests, NULL, NULL);
	failed += _cmocka_run_group_tests("sse", sse_tests, n_sse_tests, NULL, NULL);
	return failed;
}
