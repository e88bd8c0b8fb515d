#include "test_base.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* The exit codes users' scripts rely on. */
static void exit_codes_are_the_pinned_ones(void **state)
{
	static const struct {
		SpkErr code;
		const char *name;
		int exit_code;
	} rows[] = {
		{ SPK_ERR_FAILED, "failed", 1 },
		{ SPK_ERR_USAGE, "usage", 2 },
		{ SPK_ERR_NOT_FOUND, "not_found", 2 },
		{ SPK_ERR_BAD_INPUT, "bad_input", 2 },
		{ SPK_ERR_WAITING, "outcome_wait_timeout", 4 },
		{ SPK_ERR_PROVIDER, "provider_unavailable", 69 },
		{ SPK_ERR_TIMEOUT, "timeout", 75 },
		{ SPK_ERR_LIMIT, "limit", 75 },
		{ SPK_ERR_POLICY, "policy_blocked", 77 },
		{ SPK_ERR_CONFIG, "config", 78 },
		{ SPK_ERR_CANCELLED, "cancelled", 130 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		assert_string_equal(spk_err_info(rows[i].code)->name, rows[i].name);
		assert_int_equal(spk_err_info(rows[i].code)->exit_code,
				 rows[i].exit_code);
	}
}

static void every_row_is_whole(void **state)
{
	static const int exits[] = { 1, 2, 4, 69, 75, 77, 78, 130 };

	for (int i = 0; i < SPK_N_ERRS; i++) {
		const SpkErrInfo *info = spk_err_info(i);
		gboolean known = FALSE;

		assert_true(*info->name && *info->sentence);
		assert_in_range(info->http_status, 200, 599);
		for (gsize e = 0; e < G_N_ELEMENTS(exits); e++)
			known = known || exits[e] == info->exit_code;
		if (!known) /* in particular: an error never exits 0 */
			fail_msg("%s exits with %d", info->name, info->exit_code);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(info->name, spk_err_info(j)->name);
	}
}

static void carries_code_text_and_hint(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) copy = NULL;

	spk_error_set(&error, SPK_ERR_CONFIG, "run `sparks config check`", "%s: line %d",
		      "config.toml", 3);
	assert_true(spk_error_is(error, SPK_ERR_CONFIG));
	assert_false(spk_error_is(error, SPK_ERR_IO));
	assert_int_equal(spk_error_code(error), SPK_ERR_CONFIG);
	assert_string_equal(error->message, "config.toml: line 3");
	g_prefix_error(&error, "while starting: ");
	copy = g_error_copy(error);
	assert_string_equal(copy->message, "while starting: config.toml: line 3");
	assert_string_equal(spk_error_hint(copy), "run `sparks config check`");
}

static void hint_is_optional_and_error_too(void **state)
{
	g_autoptr(GError) error = NULL;

	spk_error_set(NULL, SPK_ERR_IO, "x", "nobody listens");
	spk_error_set(&error, SPK_ERR_IO, NULL, "no hint");
	assert_null(spk_error_hint(error));
}

static void foreign_errors_are_internal(void **state)
{
	g_autoptr(GError) error = g_error_new(G_FILE_ERROR, SPK_ERR_POLICY, "of GLib");

	assert_int_equal(spk_error_code(error), SPK_ERR_INTERNAL);
	assert_false(spk_error_is(error, SPK_ERR_POLICY));
	assert_false(spk_error_is(NULL, SPK_ERR_POLICY));
	assert_null(spk_error_hint(error));
}

static void errno_decides_where_it_says_more(void **state)
{
	static const struct {
		int value;
		SpkErr code;
	} rows[] = {
		{ ENOSPC, SPK_ERR_DISK_FULL }, { EDQUOT, SPK_ERR_DISK_FULL },
		{ EROFS, SPK_ERR_READ_ONLY },  { EIO, SPK_ERR_GIT },
		{ EACCES, SPK_ERR_GIT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		spk_error_set_errno(&error, SPK_ERR_GIT, rows[i].value, NULL,
				    "cannot write %s", "x");
		assert_true(g_str_has_prefix(error->message, "cannot write x: "));
		assert_non_null(strstr(error->message, g_strerror(rows[i].value)));
		expect_error(&error, rows[i].code);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(exit_codes_are_the_pinned_ones),
	cmocka_unit_test(every_row_is_whole),
	cmocka_unit_test(carries_code_text_and_hint),
	cmocka_unit_test(hint_is_optional_and_error_too),
	cmocka_unit_test(foreign_errors_are_internal),
	cmocka_unit_test(errno_decides_where_it_says_more),
};

SUITE(error_suite, tests);
