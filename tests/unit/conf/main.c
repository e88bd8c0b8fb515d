/* Runs the tests of the room, and holds the folders that each of them starts in. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "conf/secret.h"
#include "test_conf.h"

static char *root;

int conf_setup(void **state)
{
	g_auto(GStrv) names = g_listenv();
	g_autofree char *home = NULL;
	g_autofree char *work = NULL;

	for (char **name = names; *name; name++)
		if (g_str_has_prefix(*name, "SPARKS_") || spk_secret_find(*name) ||
		    !strcmp(*name, "DBUS_SESSION_BUS_ADDRESS") ||
		    !strcmp(*name, "XDG_RUNTIME_DIR"))
			g_unsetenv(*name);
	root = g_dir_make_tmp("spk-conf-XXXXXX", NULL);
	assert_non_null(root);
	home = g_build_filename(root, "home", NULL);
	work = g_build_filename(root, "work", NULL);
	assert_true(spk_fs_mkdirs(home, 0700, NULL));
	assert_true(spk_fs_mkdirs(work, 0700, NULL));
	g_setenv("SPARKS_HOME", home, TRUE);
	return chdir(work);
}

int conf_teardown(void **state)
{
	gboolean ok = chdir("/") == 0 && spk_fs_remove_tree(root, NULL);

	g_clear_pointer(&root, g_free);
	return ok ? 0 : -1;
}

char *in_home(const char *name)
{
	return g_build_filename(root, "home", name, NULL);
}

void put(const char *path, const char *text)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

SpkConf *load_ok(const char *explicit_path)
{
	SpkConfSource source = { .explicit_path = explicit_path };
	g_autoptr(GError) error = NULL;
	SpkConf *conf = spk_conf_load(&source, &error);

	if (!conf)
		print_error("%s\n", error->message);
	assert_non_null(conf);
	return conf;
}

char *load_message(const char *explicit_path)
{
	SpkConfSource source = { .explicit_path = explicit_path };
	g_autoptr(GError) error = NULL;

	assert_null(spk_conf_load(&source, &error));
	assert_true(spk_error_is(error, SPK_ERR_CONFIG));
	return g_strdup(error->message);
}

char *warnings_of(const SpkConf *conf)
{
	return g_strjoinv("\n", (char **)spk_conf_warnings(conf));
}

/* One group, so that the output is one TAP plan. */
int main(void)
{
	static const struct {
		const struct CMUnitTest *tests;
		const size_t *n;
	} suites[] = {
		{ reference_tests, &n_reference_tests },
		{ profiles_tests, &n_profiles_tests },
		{ options_tests, &n_options_tests },
		{ prices_tests, &n_prices_tests },
		{ toml_tests, &n_toml_tests },
		{ dotenv_tests, &n_dotenv_tests },
		{ load_tests, &n_load_tests },
		{ secret_tests, &n_secret_tests },
		{ trust_tests, &n_trust_tests },
	};
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

	for (gsize i = 0; i < G_N_ELEMENTS(suites); i++)
		g_array_append_vals(all, suites[i].tests, *suites[i].n);
	return _cmocka_run_group_tests("conf", (struct CMUnitTest *)(void *)all->data,
				       all->len, NULL, NULL);
}
