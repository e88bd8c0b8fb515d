#include "test_base.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"

static const Suite *const suites[] = {
	&text_suite,   &json_suite, &error_suite,   &clock_suite,  &log_suite,
	&cancel_suite, &fs_suite,   &beneath_suite, &remove_suite,
};

int in_folder(void **state)
{
	*state = g_dir_make_tmp("sparks-base-XXXXXX", NULL);
	return *state ? 0 : -1;
}

/* rm rather than our own removal, which is under test here. */
int leave_folder(void **state)
{
	const char *argv[] = { "rm", "-rf", "--", *state, NULL };
	const char *modes[] = { "chmod", "-R", "u+rwX", "--", *state, NULL };
	gboolean ok;

	(void)g_spawn_sync(NULL, (char **)modes, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			   NULL, NULL, NULL, NULL); /* rm tells what is wrong */
	ok = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			  NULL, NULL, NULL, NULL);
	g_free(*state);
	return ok ? 0 : -1;
}

void expect_error(GError **error, int code)
{
	assert_non_null(*error);
	if (!spk_error_is(*error, code))
		fail_msg("wanted \"%s\", got: %s", spk_err_info(code)->name,
			 (*error)->message);
	g_clear_error(error);
}

int main(void)
{
	g_autofree struct CMUnitTest *all = NULL;
	size_t n = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < G_N_ELEMENTS(suites); i++) {
		all = g_renew(struct CMUnitTest, all, n + suites[i]->n_tests);
		memcpy(all + n, suites[i]->tests, suites[i]->n_tests * sizeof(*all));
		n += suites[i]->n_tests;
	}
	return _cmocka_run_group_tests("base", all, n, NULL, NULL);
}
