#include "test_net.h"

#include <signal.h>

int main(void)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

	signal(SIGPIPE, SIG_IGN);
	g_array_append_vals(all, address_tests, n_address_tests);
	g_array_append_vals(all, child_tests, n_child_tests);
	g_array_append_vals(all, hello_tests, n_hello_tests);
	g_array_append_vals(all, http_tests, n_http_tests);
	g_array_append_vals(all, proxy_tests, n_proxy_tests);
	g_array_append_vals(all, proxy_request_tests, n_proxy_request_tests);
	g_array_append_vals(all, route_tests, n_route_tests);
	g_array_append_vals(all, sse_tests, n_sse_tests);
	g_array_append_vals(all, strip_tests, n_strip_tests);
	return _cmocka_run_group_tests("net", (const struct CMUnitTest *)all->data,
				       all->len, NULL, NULL);
}
